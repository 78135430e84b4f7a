package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/validate"
	"github.com/cx-operator/cx-operator/internal/version"
)

const (
	goodTeam = "apiVersion: cx-operator.io/v1alpha1\nkind: Team\nmetadata: {name: a}\nspec: {displayName: A, level: Company}\n"
	badTeam  = "apiVersion: cx-operator.io/v1alpha1\nkind: Team\nmetadata: {name: b}\nspec: {displayName: B, level: Location, parentRef: {name: gone}}\n"
)

// run runs the command line in a folder with good.yaml and bad.yaml.
func run(t *testing.T, stdin string, args ...string) (code int, out, errOut string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"good.yaml": goodTeam, "bad.yaml": badTeam} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	var stdout, stderr bytes.Buffer
	code = Main(t.Context(), args, strings.NewReader(stdin), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestValidate(t *testing.T) {
	const (
		problem = "bad.yaml:4: Team default/b: spec.parentRef.name: there is no Team \"gone\" in the namespace\n"
		help    = "See cx-operator --help.\n"
	)
	for name, c := range map[string]struct {
		args        string
		stdin       string
		code        int
		out, errOut string
	}{
		"good":                  {"validate good.yaml", "", 0, "1 file, 1 resource, 0 problems\n", ""},
		"bad":                   {"validate bad.yaml", "", 1, problem + "1 file, 1 resource, 1 problem\n", ""},
		"a folder":              {"validate .", "", 1, problem + "2 files, 2 resources, 1 problem\n", ""},
		"stdin":                 {"validate -", goodTeam, 0, "1 file, 1 resource, 0 problems\n", ""},
		"stdin meets a file":    {"validate bad.yaml -", strings.Replace(goodTeam, "name: a", "name: gone", 1), 0, "2 files, 2 resources, 0 problems\n", ""},
		"a namespace":           {"validate -n sfo bad.yaml", "", 1, strings.Replace(problem, "default", "sfo", 1) + "1 file, 1 resource, 1 problem\n", ""},
		"a partial set":         {"validate --allow-missing bad.yaml", "", 0, "warning: " + problem + "1 file, 1 resource, 0 problems, 1 warning\n", ""},
		"no file":               {"validate", "", 2, "", "Error: requires at least 1 arg(s), only received 0\n" + help},
		"a missing file":        {"validate none.yaml", "", 2, "", "Error: stat none.yaml: no such file or directory\n"},
		"an unknown flag":       {"validate --fast good.yaml", "", 2, "", "Error: unknown flag: --fast\n" + help},
		"an unknown output":     {"validate -o xml good.yaml", "", 2, "", "Error: --output \"xml\" is unknown, write text or json\n"},
		"an unknown subcommand": {"frobnicate good.yaml", "", 2, "", "Error: unknown command \"frobnicate\" for \"cx-operator\"\n" + help},
		"version":               {"version", "", 0, version.Version + "\n", ""},
		"version of what":       {"version 2", "", 2, "", "Error: unknown command \"2\" for \"cx-operator version\"\n" + help},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := run(t, c.stdin, strings.Fields(c.args)...)
			if code != c.code || out != c.out || errOut != c.errOut {
				t.Errorf("exit code %d, want %d\nout: %s%s", code, c.code, cmp.Diff(c.out, out), cmp.Diff(c.errOut, errOut))
			}
		})
	}
}

func TestValidateJSON(t *testing.T) {
	code, out, _ := run(t, "", "validate", "-o", "json", ".")
	var got validate.Report
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if code != 1 || got.Files != 2 || got.Resources != 2 || len(got.Problems) != 1 || got.Problems[0].Field != "spec.parentRef.name" {
		t.Errorf("exit code %d, report %+v", code, got)
	}
	if !strings.Contains(out, `"warnings": []`) {
		t.Errorf("an empty list is not written as one: %s", out)
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"help", "validate"}} {
		code, out, errOut := run(t, "", args...)
		if code != 0 || errOut != "" || !strings.Contains(out, "validate") {
			t.Errorf("%v: exit code %d, out %q, error %q", args, code, out, errOut)
		}
	}
}
