package crd

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// Whoever installs by kustomize gets every kind, and the kubebuilder project knows it.
func TestEveryKindIsInstalled(t *testing.T) {
	var installed struct{ Resources []string }
	read(t, "kustomization.yaml", &installed)
	project, err := os.ReadFile(filepath.Join("..", "..", "PROJECT"))
	if err != nil {
		t.Fatal(err)
	}
	bases, err := filepath.Glob("bases/*.yaml")
	if err != nil || len(bases) == 0 {
		t.Fatal(bases, err)
	}
	slices.Sort(installed.Resources)
	if !slices.Equal(bases, installed.Resources) {
		t.Errorf("kustomization.yaml has %v, want %v", installed.Resources, bases)
	}
	for _, base := range bases {
		var definition apiextensionsv1.CustomResourceDefinition
		read(t, base, &definition)
		if kind := definition.Spec.Names.Kind; !strings.Contains(string(project), "kind: "+kind+"\n") {
			t.Errorf("PROJECT does not know %s", kind)
		}
	}
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
