package chart

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cx-operator/cx-operator/test/testenv"
)

// shipped reads a file of the repository, with one object or several.
func shipped(t *testing.T, path ...string) objects {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{testenv.Root()}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, text)
}

func same(t *testing.T, what string, got, want *unstructured.Unstructured, fields ...string) {
	t.Helper()
	g, _, err := unstructured.NestedFieldNoCopy(got.Object, fields...)
	if err != nil {
		t.Fatal(err)
	}
	w, found, err := unstructured.NestedFieldNoCopy(want.Object, fields...)
	if err != nil || !found {
		t.Fatalf("%s has no %v: %v", what, fields, err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("%s: %v differs (-want +got):\n%s", what, fields, diff)
	}
}

// The chart and the files for kustomize users say the same, so that neither has rights or alerts that the other lacks.
func TestChartSaysWhatTheManifestsSay(t *testing.T) {
	all := render(t, everything+"embedded: {enabled: true}\n")
	role := shipped(t, "config", "rbac", "role.yaml").need(t, "ClusterRole/cx-operator-manager")
	same(t, "the manager's role", all.need(t, "ClusterRole/cx-operator-manager"), role, "rules")
	for file, name := range map[string]string{"leader_election_role.yaml": "cx-operator-leader-election", "own_role.yaml": "cx-operator-own"} {
		for _, kind := range []string{"Role", "RoleBinding"} {
			field := map[string]string{"Role": "rules", "RoleBinding": "subjects"}[kind]
			same(t, file, all.need(t, kind+"/"+name), shipped(t, "config", "rbac", file).need(t, kind+"/"+name), field)
		}
	}
	rights := shipped(t, "config", "rbac", "feedback_role.yaml")
	for _, kind := range []string{"Role", "ClusterRole"} {
		same(t, "the rights to serve cases", all.need(t, kind+"/cx-operator-feedback"), rights.need(t, kind+"/cx-operator-feedback"), "rules")
		same(t, "the rights to serve cases", all.need(t, kind+"Binding/cx-operator-feedback"), rights.need(t, kind+"Binding/cx-operator-feedback"), "subjects")
	}
	service := "APIService/v1alpha1.feedback.cx-operator.io"
	same(t, service, all.need(t, service), shipped(t, "config", "feedback", "apiservice.yaml").need(t, service), "spec")
	known := "RoleBinding/cx-operator-feedback-authentication-reader"
	same(t, known, all.need(t, known), shipped(t, "config", "feedback", "authentication_reader.yaml").need(t, known), "subjects")
	ports := shipped(t, "config", "manager", "manager.yaml").need(t, "Service/cx-operator-feedback")
	same(t, "the Service of the feedback API", all.need(t, "Service/cx-operator-feedback"), ports, "spec", "ports")

	reader := "ClusterRole/cx-operator-metrics-reader"
	same(t, reader, all.need(t, reader), shipped(t, "config", "rbac", "metrics_reader_role.yaml").need(t, reader), "rules")

	files, err := filepath.Glob(filepath.Join(testenv.Root(), "config", "crd", "bases", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d CRDs, %v", len(files), err)
	}
	for _, file := range files {
		crd := shipped(t, "config", "crd", "bases", filepath.Base(file))[0]
		same(t, crd.GetName(), all.need(t, "CustomResourceDefinition/"+crd.GetName()), crd, "spec")
	}
	rule := shipped(t, "config", "prometheus", "prometheusrule.yaml")[0]
	same(t, "the alerts", all.need(t, "PrometheusRule/cx-operator"), rule, "spec")
}

func TestServiceMonitorsAreThoseOfTheManifests(t *testing.T) {
	all := render(t, "serviceMonitor: {enabled: true}")
	manifests := shipped(t, "config", "prometheus", "servicemonitors.yaml")
	for _, name := range []string{"ServiceMonitor/cx-operator", "ServiceMonitor/cx-operator-endpoints"} {
		got, want := all.need(t, name), manifests.need(t, name)
		same(t, name, got, want, "spec", "endpoints")
	}
	endpoints := "ServiceMonitor/cx-operator-endpoints"
	same(t, endpoints, all.need(t, endpoints), manifests.need(t, endpoints), "spec")
}

// Each dashboard is a ConfigMap with the file as it is, and the label that sidecars look for.
func TestDashboards(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.Root(), "config", "grafana", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d dashboards, %v", len(files), err)
	}
	all := render(t, everything)
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Base(file)
		name := "cx-operator-dashboard-" + base[:len(base)-len(".json")]
		config := all.need(t, "ConfigMap/"+name)
		data, _, err := unstructured.NestedString(config.Object, "data", base)
		if err != nil || data != string(want) {
			t.Errorf("%s does not hold %s as it is (%v)", name, base, err)
		}
		if config.GetLabels()["grafana_dashboard"] != "1" || config.GetNamespace() != "monitoring" || config.GetAnnotations()["grafana_folder"] != "CX" {
			t.Errorf("metadata of %s: %v", name, config.Object["metadata"])
		}
		dashboard := all.need(t, "GrafanaDashboard/"+name)
		same(t, name, dashboard, &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
			"instanceSelector": map[string]any{"matchLabels": map[string]any{"dashboards": "grafana"}}, "allowCrossNamespaceImport": true,
			"folder": "Customer experience", "configMapRef": map[string]any{"name": name, "key": base},
		}}}, "spec")
	}
	if objects := render(t, ""); objects.find(t, "ConfigMap/cx-operator-dashboard-"+filepath.Base(files[0])) != nil {
		t.Error("dashboards that nobody asked for")
	}
}
