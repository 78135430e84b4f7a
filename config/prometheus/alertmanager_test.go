package prometheus

import (
	"strings"
	"testing"
)

const example = "alertmanager-example.yaml"

func TestAlertmanagerExampleIsValid(t *testing.T) {
	run(t, "amtool", "check-config", example)
}

// Whom the example tells of what: every alert of the shipped rules, of teams that have a route, have none, or do not exist.
func TestAlertmanagerExampleRoutes(t *testing.T) {
	const office = "customer-experience-office"
	labels := func(alert, severity, team string) []string {
		all := []string{"alertname=" + alert, "severity=" + severity, "namespace=sfo", "program=passenger-experience"}
		if team != "" {
			all = append(all, "team="+team)
		}
		return all
	}
	tested := map[string]bool{}
	for _, r := range shipped(t) {
		severity := r.Labels["severity"]
		tested[severity] = true
		for _, team := range []string{"concessions", "airport", "security", ""} {
			var want []string
			to := office
			if severity != "info" && (team == "concessions" || team == "airport") {
				to = team
			}
			switch r.Alert {
			case "CXEndpointDown":
				team, want = "platform", []string{"platform-on-call"}
			case "CXObjectiveStale":
				want = []string{"platform", to}
			default:
				want = []string{to}
			}
			got := routed(t, labels(r.Alert, severity, team))
			if strings.Join(got, ",") != strings.Join(want, ",") {
				t.Errorf("%s of team %q goes to %v, want %v", r.Alert, team, got, want)
			}
		}
	}
	if len(tested) != 3 {
		t.Errorf("only severities %v were tested", tested)
	}
	// Another namespace's team of the same name is somebody else.
	if got := routed(t, []string{"alertname=CXPlanMissing", "severity=warning", "namespace=other", "team=concessions"}); len(got) != 1 || got[0] != office {
		t.Errorf("a team of another namespace: %v", got)
	}
}

// routed are the receivers of an alert, in the order of the routes.
func routed(t *testing.T, labels []string) []string {
	t.Helper()
	out := run(t, "amtool", append([]string{"config", "routes", "test", "--config.file=" + example}, labels...)...)
	return strings.FieldsFunc(strings.TrimSpace(out), func(r rune) bool { return r == ',' || r == '\n' })
}
