package monitoring

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/test/monitoring/harness"
	"github.com/cx-operator/cx-operator/test/pgtest"
	"github.com/cx-operator/cx-operator/test/testenv"
)

const (
	// rulesFaster and routesFaster are by how much the shipped rules and the shipped example of Alertmanager's configuration
	// are hastened: what takes five minutes takes six seconds, and a group of alerts is told of again after two. Nothing
	// else of them is changed.
	rulesFaster, routesFaster = 50, 300
	// scrapeEvery takes the place of the ServiceMonitors' 30 s. A scrape may take as long: less would fail on a machine that
	// runs other tests beside, and an alert would end because of that.
	scrapeEvery = 2 * time.Second

	runbookURLs = "https://github.com/cx-operator/cx-operator/blob/main/"
	fairness    = "a signal about the customers' experience, not about anyone's performance"
)

// scene is a cluster with customers and teams, and the monitoring around it.
type scene struct {
	*cluster
	postgres   *pgtest.Server
	dedicated  *dedicated
	prometheus *harness.Prometheus
	receiver   *harness.Receiver
}

// TestMonitoring goes through some days of an airport and a shop, one after the other, as whoever is on call sees them.
func TestMonitoring(t *testing.T) {
	s := &scene{cluster: newCluster(t)}
	s.open()
	s.watch()
	for _, part := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"what is scraped", func(t *testing.T) { testTargets(t, s.prometheus) }},
		{"a missed objective and a missing owner are told", s.breachesAreTold},
		{"dashboards", s.dashboards},
		{"an owner is named", s.ownerIsNamed},
		{"the hours to acknowledge pass", s.hoursPass},
		{"the objective recovers", s.objectiveRecovers},
		{"the store is away", s.storeIsAway},
		{"an endpoint is down", s.endpointIsDown},
		{"the manager is down", s.managerIsDown},
	} {
		if !t.Run(part.name, part.run) {
			break // the next ones go on from here
		}
	}
	if t.Failed() {
		for _, a := range s.receiver.All() {
			t.Log(a)
		}
	}
}

// open starts what there is to watch: programs on SQLite and PostgreSQL, one with an endpoint of its own and one with a policy, and
// people who use them.
func (s *scene) open() {
	s.Helper()
	var err error
	if s.postgres, err = pgtest.Start(pgtest.Options{}); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		if err := s.postgres.Stop(); err != nil {
			s.Error(err)
		}
	})
	s.applyFiles("config/samples/airport/*.yaml", "test/monitoring/testdata/*.yaml")
	connection := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: shopNamespace, Name: "orders-db"}, StringData: map[string]string{"uri": s.postgres.DSN(nil)},
	}
	if err := s.c.Create(s.Context(), connection); err != nil {
		s.Fatal(err)
	}
	s.patch(&v1alpha1.SurveyProgram{}, airportNamespace, airportProgram,
		`{"spec":{"access":{"robots":{"minimumSeconds":0},"invitations":{"cooldown":{"program":{"afterInvitationDays":30}}}}}}`)
	s.operate(0)
	s.awaitReady(airportNamespace)
	s.awaitReady(shopNamespace)
	s.awaitReady(cafeNamespace)
	s.importAirport()
	s.importOrders(40, 7)
	s.customers()
	s.applyText(fmt.Sprintf(`apiVersion: cx-operator.io/v1alpha1
kind: ActionPlan
metadata: {name: better-shops, namespace: sfo}
spec:
  touchpointRef: {name: shops}
  objective: satisfaction
  problem: Shops close before the last flight.
  dueDate: %q
  state: InProgress
  acknowledgement: {by: Head of Concessions, time: %q}
  actions:
  - {name: evening-hours, description: Keep one shop open until the last departure., dueDate: %q}
`, time.Now().AddDate(0, 1, 0).Format(time.DateOnly), time.Now().Add(3*time.Hour).Format(time.RFC3339),
		time.Now().AddDate(0, 0, -3).Format(time.DateOnly)))
	s.visitCafe()
	s.cluster.operate(2 * time.Hour) // figures of participation are of full hours, and promises pass with theirs
	s.dedicated = s.dedicate()
	s.dedicated.start()
}

// watch starts Prometheus as the ServiceMonitors say, with the shipped rules, and Alertmanager with the shipped routes.
func (s *scene) watch() {
	s.Helper()
	s.receiver = harness.StartReceiver(s.T)
	routes, err := harness.Hasten(s.file("config/prometheus/alertmanager-example.yaml"), routesFaster)
	if err == nil {
		routes, err = harness.DeliverTo(routes, s.receiver.URL)
	}
	if err != nil {
		s.Fatal(err)
	}
	rules, err := harness.Hasten(s.file("config/prometheus/rules.yaml"), rulesFaster)
	if err != nil {
		s.Fatal(err)
	}
	reads := func(resources ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{""}, Resources: resources, Verbs: []string{"get", "list"}}
	}
	scrape := harness.ScrapeConfigs(s.T, harness.ServiceMonitors{
		Manifests: s.file("config/prometheus/servicemonitors.yaml"), Every: scrapeEvery,
		Kubeconfig: s.kubeconfig("monitoring", s.account("prometheus-operator", reads("secrets", "configmaps", "services", "endpoints", "pods"))),
		Token:      s.account("prometheus", rbacv1.PolicyRule{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}),
	})
	alertmanager := harness.StartAlertmanager(s.T, routes)
	s.prometheus = harness.StartPrometheus(s.T, harness.PrometheusConfig{
		Scrape: scrape, Rules: rules, Alertmanager: alertmanager.Address, Evaluate: scrapeEvery,
	})
}

func (s *scene) file(path string) []byte {
	s.Helper()
	text, err := os.ReadFile(filepath.Join(testenv.Root(), path))
	if err != nil {
		s.Fatal(err)
	}
	return text
}

// delivered waits for an alert and holds it to what every alert must say.
func (s *scene) delivered(t *testing.T, from int, receiver, name string, labels map[string]string) harness.Alert {
	t.Helper()
	a := s.receiver.Await(t, from, patience, harness.Alert{Receiver: receiver, Status: "firing", Labels: named(name, labels)})
	runbook, _ := strings.CutPrefix(a.Annotations["runbook_url"], runbookURLs)
	if _, err := os.Stat(filepath.Join(testenv.Root(), runbook)); runbook == "" || err != nil {
		t.Errorf("%s: runbook %q: %v", name, a.Annotations["runbook_url"], err)
	}
	if a.Annotations["summary"] == "" || a.Labels["team"] == "" || a.Labels["severity"] == "" {
		t.Errorf("%s says only %v, %v", name, a.Labels, a.Annotations)
	}
	if name != "CXEndpointDown" && !strings.Contains(a.Annotations["description"], fairness) {
		t.Errorf("%s does not say that it is %s: %s", name, fairness, a.Annotations["description"])
	}
	return a
}

// named are labels with the name of the alert.
func named(alert string, labels map[string]string) map[string]string {
	all := map[string]string{"alertname": alert}
	maps.Copy(all, labels)
	return all
}

// resolved waits until an alert is told to be over.
func (s *scene) resolved(t *testing.T, from int, name string, labels map[string]string) {
	t.Helper()
	s.receiver.Await(t, from, patience, harness.Alert{Status: "resolved", Labels: named(name, labels)})
}

// soFar is how many alerts were delivered.
func (s *scene) soFar() int { return len(s.receiver.All()) }

var (
	foodMissed = map[string]string{
		"namespace": airportNamespace, "program": airportProgram, "kind": "Touchpoint", "name": "food", "objective": "satisfaction",
		"team": "concessions", "severity": "warning",
	}
	carsUnowned = map[string]string{
		"namespace": airportNamespace, "program": airportProgram, "kind": "Touchpoint", "name": "rental-cars", "team": "airport", "severity": "warning",
	}
)

func (s *scene) breachesAreTold(t *testing.T) {
	a := s.delivered(t, 0, "concessions", "CXObjectiveMissed", foodMissed)
	s.delivered(t, 0, "airport", "CXOwnerMissing", carsUnowned)
	if !strings.Contains(a.Annotations["description"], "the target 65.") {
		t.Errorf("the description has no target: %s", a.Annotations["description"])
	}
}

// dashboards asks what the dashboards ask, while customers come and some are refused.
func (s *scene) dashboards(t *testing.T) {
	for _, busy := range []string{
		`rate(cx_response_commit_duration_seconds_count{job="cx-operator"}[20s]) > 0`, `sum(rate(cx_responses_rejected_total[20s])) > 0`,
		`sum(rate(cx_responses_accepted_total[20s])) > 0`, `sum(rate(cx_survey_page_views_total[20s])) > 0`, `cx_endpoint_readable`,
		`cx_endpoint_ready_replicas == 1`,
		`cx_follow_up_kept_ratio`, `cx_cases_overdue == 1`, `cx_action_plan_effect{verdict="Improved"} == 1`, `cx_action_plan_change_lower > 0`,
		`cx_review_held_timestamp_seconds`, `cx_notifications_pending + cx_notifications_dead > 0`, `cx_team_open_plans > 0`,
	} {
		harness.Eventually(t, patience, busy, func() error {
			s.pay()
			found, err := s.prometheus.Query(t.Context(), busy)
			if err == nil && len(found) == 0 {
				err = errors.New("no series")
			}
			return err
		})
	}
	testDashboards(t, s.prometheus)
}

func (s *scene) ownerIsNamed(t *testing.T) {
	from := s.soFar()
	s.patch(&v1alpha1.Touchpoint{}, airportNamespace, "rental-cars", `{"spec":{"ownerRef":{"name":"ground-transport"}}}`)
	s.resolved(t, from, "CXOwnerMissing", carsUnowned)
}

// hoursPass sets the operator's clock past the hours within which the plan for food was to be acknowledged.
func (s *scene) hoursPass(t *testing.T) {
	var plans v1alpha1.ActionPlanList
	if err := s.c.List(t.Context(), &plans, client.InNamespace(airportNamespace)); err != nil {
		t.Fatal(err)
	}
	name := ""
	for _, p := range plans.Items {
		if p.Spec.Acknowledgement == nil && p.Spec.TouchpointRef != nil && p.Spec.TouchpointRef.Name == "food" {
			name = p.Name
		}
	}
	labels := map[string]string{
		"namespace": airportNamespace, "program": airportProgram, "kind": "ActionPlan", "name": name, "objective": "satisfaction",
		"team": "concessions", "severity": "warning",
	}
	from := s.soFar()
	s.cluster.operate(50 * time.Hour)
	s.delivered(t, from, "concessions", "CXPlanUnacknowledged", labels)
	s.patch(&v1alpha1.ActionPlan{}, airportNamespace, name, `{"spec":{"state":"InProgress","acknowledgement":{"by":"Head of Concessions","time":"`+time.Now().UTC().Format(time.RFC3339)+`"}}}`)
	s.resolved(t, from, "CXPlanUnacknowledged", labels)
}

func (s *scene) objectiveRecovers(t *testing.T) {
	from := s.soFar()
	s.patch(&v1alpha1.Touchpoint{}, airportNamespace, "food", `{"spec":{"objectives":[{"name":"satisfaction","question":"food","metric":"CSAT","target":50,"windowDays":90}]}}`)
	s.resolved(t, from, "CXObjectiveMissed", foodMissed)
}

// storeIsAway: while PostgreSQL is down, the shop's verdict is told to be out of date, and nothing else is said of the shop.
func (s *scene) storeIsAway(t *testing.T) {
	const states = `cx_objective_state{namespace="shop",program="orders"} == 1`
	before := s.only(t, states)
	stale := map[string]string{"namespace": shopNamespace, "program": "orders", "objective": "easy", "team": "sales", "severity": "warning"}
	from := s.soFar()
	if err := s.postgres.Shutdown(); err != nil {
		t.Fatal(err)
	}
	s.delivered(t, from, "platform", "CXObjectiveStale", stale)
	s.delivered(t, from, "customer-experience-office", "CXObjectiveStale", stale) // no route names the team sales
	if state := s.only(t, states); state != "Stale" {
		t.Errorf("the state is %s, not Stale", state)
	}
	s.nothingElse(t, from, "CXObjectiveStale", map[string]string{"namespace": shopNamespace})
	if found, err := s.prometheus.Query(t.Context(), `cx_accountability_breach{namespace="shop"}`); err != nil || len(found) > 0 {
		t.Errorf("breaches were invented: %v, %v", found, err)
	}
	if err := s.postgres.Restart(); err != nil {
		t.Fatal(err)
	}
	s.resolved(t, from, "CXObjectiveStale", stale)
	harness.Eventually(t, patience, "the verdict is as before", func() error {
		if now := s.only(t, states); now != before {
			return fmt.Errorf("%s, not %s", now, before)
		}
		return nil
	})
}

// only is the label state of the one series of a query.
func (s *scene) only(t *testing.T, expr string) string {
	t.Helper()
	found, err := s.prometheus.Query(t.Context(), expr)
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", expr, found, err)
	}
	return found[0].Labels["state"]
}

// nothingElse fails the test where another alert than the named one began to fire.
func (s *scene) nothingElse(t *testing.T, from int, name string, labels map[string]string) {
	t.Helper()
	for _, a := range s.receiver.All()[from:] {
		same := true
		for label, value := range labels {
			same = same && a.Labels[label] == value
		}
		if a.Status == "firing" && a.Name() != name && same {
			t.Errorf("delivered as well: %s", a)
		}
	}
}

// endpointIsDown: the one pod of a Dedicated program is gone, and with it all that could be scraped of it.
func (s *scene) endpointIsDown(t *testing.T) {
	down := map[string]string{
		"job": "cx-operator-endpoint", "namespace": shopNamespace, "program": dedicatedProgram, "team": "platform", "severity": "critical",
	}
	from := s.soFar()
	s.dedicated.stop()
	s.delivered(t, from, "platform-on-call", "CXEndpointDown", down)
	s.nothingElse(t, from, "CXEndpointDown", map[string]string{"namespace": shopNamespace})
	s.dedicated.start()
	s.resolved(t, from, "CXEndpointDown", down)
}

// managerIsDown: nothing of programs is told meanwhile but that the manager is down.
func (s *scene) managerIsDown(t *testing.T) {
	down := map[string]string{"job": "cx-operator", "namespace": operatorNamespace, "team": "platform", "severity": "critical"}
	from := s.soFar()
	s.rest()
	s.delivered(t, from, "platform-on-call", "CXEndpointDown", down)
	s.nothingElse(t, from, "CXEndpointDown", nil)
	s.cluster.operate(50 * time.Hour)
	s.resolved(t, from, "CXEndpointDown", down)
}
