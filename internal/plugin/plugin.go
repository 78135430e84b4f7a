// Package plugin holds the commands of "kubectl cx". They read and write the same resources as kubectl: plain YAML in Git
// is always enough, and nothing here knows more than the API.
package plugin

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	feedback "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/exit"
	"github.com/cx-operator/cx-operator/internal/version"
)

// fieldOwner is the field manager of what the plugin writes.
const fieldOwner = client.FieldOwner("kubectl-cx")

// app is what every command works with.
type app struct {
	flags *genericclioptions.ConfigFlags
	out   io.Writer
	now   func() time.Time
	// output as -o has it; all namespaces with -A.
	output string
	all    bool
}

// Main runs the command line and returns the exit code: 0 for success, 1 for a failure, 2 for a wrong command line.
func Main(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	root := NewRootCommand(out)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	started := false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exit.OK
	}
	if e := exit.Of(err); e != nil {
		if e.Err != nil {
			fmt.Fprintln(errOut, "Error:", e.Err)
		}
		return e.Code
	}
	fmt.Fprintln(errOut, "Error:", explainError(err))
	if !started {
		fmt.Fprintln(errOut, "See kubectl cx --help.")
		return exit.Usage
	}
	return exit.Problems
}

// NewRootCommand returns the command "kubectl cx" with its subcommands. Tables are written to out.
func NewRootCommand(out io.Writer) *cobra.Command {
	a := &app{flags: genericclioptions.NewConfigFlags(true), out: out, now: time.Now}
	root := &cobra.Command{
		Use:   "kubectl-cx",
		Short: "See what needs attention in a customer-experience program, and act on it",
		Long: `See what needs attention in a customer-experience program, and act on it.

Everything here can be done with kubectl and YAML as well. Scores say something about the experience, not about anyone's
performance.`,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl cx"},
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version.Version,
	}
	f := root.PersistentFlags()
	a.flags.AddFlags(f)
	f.StringVarP(&a.output, "output", "o", "", "json, yaml or wide; the default is a table")
	root.AddCommand(a.statusCommand(), a.planCommand(), a.caseCommand(), a.reviewCommand(), a.explainCommand(),
		a.coachingCommand(), a.replayCommand(), a.importCommand(), a.exportCommand())
	return root
}

// scheme has the kinds that the commands read and write.
func scheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, feedback.AddToScheme} {
		if err := add(s); err != nil {
			return nil, fmt.Errorf("make a scheme: %w", err)
		}
	}
	return s, nil
}

// connect returns a client and the namespace that the command is about; "" with --all-namespaces.
func (a *app) connect() (client.Client, string, error) {
	config, err := a.flags.ToRESTConfig()
	if err != nil {
		return nil, "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.WarningHandler = nil
	s, err := scheme()
	if err != nil {
		return nil, "", err
	}
	c, err := client.New(config, client.Options{Scheme: s})
	if err != nil {
		return nil, "", fmt.Errorf("connect to the API server: %w", err)
	}
	if a.all {
		return c, "", nil
	}
	namespace, _, err := a.flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	return c, namespace, nil
}

// allNamespaces adds -A to a command that lists.
func (a *app) allNamespaces(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&a.all, "all-namespaces", "A", false, "look at every namespace")
}

// explainError says what to do about an error that people meet.
func explainError(err error) string {
	switch {
	case meta.IsNoMatchError(err), runtime.IsNotRegisteredError(err):
		return err.Error() + "\nThe cluster does not serve this kind: is cx-operator installed there, with its feedback API for cases?"
	case apierrors.IsServiceUnavailable(err):
		return err.Error() + "\nThe feedback API or a store behind it is away. Try again shortly."
	case apierrors.IsConflict(err):
		return err.Error() + "\nSomebody changed it meanwhile. Look at it again, then try again."
	}
	return err.Error()
}

// usagef is the error of a wrong command line that cobra cannot see.
func usagef(format string, args ...any) error { return exit.WithUsage(fmt.Errorf(format, args...)) }

// defaultTeam is the team that a person works for, from the environment.
func defaultTeam() string { return os.Getenv("KUBECTL_CX_TEAM") }
