// Command scrapeconfig turns ServiceMonitors into what Prometheus reads, by the code with which the Prometheus operator does
// it: the same checks, the same service discovery and the same relabelling. It is a module of its own, since that code
// brings much along.
//
//	scrapeconfig -kubeconfig FILE -namespace NAMESPACE -version 2.42.0 -files DIR -monitors servicemonitors.yaml
//
// What the ServiceMonitors refer to is read from the API server: the CA and the tokens of
// Secrets and ConfigMaps. DIR/prometheus.yaml is the configuration, beside the files that it names. The token of Prometheus'
// own ServiceAccount is expected as DIR/token. Tokens of Secrets stand in the configuration, so it is a secret.
//
// It then runs until it is told to end, and finds the targets as Prometheus does in Kubernetes, for a Prometheus that is built
// without that.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	var o options
	kubeconfig := flag.String("kubeconfig", "", "path of a kubeconfig that may read the Secrets and ConfigMaps")
	flag.StringVar(&o.namespace, "namespace", "monitoring", "namespace that Prometheus is in")
	flag.StringVar(&o.version, "version", "2.42.0", "version of Prometheus")
	flag.StringVar(&o.files, "files", "", "folder for files that Prometheus is to read")
	flag.StringVar(&o.monitors, "monitors", "", "file with the ServiceMonitors")
	flag.StringVar(&o.interval, "interval", "", "scrape interval to use instead of that of the ServiceMonitors, for tests in a hurry")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, *kubeconfig)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "scrapeconfig:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, kubeconfig string) error {
	cluster, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	text, err := os.ReadFile(o.monitors)
	if err != nil {
		return fmt.Errorf("read the ServiceMonitors: %w", err)
	}
	monitors, err := readMonitors(bytes.NewReader(text))
	if err != nil {
		return err
	}
	config, err := generate(ctx, o, cluster, monitors)
	if err != nil {
		return err
	}
	config, finders, err := byFile(config, o.files)
	if err != nil {
		return err
	}
	unfinished := filepath.Join(o.files, "prometheus.yaml.new")
	if err := os.WriteFile(unfinished, config, private); err != nil {
		return err
	}
	if err := os.Rename(unfinished, filepath.Join(o.files, "prometheus.yaml")); err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(cluster)
	if err != nil {
		return err
	}
	ended := make(chan error, len(finders))
	for _, f := range finders {
		go func() { ended <- f.run(ctx, client) }()
	}
	return <-ended
}
