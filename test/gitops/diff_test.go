package gitops

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// kinds are the operator's. The samples hold some of each.
var kinds = []string{"Team", "ResponseStore", "SurveyProgram", "Touchpoint", "ActionPlan", "AccountabilityPolicy", "Review"}

// TestSecondApplyChangesNothing applies the samples, lets the operator work, and applies the same again: the diff is empty, and no
// object is written, whichever way Git reaches the cluster.
func TestSecondApplyChangesNothing(t *testing.T) {
	s := newSite(t)
	s.start("--embedded-endpoint", "--watch-namespaces=samples-client-side,samples-server-side")
	for name, way := range map[string][]string{"client-side": nil, "server-side": {"--server-side"}} {
		t.Run(name, func(t *testing.T) {
			s := &site{t: t, c: s.c, dir: s.dir, intake: s.intake}
			namespace := "samples-" + name
			manifest := s.samples(namespace)
			if out, err := s.kubectl(manifest, append([]string{"apply", "-f", "-"}, way...)...); err != nil {
				t.Fatalf("apply: %v\n%s", err, out)
			}
			s.awaitReady(namespace)
			before := s.versions(namespace)
			if out, err := s.kubectl(manifest, append([]string{"diff", "-f", "-"}, way...)...); err != nil || out != "" {
				t.Errorf("diff after the operator has worked: %v\n%s", err, out)
			}
			out, err := s.kubectl(manifest, append([]string{"apply", "-f", "-"}, way...)...)
			if err != nil {
				t.Fatalf("second apply: %v\n%s", err, out)
			}
			if after := s.versions(namespace); !maps.Equal(before, after) {
				t.Errorf("the second apply wrote: before %v, after %v\n%s", before, after, out)
			}

			// The proof that the diff is not blind: another spec is seen.
			changed := bytes.Replace(manifest, []byte(`"displayName":"Free Wi-Fi"`), []byte(`"displayName":"Wi-Fi for nothing"`), 1)
			if out, err := s.kubectl(changed, append([]string{"diff", "-f", "-"}, way...)...); err == nil || !strings.Contains(out, "Wi-Fi for nothing") {
				t.Errorf("diff of another spec: %v\n%s", err, out)
			}
		})
	}
}

// samples are the objects of config/samples, with the protocol by which they are run, in another namespace.
func (s *site) samples(namespace string) []byte {
	s.t.Helper()
	var all []*unstructured.Unstructured
	for _, folder := range []string{"config/samples", "config/samples/accountability"} {
		text, err := s.kubectl(nil, "kustomize", folder)
		if err != nil {
			s.t.Fatalf("kustomize %s: %v\n%s", folder, err, text)
		}
		all = append(all, parse(s.t, text)...)
	}
	var out bytes.Buffer
	for _, object := range all {
		if object.GetKind() == "Namespace" {
			object.SetName(namespace)
		} else {
			object.SetNamespace(namespace)
		}
		content, err := json.Marshal(object)
		if err != nil {
			s.t.Fatal(err)
		}
		out.WriteString("---\n")
		out.Write(append(content, '\n'))
	}
	return out.Bytes()
}

func (s *site) list(ctx context.Context, kind, namespace string) ([]unstructured.Unstructured, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "cx-operator.io", Version: "v1alpha1", Kind: kind + "List"})
	err := s.c.List(ctx, list, client.InNamespace(namespace))
	return list.Items, err
}

// awaitReady waits until every object is Ready for its present spec.
func (s *site) awaitReady(namespace string) {
	s.t.Helper()
	eventually(s.t, "the samples are ready", func(ctx context.Context) error {
		for _, kind := range kinds {
			objects, err := s.list(ctx, kind, namespace)
			if err != nil {
				return err
			}
			if len(objects) == 0 {
				return fmt.Errorf("no %s", kind)
			}
			for i := range objects {
				health := healthOf(s.t, &objects[i])
				if ready, _ := health["Ready"].(string); !strings.HasPrefix(ready, "True") || !strings.HasSuffix(ready, fmt.Sprint(" ", health["generation"])) {
					return fmt.Errorf("%s %s: %v", kind, objects[i].GetName(), health)
				}
			}
		}
		return nil
	})
}

// versions are the generations of all objects, and the resource versions of those parts that people write: a status that moves
// meanwhile is the operator's.
func (s *site) versions(namespace string) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	for _, kind := range kinds {
		objects, err := s.list(s.t.Context(), kind, namespace)
		if err != nil {
			s.t.Fatal(err)
		}
		for i := range objects {
			o := &objects[i]
			unstructured.RemoveNestedField(o.Object, "status")
			var writes []string
			for _, entry := range o.GetManagedFields() {
				if entry.Subresource == "" {
					writes = append(writes, entry.Manager+" "+entry.Time.String())
				}
			}
			slices.Sort(writes)
			content, err := json.Marshal([]any{o.GetGeneration(), o.GetLabels(), o.GetAnnotations(), o.Object["spec"], writes})
			if err != nil {
				s.t.Fatal(err)
			}
			all[kind+"/"+o.GetName()] = string(content)
		}
	}
	return all
}
