package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/test/admission"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestRenderSample pins what is printed for the sample of a Dedicated program.
func TestRenderSample(t *testing.T) {
	t.Setenv("CX_OPERATOR_IMAGE", "registry.example.org/cx-operator:1.0.0")
	var out, errOut bytes.Buffer
	args := []string{"render", "--monitoring-namespaces", "monitoring", filepath.Join("..", "..", "config", "samples", "dedicated", "hotel")}
	if code := Main(t.Context(), args, strings.NewReader(""), &out, &errOut); code != exitOK || errOut.Len() > 0 {
		t.Fatalf("exit code %d: %s", code, &errOut)
	}
	golden := filepath.Join("testdata", "render-hotel.yaml")
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v; go test ./internal/cli -run Render -update makes it", err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("go test ./internal/cli -run Render -update writes it anew (-want +got):\n%s", diff)
	}
}

func TestRenderRefuses(t *testing.T) {
	postgres := admission.Database + "---\n"
	for name, c := range map[string]struct {
		args, stdin string
		code        int
		errOut      string
	}{
		"no file":      {"render", "", 2, "Error: requires at least 1 arg(s), only received 0\nSee cx-operator --help.\n"},
		"no such file": {"render none.yaml", "", 2, "Error: stat none.yaml: no such file or directory\n"},
		"nothing Dedicated": {"render -", admission.ResponseStore + "---\n" + admission.SurveyProgram, 1,
			"Error: nothing to render: none of the programs in these files (1) has spec.endpoint.mode Dedicated\n"},
		"no store": {"render -", admission.Routed, 1,
			"Error: SurveyProgram default/routed: spec.storeRef: the ResponseStore \"database\" is in none of these files\n"},
		"a store elsewhere": {"render -n sfo -", strings.Replace(postgres, "{name: database}", "{name: database, namespace: other}", 1) + admission.Routed, 1,
			"Error: SurveyProgram sfo/routed: spec.storeRef: the ResponseStore \"database\" is in none of these files\n"},
		"no image": {"render --image= -", postgres + admission.Routed, 2, "Error: --image must name the image of the pods\n"},
		"a problem": {"render -", postgres + strings.Replace(admission.Routed, "replicas: 3", "replicas: 300", 1), 1,
			"stdin:20: SurveyProgram default/routed: spec.endpoint.replicas: Invalid value: 300: spec.endpoint.replicas in body should be less than or equal to 100\n" +
				"1 file, 2 resources, 1 problem\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := run(t, c.stdin, strings.Fields(c.args)...)
			if code != c.code || out != "" {
				t.Errorf("exit code %d with output %q, want %d", code, out, c.code)
			}
			if diff := cmp.Diff(c.errOut, errOut); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
