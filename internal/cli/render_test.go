package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/cx-operator/cx-operator/internal/exit"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/validate"
	"github.com/cx-operator/cx-operator/test/admission"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestRenderSample pins what is printed for the sample of a Dedicated program.
func TestRenderSample(t *testing.T) {
	t.Setenv("CX_OPERATOR_IMAGE", "registry.example.org/cx-operator:1.0.0")
	var out, errOut bytes.Buffer
	args := []string{"render", "--monitoring-namespaces", "monitoring", filepath.Join("..", "..", "config", "samples", "dedicated", "hotel")}
	if code := Main(t.Context(), args, strings.NewReader(""), &out, &errOut); code != exit.OK || errOut.Len() > 0 {
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

// The pods are started with what the process understands.
func TestPodsAreStartedWithKnownFlags(t *testing.T) {
	for name, manifests := range map[string]string{
		"PostgreSQL": admission.Database + "---\n" + admission.Dedicated,
		"SQLite":     admission.ResponseStore + "---\n" + strings.NewReplacer("{name: database}", "{name: responses}", "replicas: 3", "replicas: 1").Replace(admission.Routed),
	} {
		_, objects, err := validate.Load([]validate.Source{{Name: "x.yaml", Content: []byte(manifests)}}, validate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		compiled, problems := survey.Compile(objects.Programs[0], nil, nil)
		if compiled == nil {
			t.Fatal(problems)
		}
		rendered, err := render.Dedicated{Program: objects.Programs[0], Store: objects.Stores[0], Survey: compiled, Options: render.Options{
			Image: "x", OperatorNamespace: "cx-operator-system", ScrapeTokenHash: strings.Repeat("0", 64),
		}}.Objects()
		if err != nil {
			t.Fatal(err)
		}
		started := 0
		for _, object := range rendered {
			var pod corev1.PodSpec
			switch object := object.(type) {
			case *appsv1.Deployment:
				pod = object.Spec.Template.Spec
			case *appsv1.StatefulSet:
				pod = object.Spec.Template.Spec
			default:
				continue
			}
			started++
			cmd, flags, err := NewRootCommand().Find(pod.Containers[0].Args)
			if err != nil || cmd.Name() != "endpoint" {
				t.Fatalf("%s: %v, %v", name, cmd, err)
			}
			if err := cmd.ParseFlags(flags); err != nil || cmd.Flags().NArg() > 0 {
				t.Errorf("%s: %v, %v", name, err, cmd.Flags().Args())
			}
		}
		if started != 1 {
			t.Errorf("%s: %d workloads", name, started)
		}
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
