package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus-operator/prometheus-operator/pkg/assets"
	"github.com/prometheus-operator/prometheus-operator/pkg/operator"
	generator "github.com/prometheus-operator/prometheus-operator/pkg/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
)

// options of a Prometheus that is not in the cluster.
type options struct{ namespace, version, files, monitors, interval string }

// Where the generator expects files in a pod of Prometheus.
const (
	certificates = "/etc/prometheus/certs/"
	ownToken     = "/var/run/secrets/kubernetes.io/serviceaccount/token" // #nosec G101 -- the place of one
)

// readMonitors reads the ServiceMonitors among YAML documents.
func readMonitors(from io.Reader) ([]*monitoringv1.ServiceMonitor, error) {
	const buffer = 4096
	decoder := utilyaml.NewYAMLOrJSONDecoder(from, buffer)
	var all []*monitoringv1.ServiceMonitor
	for {
		m := &monitoringv1.ServiceMonitor{}
		err := decoder.Decode(m)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the ServiceMonitors: %w", err)
		}
		if m.Kind == monitoringv1.ServiceMonitorsKind {
			all = append(all, m)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no ServiceMonitor among them")
	}
	return all, nil
}

// generate returns the configuration of a Prometheus that selects all of the monitors.
func generate(ctx context.Context, o options, cluster *rest.Config, monitors []*monitoringv1.ServiceMonitor) ([]byte, error) {
	client, err := kubernetes.NewForConfig(cluster)
	if err != nil {
		return nil, err
	}
	server := o.prometheus()
	store := assets.NewStoreBuilder(client.CoreV1(), client.CoreV1())
	selected, err := o.choose(ctx, server, store, monitors)
	if err != nil {
		return nil, err
	}
	g, err := generator.NewConfigGenerator(slog.New(slog.DiscardHandler), server)
	if err != nil {
		return nil, err
	}
	config, err := g.GenerateServerConfiguration(server, selected, nil, nil, nil, store, nil, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	return o.outside(config, store)
}

// prometheus is the resource of a Prometheus that stands outside of the cluster.
func (o options) prometheus() *monitoringv1.Prometheus {
	return &monitoringv1.Prometheus{
		ObjectMeta: metav1.ObjectMeta{Name: "test", Namespace: o.namespace},
		Spec: monitoringv1.PrometheusSpec{EvaluationInterval: "30s", CommonPrometheusFields: monitoringv1.CommonPrometheusFields{
			ScrapeInterval: "30s", // the defaults of the resource, which the API server would fill in
			Version:        "v" + o.version, ServiceMonitorSelector: &metav1.LabelSelector{},
		}},
	}
}

// choose holds the monitors to the checks of the Prometheus operator and has it read what they refer to. One that it refuses
// is an error.
func (o options) choose(ctx context.Context, server *monitoringv1.Prometheus, store *assets.StoreBuilder, monitors []*monitoringv1.ServiceMonitor) (map[string]*monitoringv1.ServiceMonitor, error) {
	var said bytes.Buffer
	selector, err := generator.NewResourceSelector(slog.New(slog.NewTextHandler(&said, nil)), server, store, nil,
		operator.NewMetrics(prometheus.NewRegistry()), &record.FakeRecorder{})
	if err != nil {
		return nil, err
	}
	selection, err := selector.SelectServiceMonitors(ctx, func(_ string, _ labels.Selector, add cache.AppendFunc) error {
		for _, m := range monitors {
			m = m.DeepCopy()
			for i := range m.Spec.Endpoints {
				if o.interval != "" {
					m.Spec.Endpoints[i].Interval, m.Spec.Endpoints[i].ScrapeTimeout = monitoringv1.Duration(o.interval), monitoringv1.Duration(o.interval)
				}
			}
			add(m)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	valid := selection.ValidResources()
	if len(valid) != len(monitors) {
		return nil, fmt.Errorf("the Prometheus operator takes %d of %d ServiceMonitors:\n%s", len(valid), len(monitors), &said)
	}
	return valid, nil
}

// outside writes the files that the configuration names, and names them where they are.
func (o options) outside(config []byte, store *assets.StoreBuilder) ([]byte, error) {
	for name, content := range store.TLSAssets() {
		if err := os.WriteFile(filepath.Join(o.files, name), content, private); err != nil {
			return nil, err
		}
	}
	for placeholder, value := range map[string]string{
		certificates: o.files + string(filepath.Separator), ownToken: filepath.Join(o.files, "token"),
		"$(SHARD)": "0", "$(POD_NAME)": "prometheus-test-0", // which the pod's configuration reloader fills in
	} {
		config = bytes.ReplaceAll(config, []byte(placeholder), []byte(value))
	}
	return config, nil
}
