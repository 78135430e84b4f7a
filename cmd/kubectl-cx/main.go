// Command kubectl-cx is the plugin "kubectl cx": what needs attention in a customer-experience program, and the few things
// that people do about it.
package main

import (
	"os"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cx-operator/cx-operator/internal/plugin"
)

func main() {
	os.Exit(plugin.Main(ctrl.SetupSignalHandler(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
