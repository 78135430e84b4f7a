// Package cli holds the commands of the cx-operator binary.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Exit codes of the binary.
const (
	exitOK       = 0
	exitProblems = 1
	exitUsage    = 2
)

// exitError ends the process with a code of its own. Err may be nil where everything is said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// NewRootCommand returns the command "cx-operator" with its subcommands.
func NewRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "cx-operator",
		Short:         "Run customer-experience programs as Kubernetes resources",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		newAnnulCommand(),
		newBackupCommand(),
		newEndpointCommand(),
		newExportCommand(),
		newImportCommand(),
		newManagerCommand(),
		newReinstateCommand(),
		newRenderCommand(),
		newRestoreCommand(),
		newValidateCommand(),
		newVersionCommand(),
	)
	return root
}

// Main runs the command line and returns the exit code: 0 for success; 1 for a failure, or for problems that validate
// found; 2 for a wrong command line or unreadable files. It says on errOut what failed.
func Main(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	root := NewRootCommand()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)

	started := false // cobra checks the command line before it runs this hook
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }

	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var exit *exitError
	if errors.As(err, &exit) {
		if exit.err != nil {
			fmt.Fprintln(errOut, "Error:", exit.err)
		}
		return exit.code
	}
	fmt.Fprintln(errOut, "Error:", err)
	if !started {
		fmt.Fprintln(errOut, "See cx-operator --help.")
		return exitUsage
	}
	return exitProblems
}
