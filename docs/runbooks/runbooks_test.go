// Package runbooks runs the commands of the runbooks against a real API server.
package runbooks

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cx-operator/cx-operator/hack/pinned"
	"github.com/cx-operator/cx-operator/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Start(m)) }

// missed is a status as the operator writes it.
const missed = `{"status":{"objectives":[{"name":"satisfaction","state":"Missed","score":"55.72","lower":"53.74","upper":"57.69",
"target":"65","responses":2421,"stateSince":"2026-11-21T08:00:00Z"}],"breaches":[{"type":"ObjectiveMissed","objective":"satisfaction",
"since":"2026-11-21T08:00:00Z","planRef":{"name":"better-food"}},{"type":"ConsistentlyLow","objective":"satisfaction",
"since":"2026-11-21T08:00:00Z"},{"type":"FollowUpOverdue","item":"cases","since":"2026-11-21T08:00:00Z"}],
"cases":{"open":4,"overdue":1,"kept":18,"due":20,"sharePercent":"90.00"}}}`

// review is one that the operator opened.
const review = `{"apiVersion":"cx-operator.io/v1alpha1","kind":"Review","metadata":{"name":"passenger-experience-2026-w46","namespace":"sfo"},
"spec":{"programRef":{"name":"passenger-experience"},"period":{"from":"2026-11-09","to":"2026-11-15"}}}`

// unseen are the lines that need a kubelet, a running operator, Prometheus or a person.
var unseen = regexp.MustCompile(`^kubectl .*\b(logs|rollout|edit|describe)\b.*$`)

var fence = regexp.MustCompile("(?ms)^( *)```sh\n(.*?)\n *```")

// script is all the commands of a page, one after the other, as somebody would type them.
func script(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"set -eu"}
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		for _, line := range strings.Split(m[2], "\n") {
			if line = strings.TrimPrefix(line, m[1]); !unseen.MatchString(line) {
				lines = append(lines, line)
			}
		}
	}
	return strings.Join(lines, "\n")
}

// bash runs commands with kubectl of the control plane's version and its configuration.
func bash(t *testing.T, commands string) string {
	t.Helper()
	assets, err := pinned.Assets(testenv.Root())
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(config, testenv.KubeConfig(t), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", commands)
	cmd.Dir = testenv.Root()
	cmd.Env = append(os.Environ(), "KUBECONFIG="+config, "PATH="+assets+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\nin:\n%s", err, out, commands)
	}
	return string(out)
}

func TestCommandsWork(t *testing.T) {
	bash(t, `set -eu
kubectl create namespace cx-operator-system
kubectl apply -f config/samples/airport -f config/samples/action-plan.yaml
kubectl -n sfo patch touchpoint food --subresource=status --type merge -p '`+missed+`'
kubectl apply -f - <<'EOF'
`+review+`
EOF`)
	pages, err := filepath.Glob("*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	want := map[string]string{
		"CXObjectiveMissed.md":    "satisfaction: Missed, 55.72 (53.74 to 57.69), target 65, 2421 answers, since 2026-11-21T08:00:00Z\nObjectiveMissed satisfaction since 2026-11-21T08:00:00Z, plan better-food\n",
		"CXPlanMissing.md":        "actionplan.cx-operator.io/better-shops created",
		"CXPlanUnacknowledged.md": "actionplan.cx-operator.io/better-food patched",
		"CXPlanOverdue.md":        "late-hours: InProgress, due 20",
		"CXActionOverdue.md":      "menu-boards: NotStarted, due 20",
		"CXOwnerMissing.md":       "touchpoint.cx-operator.io/rental-cars patched",
		"CXUnmeasured.md":         "recommend NPS",
		"CXSponsorMissing.md":     "surveyprogram.cx-operator.io/passenger-experience patched",
		"CXObjectiveStale.md":     "responsestore.cx-operator.io/responses",
		"CXEndpointDown.md":       "passenger-experience",
		"CXFollowUpOverdue.md":    "cases since 2026-11-21T08:00:00Z",
		"CXConsistentlyLow.md":    "satisfaction since 2026-11-21T08:00:00Z",
		"CXReviewMissed.md":       "review.cx-operator.io/passenger-experience-2026-w46 patched",
		"CXSponsorSilent.md":      "surveyprogram.cx-operator.io/passenger-experience patched",
		"CXHandoffUncovered.md":   "touchpoint.cx-operator.io/rental-cars patched",
		"CXNoActionTaken.md":      "actionplan.cx-operator.io/better-food patched",
	}
	for _, page := range pages {
		t.Run(page, func(t *testing.T) {
			if got := bash(t, script(t, page)); want[page] == "" || !strings.Contains(got, want[page]) {
				t.Errorf("want %q in:\n%s", want[page], got)
			}
		})
	}
}
