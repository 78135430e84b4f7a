package transfer

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/exit"
)

type exportOptions struct {
	remoteOptions
	format string
	file   string
}

// NewExportCommand returns the command "export" of a command line that is called so. With a finder, the program's address and
// token need not be given.
func NewExportCommand(name string, find Finder) *cobra.Command {
	o := exportOptions{remoteOptions: remoteOptions{find: find, token: "read"}}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Fetch all answers of a program",
		Long: `Fetch all answers of a program as CSV or as newline-delimited JSON, which import takes again.

With --file, the file appears once it is complete, and not at all otherwise: an export that is cut off is tried again
from its beginning. Without, what was written to standard output before a failure is not complete: mind the exit code.`,
		Example: `  ` + name + ` export --program sfo/passenger-experience --url https://feedback.example.com --token-file read-token \
    --format ndjson --file answers.ndjson`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runExport(cmd, o) },
	}
	f := cmd.Flags()
	o.addTo(f)
	f.StringVar(&o.format, "format", "ndjson", "csv or ndjson")
	f.StringVarP(&o.file, "file", "f", "", "file to write, which must not exist; standard output if empty or -")
	return cmd
}

func runExport(cmd *cobra.Command, o exportOptions) error {
	if err := o.check(); err != nil {
		return exit.WithUsage(err)
	}
	switch {
	case o.format != "csv" && o.format != "ndjson":
		return exit.WithUsage(fmt.Errorf("--format %q is unknown, write csv or ndjson", o.format))
	case o.find == nil && (o.url == "" || o.tokenFile == ""):
		return exit.WithUsage(fmt.Errorf("--url and --token-file are required"))
	}
	_, client, err := o.connect(cmd.Context(), false)
	if err != nil {
		return exit.WithUsage(err)
	}
	fetch := func(w io.Writer) (int, error) { return client.Export(cmd.Context(), o.format, w) }
	if o.file == "" || o.file == "-" {
		n, err := fetch(cmd.OutOrStdout())
		if err != nil {
			return fmt.Errorf("what was written is not complete: %w", err)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "%d answers\n%s\n", n, v1alpha1.CoachingText)
		return nil
	}
	if _, err := os.Lstat(o.file); err == nil {
		return exit.WithUsage(fmt.Errorf("--file: %s is there already, and is not overwritten", o.file))
	}
	n, err := exportFile(cmd.Context(), o.file, cmd.ErrOrStderr(), fetch)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d answers in %s\n%s\n", n, o.file, v1alpha1.CoachingText)
	return nil
}

// exportFile fetches into a file beside the named one, which it becomes when it is complete and on disk.
func exportFile(ctx context.Context, name string, errOut io.Writer, fetch func(io.Writer) (int, error)) (n int, err error) {
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.partial")
	if err != nil {
		return 0, err
	}
	defer func() {
		_ = file.Close()           // of a file that is complete, a second time; of another, nobody needs it
		_ = os.Remove(file.Name()) // its other name stays, if it got one
	}()
	err = persist(ctx, errOut, func() error {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := file.Truncate(0); err != nil {
			return err
		}
		n, err = fetch(file)
		return err
	})
	if err != nil {
		return 0, err
	}
	if err := file.Sync(); err != nil {
		return 0, err
	}
	if err := file.Close(); err != nil {
		return 0, err
	}
	// A link, other than a rename, fails where the name was taken meanwhile.
	return n, os.Link(file.Name(), name)
}
