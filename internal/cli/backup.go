package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cx-operator/cx-operator/internal/exit"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
)

func newBackupCommand() *cobra.Command {
	var path, to string
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Copy a SQLite store, also while it is in use",
		Long: `Copy a SQLite store, also while it is in use.

The copy is the store as of one commit. It is checked before it gets its name: that SQLite finds it sound, and that all
counts equal a recount of the answers. It holds people's answers: keep it as safe as the store.

A store on PostgreSQL is backed up by PostgreSQL's own tools.`,
		Example: `  cx-operator backup --store /var/lib/cx-operator/sfo/stores/responses.sqlite --to /backup/responses-2026-11-21.sqlite
  kubectl exec statefulset/cx-operator -- /cx-operator backup --store ... --to - > responses.sqlite`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" || to == "" {
				return exit.WithUsage(errors.New("--store and --to are required"))
			}
			if err := requireFile(path); err != nil {
				return err
			}
			return runBackup(cmd, path, to)
		},
	}
	cmd.Flags().StringVar(&path, "store", "", "the store's file")
	cmd.Flags().StringVar(&to, "to", "", "file to write, which must not exist; - for standard output")
	return cmd
}

// requireFile refuses a connection URI, and does not show it: it may have a password.
func requireFile(path string) error {
	if strings.HasPrefix(path, "postgres://") || strings.HasPrefix(path, "postgresql://") {
		return exit.WithUsage(errors.New("--store: this is for files of SQLite stores; for PostgreSQL use pg_dump, or what the database has"))
	}
	return nil
}

func runBackup(cmd *cobra.Command, path, to string) error {
	if to == "-" {
		return streamBackup(cmd.Context(), path, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	contents, err := sqlite.Backup(cmd.Context(), path, to)
	if errors.Is(err, fs.ErrExist) {
		return exit.WithUsage(fmt.Errorf("--to: %s is there already, and is not overwritten", to))
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s in %s\n", describe(contents), to)
	return nil
}

// streamBackup makes the copy beside the store, where there is room for one as a rule, and removes it again.
func streamBackup(ctx context.Context, path string, out, errOut io.Writer) (err error) {
	folder, err := os.MkdirTemp(filepath.Dir(path), ".backup-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	name := filepath.Join(folder, "copy")
	contents, err := sqlite.Backup(ctx, path, name)
	if err != nil {
		return err
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	if _, err := io.Copy(out, file); err != nil {
		return fmt.Errorf("what was written is not complete: %w", err)
	}
	fmt.Fprintln(errOut, describe(contents))
	return nil
}

func describe(c sqlite.Contents) string {
	return fmt.Sprintf("%d responses of %d programs (schema version %d, %d bytes), checked", c.Responses, c.Programs, c.SchemaVersion, c.Bytes)
}

func newRestoreCommand() *cobra.Command {
	var from, path string
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Put a backup in the place of a SQLite store that is not in use",
		Long: `Put a backup in the place of a SQLite store that is not in use.

The backup is checked first. The file that it replaces is kept beside it, with .replaced- and the time in its name: it
alone has the answers that came in after the backup. Answers that were erased since are erased again. When the store is
opened next, everything that reads its counts starts anew.

A store on PostgreSQL is restored by PostgreSQL's own tools.`,
		Example: `  cx-operator restore --from /backup/responses-2026-11-21.sqlite --store /var/lib/cx-operator/sfo/stores/responses.sqlite`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from == "" || path == "" {
				return exit.WithUsage(errors.New("--from and --store are required"))
			}
			if err := requireFile(path); err != nil {
				return err
			}
			if from == "-" {
				return restoreStream(cmd, path)
			}
			return runRestore(cmd, from, path)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the backup; - for standard input")
	cmd.Flags().StringVar(&path, "store", "", "the store's file; it need not exist")
	return cmd
}

// restoreStream keeps what it reads beside the store until it was restored.
func restoreStream(cmd *cobra.Command, path string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".restore-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	_, err = io.Copy(file, cmd.InOrStdin())
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return runRestore(cmd, file.Name(), path)
}

func runRestore(cmd *cobra.Command, from, path string) error {
	done, err := sqlite.Restore(cmd.Context(), from, path, time.Now())
	if errors.Is(err, store.ErrLocked) {
		return fmt.Errorf("%w: stop what serves it first", err)
	}
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s are now in %s\n", describe(done.Contents), path)
	if done.Aside != "" {
		fmt.Fprintf(out, "the file before is %s\n", done.Aside)
	}
	if done.Erased > 0 {
		fmt.Fprintf(out, "%d answers that were erased since the backup were erased again\n", done.Erased)
	}
	if done.NotErased != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "Warning: the file before cannot be read (%v): answers that were erased since the backup are back, erase them again.\n", done.NotErased)
	}
	return nil
}
