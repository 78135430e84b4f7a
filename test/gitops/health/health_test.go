// Package health has Argo CD's own Lua machine and the kstatus library that Flux uses judge the objects in config/argocd, which test/gitops
// records from the operator at work.
package health

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const customizations = "../../../config/argocd/resource_customizations/cx-operator.io"

// kinds are all that the operator has.
var kinds = []string{"AccountabilityPolicy", "ActionPlan", "ResponseStore", "Review", "SurveyProgram", "Team", "Touchpoint"}

// suite is a health_test.yaml, as Argo CD's repository has them.
type suite struct {
	Tests []struct {
		InputPath    string `json:"inputPath"`
		HealthStatus struct {
			Status  string `json:"status"`
			Message string `json:"message"`
		} `json:"healthStatus"`
	} `json:"tests"`
}

// wanted is what kstatus must say of a recorded file.
var wanted = map[string]status.Status{
	"new.yaml": status.InProgressStatus, "edited.yaml": status.InProgressStatus, "waiting.yaml": status.InProgressStatus,
	"stalled.yaml": status.FailedStatus,
	"ready.yaml":   status.CurrentStatus, "missed.yaml": status.CurrentStatus, "overdue.yaml": status.CurrentStatus,
	"unheard.yaml": status.CurrentStatus, "unreachable.yaml": status.CurrentStatus, "overlap.yaml": status.CurrentStatus,
}

// never are states that a kind cannot be in: a policy refers to nothing by name, so there is nothing to wait for.
var never = map[string]string{"AccountabilityPolicy": "waiting.yaml"}

// always are the states that every other kind has.
var always = []string{"new.yaml", "edited.yaml", "waiting.yaml", "stalled.yaml", "ready.yaml"}

func TestKindsAreAllThatThereAre(t *testing.T) {
	entries, err := os.ReadDir(customizations)
	if err != nil {
		t.Fatal(err)
	}
	crds, err := filepath.Glob("../../../config/crd/bases/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(kinds) || len(crds) != len(kinds) {
		t.Errorf("%d health scripts and %d CRDs, want %d of each", len(entries), len(crds), len(kinds))
	}
}

func TestArgoCD(t *testing.T) {
	for _, kind := range kinds {
		script := string(read(t, filepath.Join(customizations, kind, "health.lua")))
		if first := string(read(t, filepath.Join(customizations, kinds[0], "health.lua"))); script != first {
			t.Errorf("health.lua of %s and of %s differ", kind, kinds[0])
		}
		var cases suite
		if err := yaml.UnmarshalStrict(read(t, filepath.Join(customizations, kind, "health_test.yaml")), &cases); err != nil {
			t.Fatal(err)
		}
		tested := map[string]bool{}
		for _, c := range cases.Tests {
			tested[filepath.Base(c.InputPath)] = true
			t.Run(kind+"/"+filepath.Base(c.InputPath), func(t *testing.T) {
				vm := lua.VM{} // without the libraries that Argo CD withholds from scripts of its users
				got, err := vm.ExecuteHealthLua(object(t, filepath.Join(customizations, kind, c.InputPath)), script)
				if err != nil {
					t.Fatal(err)
				}
				if string(got.Status) != c.HealthStatus.Status || got.Message != c.HealthStatus.Message {
					t.Errorf("health = %s %q, want %s %q", got.Status, got.Message, c.HealthStatus.Status, c.HealthStatus.Message)
				}
			})
		}
		for _, file := range recorded(t, kind) {
			if !tested[file] {
				t.Errorf("health_test.yaml of %s has no case for %s", kind, file)
			}
		}
	}
}

// TestConfigMap takes the scripts as an installation of Argo CD would: out of the patch for argocd-cm.
func TestConfigMap(t *testing.T) {
	var config struct {
		Data map[string]string `json:"data"`
	}
	if err := yaml.Unmarshal(read(t, "../../../config/argocd/argocd-cm.yaml"), &config); err != nil {
		t.Fatal(err)
	}
	if len(config.Data) != len(kinds) {
		t.Errorf("%d entries in argocd-cm.yaml, want %d", len(config.Data), len(kinds))
	}
	for _, kind := range kinds {
		script := config.Data["resource.customizations.health.cx-operator.io_"+kind]
		if script != string(read(t, filepath.Join(customizations, kind, "health.lua"))) {
			t.Errorf("argocd-cm.yaml has another script for %s than its health.lua: run 'make generate'", kind)
		}
		vm := lua.VM{}
		got, err := vm.ExecuteHealthLua(object(t, filepath.Join(customizations, kind, "testdata", "ready.yaml")), script)
		if err != nil || got.Status != "Healthy" {
			t.Errorf("%s: health = %v, %v", kind, got, err)
		}
	}
}

func TestKstatus(t *testing.T) {
	for _, kind := range kinds {
		files := recorded(t, kind)
		for _, file := range files {
			t.Run(kind+"/"+file, func(t *testing.T) {
				result, err := status.Compute(object(t, filepath.Join(customizations, kind, "testdata", file)))
				if err != nil {
					t.Fatal(err)
				}
				if want, known := wanted[file]; !known || result.Status != want {
					t.Errorf("kstatus = %s (%s), want %s", result.Status, result.Message, want)
				}
			})
		}
	}
}

// recorded are the files of a kind. All of those that it must have are among them.
func recorded(t *testing.T, kind string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(customizations, kind, "testdata", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	var names []string
	for _, path := range found {
		files[filepath.Base(path)] = true
		names = append(names, filepath.Base(path))
	}
	for _, file := range always {
		if files[file] == (never[kind] == file) {
			t.Errorf("%s has testdata/%s: %t, want %t", kind, file, files[file], !files[file])
		}
	}
	return names
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// object reads one as the API server would send it, with whole numbers as such.
func object(t *testing.T, path string) *unstructured.Unstructured {
	t.Helper()
	content, err := yaml.YAMLToJSON(read(t, path))
	if err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(content); err != nil {
		t.Fatal(err)
	}
	return o
}
