package chart

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestSchemas checks what is rendered against the schemas that a real API server publishes, its own and those of CRDs, with
// kubeconform: an unknown field or a wrong type fails.
func TestSchemas(t *testing.T) {
	definitions := published(t)
	dir := t.TempDir()
	location := filepath.Join(dir, "{{ .Group }}_{{ .ResourceAPIVersion }}_{{ .ResourceKind }}.json")
	written := map[schema.GroupVersionKind]bool{}
	check := func(t *testing.T, all objects) error {
		t.Helper()
		var manifest []byte
		for _, object := range all {
			if gvk := object.GroupVersionKind(); !written[gvk] {
				written[gvk] = true
				writeSchema(t, dir, definitions, gvk)
			}
			content, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			manifest = append(append(manifest, "---\n"...), append(content, '\n')...)
		}
		_, err := tool(t, manifest, "kubeconform", "-strict", "-schema-location", location, "-")
		return err
	}
	for name, values := range valueSets() {
		t.Run(name, func(t *testing.T) {
			if err := check(t, render(t, values)); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("what does not conform fails", func(t *testing.T) {
		for _, wrong := range []string{"{replica: 2}", "{replicas: two}", "{template: {spec: {containers: [{name: a, imagePullPolicies: Never}]}}}"} {
			all := parse(t, []byte("{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: "+wrong+"}"))
			if err := check(t, all); err == nil || !strings.Contains(err.Error(), "is invalid") {
				t.Errorf("%s: error = %v, want that it is invalid", wrong, err)
			}
		}
	})
}

// writeSchema writes the JSON schema of a kind with all that it refers to.
func writeSchema(t *testing.T, dir string, definitions map[string]map[string]any, gvk schema.GroupVersionKind) {
	t.Helper()
	name := ""
	for candidate, definition := range definitions {
		kinds, _ := definition["x-kubernetes-group-version-kind"].([]any)
		for _, kind := range kinds {
			k, _ := kind.(map[string]any)
			if k["group"] == gvk.Group && k["version"] == gvk.Version && k["kind"] == gvk.Kind {
				name = candidate
			}
		}
	}
	if name == "" {
		t.Fatalf("the API server publishes no schema of %s", gvk)
	}
	used := map[string]any{}
	collect(definitions, name, used)
	document := map[string]any{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/" + name, "definitions": used}
	content, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	group := cmp.Or(gvk.Group, gvk.Version) // what kubeconform calls the core group's group
	file := strings.ToLower(group + "_" + gvk.Version + "_" + gvk.Kind + ".json")
	if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func collect(definitions map[string]map[string]any, name string, used map[string]any) {
	if _, done := used[name]; done {
		return
	}
	used[name] = nil // a schema may refer to itself
	used[name] = closed(definitions[name], func(other string) { collect(definitions, other, used) })
}

// closed is a published schema as JSON schema knows it, with no field but those it names. It reports what it refers to.
func closed(published map[string]any, refers func(string)) map[string]any {
	if format := published["format"]; format == "int-or-string" || published["x-kubernetes-int-or-string"] == true {
		return map[string]any{"type": []string{"string", "integer"}}
	}
	out := maps.Clone(published)
	maps.DeleteFunc(out, func(key string, _ any) bool {
		return strings.HasPrefix(key, "x-") || key == "description" || key == "format"
	})
	if ref, ok := published["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/definitions/")
		if name == "io.k8s.apimachinery.pkg.api.resource.Quantity" { // a number is one, too
			return map[string]any{"type": []string{"string", "number"}}
		}
		refers(name)
		return map[string]any{"$ref": ref}
	}
	if properties, ok := published["properties"].(map[string]any); ok {
		inner := map[string]any{}
		for name, property := range properties {
			inner[name] = closed(property.(map[string]any), refers)
		}
		out["properties"] = inner
		if published["additionalProperties"] == nil && published["x-kubernetes-preserve-unknown-fields"] != true {
			out["additionalProperties"] = false
		}
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if inner, ok := published[key].(map[string]any); ok {
			out[key] = closed(inner, refers)
		}
	}
	return out
}
