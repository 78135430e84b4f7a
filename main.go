// Command cx-operator runs customer-experience programs on Kubernetes.
package main

import (
	"os"
	_ "time/tzdata" // programs name time zones, and the image has no zone database

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cx-operator/cx-operator/internal/cli"
)

func main() {
	os.Exit(cli.Main(ctrl.SetupSignalHandler(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
