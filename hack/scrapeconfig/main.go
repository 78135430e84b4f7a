// Command scrapeconfig turns ServiceMonitors into what Prometheus reads, by the code with which the Prometheus operator does
// it: the same checks, the same service discovery and the same relabelling. It is a module of its own, since that code
// brings much along.
//
//	scrapeconfig -kubeconfig FILE -namespace NAMESPACE -version 2.42.0 -files DIR < servicemonitors.yaml > prometheus.yaml
//
// ServiceMonitors are read from standard input. What they refer to is read from the API server: the CA and the tokens of
// Secrets and ConfigMaps. Files that Prometheus is to read are written to DIR and named so in the configuration. The token of
// Prometheus' own ServiceAccount is expected there as DIR/token. Tokens of Secrets stand in the output, so it is a secret.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	var o options
	kubeconfig := flag.String("kubeconfig", "", "path of a kubeconfig that may read the Secrets and ConfigMaps")
	flag.StringVar(&o.namespace, "namespace", "monitoring", "namespace that Prometheus is in")
	flag.StringVar(&o.version, "version", "2.42.0", "version of Prometheus")
	flag.StringVar(&o.files, "files", "", "folder for files that Prometheus is to read")
	flag.StringVar(&o.interval, "interval", "", "scrape interval to use instead of that of the ServiceMonitors, for tests in a hurry")
	flag.Parse()
	if err := run(context.Background(), o, *kubeconfig); err != nil {
		fmt.Fprintln(os.Stderr, "scrapeconfig:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, kubeconfig string) error {
	cluster, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	monitors, err := readMonitors(os.Stdin)
	if err != nil {
		return err
	}
	config, err := generate(ctx, o, cluster, monitors)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(config)
	return err
}
