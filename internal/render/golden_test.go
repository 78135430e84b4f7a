package render

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestGolden(t *testing.T) {
	for name, d := range cases(t) {
		t.Run(name, func(t *testing.T) {
			got := manifests(t, d)
			file := filepath.Join("testdata", name+".yaml")
			if *update {
				if err := os.WriteFile(file, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v; go test ./internal/render -update makes it", err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("go test ./internal/render -update writes it anew (-want +got):\n%s", diff)
			}
		})
	}
}

// Every file is a case: one that is left over would check nothing.
func TestNoGoldenFileIsLeftOver(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all := cases(t)
	for _, file := range files {
		name := filepath.Base(file)
		if _, ok := all[name[:len(name)-len(".yaml")]]; !ok {
			t.Errorf("%s belongs to no case", file)
		}
	}
}

// manifests writes all objects as one YAML file.
func manifests(t testing.TB, d Dedicated) []byte {
	t.Helper()
	objects, err := d.Objects()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, object := range objects {
		manifest, err := Manifest(object)
		if err != nil {
			t.Fatal(err)
		}
		body, err := yaml.Marshal(manifest.Object)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("---\n")
		out.Write(body)
	}
	return out.Bytes()
}
