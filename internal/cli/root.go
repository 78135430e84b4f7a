// Package cli holds the commands of the cx-operator binary.
package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cx-operator/cx-operator/internal/exit"
	"github.com/cx-operator/cx-operator/internal/transfer"
)

// NewRootCommand returns the command "cx-operator" with its subcommands.
func NewRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "cx-operator",
		Short:         "Run customer-experience programs as Kubernetes resources",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		transfer.NewAnnulCommand(),
		newBackupCommand(),
		newEndpointCommand(),
		transfer.NewExportCommand("cx-operator", nil),
		transfer.NewImportCommand("cx-operator", nil),
		newManagerCommand(),
		transfer.NewReinstateCommand(),
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
		return exit.OK
	}
	if e := exit.Of(err); e != nil {
		if e.Err != nil {
			fmt.Fprintln(errOut, "Error:", e.Err)
		}
		return e.Code
	}
	fmt.Fprintln(errOut, "Error:", err)
	if !started {
		fmt.Fprintln(errOut, "See cx-operator --help.")
		return exit.Usage
	}
	return exit.Problems
}
