package v1alpha1

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// TestContractFits: every field of the contract's manifests has its place in the Go types and survives a round trip.
func TestContractFits(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	files, err := filepath.Glob("testdata/contract/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, manifest := range strings.Split(string(content), "\n---\n") {
			var written map[string]any
			if err := yaml.Unmarshal([]byte(manifest), &written); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			kind := written["kind"].(string)
			if written["apiVersion"] != GroupVersion.String() {
				continue
			}
			object, err := scheme.New(schema.GroupVersionKind{Group: GroupVersion.Group, Version: GroupVersion.Version, Kind: kind})
			if err != nil {
				t.Fatal(err)
			}
			if err := yaml.UnmarshalStrict([]byte(manifest), object); err != nil {
				t.Errorf("%s: %s: %v", file, kind, err)
				continue
			}
			encoded, err := yaml.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			var read map[string]any
			if err := yaml.Unmarshal(encoded, &read); err != nil {
				t.Fatal(err)
			}
			if missing := missingIn(read, written); len(missing) > 0 {
				t.Errorf("%s: %s lost in the Go type: %v", file, kind, missing)
			}
			seen[kind]++
		}
	}
	want := map[string]int{"Team": 4, "ResponseStore": 1, "SurveyProgram": 1, "Touchpoint": 3, "ActionPlan": 1}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("manifests (-want +got):\n%s", diff)
	}
}

// missingIn returns the paths of what is in want and not, or not equal, in got.
func missingIn(got, want any) []string {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			return []string{""}
		}
		var missing []string
		for key, value := range want {
			for _, path := range missingIn(got[key], value) {
				missing = append(missing, strings.TrimSuffix(key+"."+path, "."))
			}
		}
		return missing
	case []any:
		got, _ := got.([]any)
		if len(got) != len(want) {
			return []string{""}
		}
		var missing []string
		for i := range want {
			missing = append(missing, missingIn(got[i], want[i])...)
		}
		return missing
	default:
		if cmp.Equal(got, want) {
			return nil
		}
		return []string{""}
	}
}

// TestOpen: only what is done or given up is no longer open.
func TestOpen(t *testing.T) {
	for state, want := range map[WorkState]bool{
		WorkNotStarted: true, WorkOnHold: true, WorkInProgress: true, WorkComplete: false, WorkCancelled: false, "": true,
	} {
		if got := state.Open(); got != want {
			t.Errorf("%q.Open() = %v, want %v", state, got, want)
		}
	}
}
