package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

func TestByFile(t *testing.T) {
	dir := t.TempDir()
	const config = `global: {scrape_interval: 30s}
scrape_configs:
- job_name: one
  kubernetes_sd_configs:
  - {role: endpoints, namespaces: {names: [cx-operator-system]}, api_server: "https://x"}
  relabel_configs: [{source_labels: [job], target_label: kept}]
- job_name: all
  kubernetes_sd_configs: [{role: endpoints}]
`
	text, finders, err := byFile([]byte(config), dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(finders) != 2 || strings.Join(finders[0].namespaces, ",") != "cx-operator-system" || len(finders[1].namespaces) != 0 {
		t.Errorf("%+v", finders)
	}
	var got struct {
		ScrapeConfigs []struct {
			JobName string `json:"job_name"`
			FileSD  []struct {
				Files []string
			} `json:"file_sd_configs"`
			Kubernetes     any   `json:"kubernetes_sd_configs"`
			RelabelConfigs []any `json:"relabel_configs"`
		} `json:"scrape_configs"`
	}
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for i, job := range got.ScrapeConfigs {
		if job.Kubernetes != nil || len(job.FileSD) != 1 || job.FileSD[0].Files[0] != finders[i].file {
			t.Errorf("%s: %+v", job.JobName, job)
		}
		if empty, err := os.ReadFile(finders[i].file); err != nil || string(empty) != "[]" {
			t.Errorf("%s: %q, %v", finders[i].file, empty, err)
		}
	}
	if len(got.ScrapeConfigs) != 2 || len(got.ScrapeConfigs[0].RelabelConfigs) != 1 {
		t.Errorf("the rest is not as it was:\n%s", text)
	}
}

func TestByFileRefuses(t *testing.T) {
	for name, config := range map[string]string{
		"another role":  "scrape_configs: [{kubernetes_sd_configs: [{role: pod}]}]",
		"two ways":      "scrape_configs: [{kubernetes_sd_configs: [{role: endpoints}, {role: endpoints}]}]",
		"no Kubernetes": "scrape_configs: [{static_configs: []}]",
		"a job of text": "scrape_configs: [x]",
		"no YAML":       "[",
		"no jobs":       "global: {}",
	} {
		if text, finders, err := byFile([]byte(config), t.TempDir()); err == nil {
			t.Errorf("%s: %s %v", name, text, finders)
		}
	}
}

// Labels are those by which the Prometheus operator's relabelling picks and names targets.
func TestTargets(t *testing.T) {
	meta := func(name string, labels map[string]string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "sfo", Name: name, Labels: labels}
	}
	services := []corev1.Service{{ObjectMeta: meta("p", map[string]string{"cx-operator.io/program": "p"})}, {ObjectMeta: metav1.ObjectMeta{Namespace: "other", Name: "p"}}}
	pods := []corev1.Pod{{
		ObjectMeta: meta("p-0", map[string]string{"app": "x"}), Status: corev1.PodStatus{PodIP: "10.0.0.1", Phase: corev1.PodRunning},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "endpoint", Ports: []corev1.ContainerPort{{Name: "operations", ContainerPort: 8443}}}}},
	}}
	backends := []endpoints{{ObjectMeta: meta("p", nil), Subsets: []corev1.EndpointSubset{{ //nolint:staticcheck // of endpoints
		Addresses:         []corev1.EndpointAddress{{IP: "10.0.0.1", TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: "p-0"}}},
		NotReadyAddresses: []corev1.EndpointAddress{{IP: "fd00::1"}},
		Ports:             []corev1.EndpointPort{{Name: "operations", Port: 8443, Protocol: corev1.ProtocolTCP}},
	}}}}
	got := targets(services, backends, pods)
	if len(got) != 2 || got[0].Targets[0] != "10.0.0.1:8443" || got[1].Targets[0] != "[fd00::1]:8443" {
		t.Fatalf("%+v", got)
	}
	for name, want := range map[string]string{
		"namespace": "sfo", "service_name": "p", "service_label_cx_operator_io_program": "p",
		"service_labelpresent_cx_operator_io_program": "true", "endpoint_port_name": "operations", "endpoint_ready": "true",
		"endpoint_address_target_kind": "Pod", "endpoint_address_target_name": "p-0", "pod_name": "p-0", "pod_container_name": "endpoint",
		"pod_phase": "Running", "pod_label_app": "x",
	} {
		if is := got[0].Labels["__meta_kubernetes_"+name]; is != want {
			t.Errorf("%s is %q, want %q", name, is, want)
		}
	}
	if ready := got[1].Labels["__meta_kubernetes_endpoint_ready"]; ready != "false" {
		t.Errorf("an address that is not ready has %q", ready)
	}
}

func TestWriteIsWhatPrometheusReads(t *testing.T) {
	f := finder{file: filepath.Join(t.TempDir(), "targets.json")}
	if err := f.write([]entry{{[]string{"a:1"}, map[string]string{"b": "c"}}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(f.file)
	if err != nil || string(text) != `[{"targets":["a:1"],"labels":{"b":"c"}}]` || !json.Valid(text) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestReadMonitors(t *testing.T) {
	all, err := readMonitors(strings.NewReader("kind: Secret\n---\napiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: a}\nspec: {endpoints: [], selector: {}}\n"))
	if err != nil || len(all) != 1 || all[0].Name != "a" {
		t.Errorf("%v, %v", all, err)
	}
	for name, text := range map[string]string{"none": "kind: Secret\n", "no YAML": "a: ["} {
		if all, err := readMonitors(strings.NewReader(text)); err == nil {
			t.Errorf("%s: %v", name, all)
		}
	}
}
