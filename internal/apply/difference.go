package apply

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cx-operator/cx-operator/internal/render"
)

// manifest returns an object as it is applied, with the digest of all that it says.
func manifest(object render.Object) (*unstructured.Unstructured, error) {
	wanted, err := render.Manifest(object)
	if err != nil {
		return nil, err
	}
	digest, err := digestOf(wanted.Object)
	if err != nil {
		return nil, err
	}
	annotations := wanted.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[Annotation] = digest
	wanted.SetAnnotations(annotations)
	return wanted, nil
}

// digestOf returns a digest of what JSON can write; maps are written in the order of their keys.
func digestOf(content any) (string, error) {
	body, err := json.Marshal(content)
	if err != nil {
		return "", fmt.Errorf("make a digest: %w", err)
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16]), nil
}

// covers says whether current has all that wanted says. What current has beside it is a default of the API server or somebody
// else's. Lists whose items have names are compared by name, others item by item, and may not have more items than wanted.
func covers(wanted, current any) bool {
	switch wanted := wanted.(type) {
	case map[string]any:
		have, _ := current.(map[string]any)
		for key, value := range wanted {
			if !covers(value, have[key]) {
				return false
			}
		}
		return true
	case []any:
		have, _ := current.([]any)
		return coversList(wanted, have)
	}
	return reflect.DeepEqual(wanted, current)
}

func coversList(wanted, have []any) bool {
	key := keyOf(wanted)
	if key == "" && len(wanted) != len(have) {
		return false
	}
	for i, value := range wanted {
		var item any
		if key == "" {
			item = have[i]
		} else {
			item = find(have, key, value.(map[string]any)[key])
		}
		if item == nil || !covers(value, item) {
			return false
		}
	}
	return true
}

// listKeys name the items of lists that the API server merges: mounts, owners, and nearly all else.
var listKeys = []string{"mountPath", "uid", "name"}

// keyOf returns the field by which the items of a list are told apart; empty where they have none.
func keyOf(list []any) string {
	for _, key := range listKeys {
		if len(list) > 0 && allHave(list, key) {
			return key
		}
	}
	return ""
}

func allHave(list []any, key string) bool {
	for _, item := range list {
		fields, ok := item.(map[string]any)
		if !ok || fields[key] == nil {
			return false
		}
	}
	return true
}

func find(list []any, key string, value any) any {
	for _, item := range list {
		if fields, ok := item.(map[string]any); ok && fields[key] == value {
			return item
		}
	}
	return nil
}

// formOf is a digest of an object as it was wanted and as it is, without what changes by itself.
func formOf(wanted *unstructured.Unstructured, current map[string]any) string {
	current = maps.Clone(current)
	delete(current, "status")
	if metadata, ok := current["metadata"].(map[string]any); ok {
		metadata = maps.Clone(metadata)
		for _, field := range []string{"resourceVersion", "generation", "managedFields"} {
			delete(metadata, field)
		}
		current["metadata"] = metadata
	}
	digest, err := digestOf([]any{wanted.Object, current})
	if err != nil {
		return "" // equal to no other: the object is applied again
	}
	return digest
}

// asStatus finds the API server's answer in an error.
func asStatus(err error, into *apierrors.APIStatus) bool { return errors.As(err, into) }
