package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"
)

// finder finds the targets of one job: the ports of Endpoints, as Prometheus' service discovery of role "endpoints" does.
type finder struct {
	namespaces []string // none are all
	file       string   // for Prometheus
}

// byFile has a configuration find its targets in files instead of Kubernetes, which a Prometheus may be built without, as
// Debian's is. It returns what writes the files.
func byFile(config []byte, dir string) ([]byte, []finder, error) {
	var all map[string]any
	if err := yaml.Unmarshal(config, &all); err != nil {
		return nil, nil, err
	}
	jobs, ok := all["scrape_configs"].([]any)
	if !ok {
		return nil, nil, errors.New("no scrape_configs")
	}
	var finders []finder
	for i, job := range jobs {
		own, ok := job.(map[string]any)
		if !ok {
			return nil, nil, fmt.Errorf("scrape configuration %d is %v", i, job)
		}
		f, err := replace(own, filepath.Join(dir, fmt.Sprintf("targets-%d.json", i)))
		if err != nil {
			return nil, nil, err
		}
		finders = append(finders, f)
	}
	text, err := yaml.Marshal(all)
	return text, finders, err
}

// replace changes the service discovery of one job.
func replace(job map[string]any, file string) (finder, error) {
	const inKubernetes = "kubernetes_sd_configs"
	text, err := yaml.Marshal(job[inKubernetes])
	if err != nil {
		return finder{}, err
	}
	var ways []struct {
		Role       string
		Namespaces struct{ Names []string }
	}
	if err := yaml.Unmarshal(text, &ways); err != nil {
		return finder{}, err
	}
	if len(ways) != 1 || ways[0].Role != "endpoints" {
		return finder{}, fmt.Errorf("service discovery other than one of role endpoints: %s", text)
	}
	delete(job, inKubernetes)
	job["file_sd_configs"] = []any{map[string]any{"files": []string{file}}}
	return finder{ways[0].Namespaces.Names, file}, os.WriteFile(file, []byte("[]"), private)
}

// private is the mode of files with secrets.
const private = 0o600

// run writes the targets again and again until the context ends. What cannot be read for the time being stays as it was.
func (f finder) run(ctx context.Context, client kubernetes.Interface) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		entries, err := f.look(ctx, client)
		if err == nil {
			err = f.write(entries)
		}
		if err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "scrapeconfig:", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// entry is one target in a file that Prometheus reads.
type entry struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

func (f finder) look(ctx context.Context, client kubernetes.Interface) ([]entry, error) {
	entries := []entry{}
	namespaces := f.namespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	for _, namespace := range namespaces {
		services, err := client.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		backends, err := client.CoreV1().Endpoints(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		pods, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		entries = append(entries, targets(services.Items, backends.Items, pods.Items)...)
	}
	return entries, nil
}

// endpoints are what the Prometheus operator's default role of service discovery reads, deprecated or not.
type endpoints = corev1.Endpoints //nolint:staticcheck // see above

// targets are the addresses and ports of Endpoints, with the labels of their Services and pods.
func targets(services []corev1.Service, backends []endpoints, pods []corev1.Pod) []entry {
	var entries []entry
	for _, b := range backends {
		common := map[string]string{"namespace": b.Namespace, "endpoints_name": b.Name}
		for _, s := range services {
			if s.Namespace == b.Namespace && s.Name == b.Name {
				common["service_name"] = s.Name
				describe(common, "service", s.Labels)
			}
		}
		for _, subset := range b.Subsets {
			for _, port := range subset.Ports {
				for _, a := range subset.Addresses {
					entries = append(entries, one(common, "true", port, a, pods))
				}
				for _, a := range subset.NotReadyAddresses {
					entries = append(entries, one(common, "false", port, a, pods))
				}
			}
		}
	}
	return entries
}

func one(common map[string]string, ready string, port corev1.EndpointPort, a corev1.EndpointAddress, pods []corev1.Pod) entry {
	own := map[string]string{
		"endpoint_ready": ready, "endpoint_port_name": port.Name, "endpoint_port_protocol": string(port.Protocol),
	}
	if a.TargetRef != nil {
		own["endpoint_address_target_kind"], own["endpoint_address_target_name"] = a.TargetRef.Kind, a.TargetRef.Name
		for _, p := range pods {
			if a.TargetRef.Kind == "Pod" && p.Namespace == common["namespace"] && p.Name == a.TargetRef.Name {
				describePod(own, p, port)
			}
		}
	}
	labels := map[string]string{}
	for _, some := range []map[string]string{common, own} {
		for name, value := range some {
			labels["__meta_kubernetes_"+name] = value
		}
	}
	return entry{[]string{net.JoinHostPort(a.IP, strconv.Itoa(int(port.Port)))}, labels}
}

func describePod(labels map[string]string, p corev1.Pod, port corev1.EndpointPort) {
	labels["pod_name"], labels["pod_ip"], labels["pod_phase"], labels["pod_node_name"] = p.Name, p.Status.PodIP, string(p.Status.Phase), p.Spec.NodeName
	describe(labels, "pod", p.Labels)
	for _, c := range p.Spec.Containers {
		for _, own := range c.Ports {
			if own.ContainerPort == port.Port {
				labels["pod_container_name"], labels["pod_container_port_name"] = c.Name, own.Name
			}
		}
	}
}

var notInLabels = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// describe adds the labels of an object, by names that Prometheus takes.
func describe(labels map[string]string, kind string, of map[string]string) {
	for name, value := range of {
		name = notInLabels.ReplaceAllString(name, "_")
		labels[kind+"_label_"+name], labels[kind+"_labelpresent_"+name] = value, "true"
	}
}

// write replaces the file in one step.
func (f finder) write(entries []entry) error {
	text, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	if err := os.WriteFile(f.file+".new", text, private); err != nil {
		return err
	}
	return os.Rename(f.file+".new", f.file)
}
