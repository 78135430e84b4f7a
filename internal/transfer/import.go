// Package transfer holds the commands that move answers into and out of a program, and that annul them, through the calls of its
// endpoint. cx-operator has them, and so has kubectl cx.
package transfer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cx-operator/cx-operator/internal/convert"
	"github.com/cx-operator/cx-operator/internal/convert/remote"
	"github.com/cx-operator/cx-operator/internal/exit"
	"github.com/cx-operator/cx-operator/internal/survey"
)

type importOptions struct {
	remoteOptions
	mapping string
	format  string
	surveys []string
	dryRun  bool
	output  string
}

// NewImportCommand returns the command "import" of a command line that is called so. With a finder, the program's address and
// token need not be given.
func NewImportCommand(name string, find Finder) *cobra.Command {
	o := importOptions{remoteOptions: remoteOptions{find: find, token: "import"}}
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Send answers from CSV files and other tools' exports to a program",
		Long: `Send answers from CSV files and other tools' exports to a program.

FILE is a file, or - for standard input. A mapping file says which columns answer which questions; docs/moving.md
describes it. Every row is sent whole or not at all, and the same file again changes nothing.

With --dry-run nothing is sent: every row is checked against the program's manifests, and everything that is wrong is
listed with its line, its column, and what is allowed.

Exit code: 0 if every row was taken or rightly skipped, 1 if rows were rejected or the endpoint failed, 2 if the command
line is wrong or a file cannot be read.`,
		Example: `  ` + name + ` import answers.csv --mapping mapping.yaml --program sfo/passenger-experience --survey program.yaml --dry-run
  ` + name + ` import responses.csv --format limesurvey --mapping mapping.yaml --program sfo/passenger-experience \
    --survey program.yaml --url https://feedback.example.com --token-file import-token`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error { return runImport(cmd, o, files) },
	}
	f := cmd.Flags()
	o.addTo(f)
	f.StringVar(&o.mapping, "mapping", "", "mapping file; without one, columns are found by the questions' names and texts")
	f.StringVar(&o.format, "format", "", "csv, ndjson, formbricks, limesurvey or typeform; the mapping's, else csv")
	f.StringSliceVar(&o.surveys, "survey", nil, "manifests (file or folder) of the program, its touchpoints and teams, to check rows against")
	f.BoolVar(&o.dryRun, "dry-run", false, "check every row and send nothing")
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	return cmd
}

func runImport(cmd *cobra.Command, o importOptions, files []string) error {
	run, err := o.prepare(cmd, files)
	if err != nil {
		return exit.WithUsage(err)
	}
	outcome, err := run.execute(cmd.Context())
	if err != nil {
		return err
	}
	if err := outcome.print(cmd.OutOrStdout(), o.output); err != nil {
		return err
	}
	if outcome.Rows.Rejected > 0 || outcome.Server != nil && outcome.Server.Rejected > 0 {
		return exit.WithProblems(nil)
	}
	return nil
}

// importRun is one import, ready to go.
type importRun struct {
	job    convert.Job
	ndjson bool
	files  []string
	stdin  io.Reader
	client *remote.Client // nil for a dry run
	errOut io.Writer
}

// refuse says what is wrong with the command line.
func (o importOptions) refuse(files []string) error {
	if err := o.check(); err != nil {
		return err
	}
	switch {
	case o.output != "text" && o.output != "json":
		return fmt.Errorf("--output %q is unknown, write text or json", o.output)
	case o.dryRun && len(o.surveys) == 0:
		return errors.New("--dry-run needs --survey: the manifests to check rows against")
	case !o.dryRun && o.find == nil && (o.url == "" || o.tokenFile == ""):
		return errors.New("--url and --token-file are required, unless --dry-run is given")
	case slices.Contains(files, "-") && len(files) > 1:
		return errors.New("standard input (-) cannot be combined with files")
	}
	return nil
}

func (o importOptions) prepare(cmd *cobra.Command, files []string) (*importRun, error) {
	if err := o.refuse(files); err != nil {
		return nil, err
	}
	key, client, err := o.connect(cmd.Context(), o.dryRun)
	if err != nil {
		return nil, err
	}
	run := &importRun{files: files, stdin: cmd.InOrStdin(), errOut: cmd.ErrOrStderr(), ndjson: o.format == convert.FormatNDJSON, client: client}
	run.job = convert.Job{Program: key, Now: time.Now()}
	if run.job.Mapping, err = o.readMapping(); err != nil {
		return nil, err
	}
	if len(o.surveys) > 0 {
		if run.job.Survey, err = ReadSurvey(o.surveys, key, cmd.InOrStdin()); err != nil {
			return nil, err
		}
	}
	return run, nil
}

func (o importOptions) readMapping() (convert.Mapping, error) {
	if o.format == convert.FormatNDJSON {
		if o.mapping != "" {
			return convert.Mapping{}, errors.New("--mapping: ndjson holds submissions and takes no mapping")
		}
		return convert.Mapping{}, nil
	}
	if o.mapping == "" {
		format := o.format
		if format == "" {
			format = convert.FormatCSV
		}
		m, err := convert.DefaultMapping(format)
		if err != nil {
			return m, fmt.Errorf("--format: %w, ndjson", err)
		}
		return m, nil
	}
	content, err := readSmall(o.mapping, convert.MaxMappingSize)
	if err != nil {
		return convert.Mapping{}, fmt.Errorf("--mapping: %w", err)
	}
	m, err := convert.ParseMapping(content)
	if err != nil {
		return m, fmt.Errorf("%s: %w", o.mapping, err)
	}
	if o.format == "" {
		return m, nil
	}
	if m, err = m.WithFormat(o.format); err != nil {
		return m, fmt.Errorf("--format: %w", err)
	}
	return m, nil
}

// outcome is what an import came to.
type outcome struct {
	*convert.Report
	// Server is what the endpoint says; nil for a dry run.
	Server *remote.Summary `json:"server,omitempty"`
}

func (o outcome) print(w io.Writer, output string) error {
	if output == "json" {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(o)
	}
	if err := o.WriteText(w); err != nil || o.Server == nil {
		return err
	}
	_, err := fmt.Fprintf(w, "the endpoint: %d stored, %d there before, %d rejected\n", o.Server.Stored, o.Server.Repeated, o.Server.Rejected)
	return err
}

// execute checks or sends the files. What failed for the time being is tried again from the start: ids make that safe.
func (run *importRun) execute(ctx context.Context) (outcome, error) {
	if run.client == nil {
		report, _, err := run.convert(func(survey.Submission) error { return nil })
		return outcome{Report: report}, fileError(err)
	}
	var o outcome
	send := func() (err error) {
		o, err = run.send(ctx)
		return err
	}
	if slices.Contains(run.files, "-") { // which can be read once
		return o, fileError(send())
	}
	return o, fileError(persist(ctx, run.errOut, send))
}

// errFile marks an error as one of reading the files.
type errFile struct{ error }

func (e errFile) Unwrap() error { return e.error }

// fileError gives an unreadable file its exit code.
func fileError(err error) error {
	var file errFile
	if errors.As(err, &file) {
		return exit.WithUsage(file.error)
	}
	return err
}

// origin is where submissions come from: those from number first on, until the next origin's.
type origin struct {
	first, file, line int
}

func (run *importRun) send(ctx context.Context) (outcome, error) {
	var report *convert.Report
	var origins []origin
	summary, err := run.client.Import(ctx, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		var err error
		report, origins, err = run.convert(func(s survey.Submission) error { return encoder.Encode(s) })
		return err
	})
	if err != nil {
		return outcome{}, err
	}
	run.refused(report, origins, summary)
	summary.Lines = nil
	return outcome{report, &summary}, nil
}

// convert reads all files. Each is a source of its own: equal rows in two files are the same answers, as they would be in
// two imports.
func (run *importRun) convert(emit func(survey.Submission) error) (*convert.Report, []origin, error) {
	report := convert.NewReport()
	var origins []origin
	sent := 0
	read := run.job.Convert
	if run.ndjson {
		read = run.job.ConvertNDJSON
	}
	for i, name := range run.files {
		in, err := run.open(name)
		if err != nil {
			return report, origins, errFile{err}
		}
		var sendError error
		err = read(name, in, report, func(s survey.Submission, line int) error {
			sent++
			if n := len(origins); n == 0 || origins[n-1].file != i || origins[n-1].line != line {
				origins = append(origins, origin{sent, i, line})
			}
			sendError = emit(s)
			return sendError
		})
		err = errors.Join(err, in.Close())
		if sendError != nil {
			return report, origins, sendError
		}
		if err != nil {
			return report, origins, errFile{err}
		}
	}
	return report, origins, nil
}

func (run *importRun) open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(run.stdin), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return withProgress(run.errOut, file, name, info.Size()), nil
}

// refused adds the lines that the endpoint refused to the report, by the rows that they come from.
func (run *importRun) refused(report *convert.Report, origins []origin, summary remote.Summary) {
	report.Unlisted += summary.Unlisted
	for _, line := range summary.Lines {
		i, found := slices.BinarySearchFunc(origins, line.Line, func(o origin, n int) int { return o.first - n })
		if !found {
			i--
		}
		if i < 0 {
			continue
		}
		from := origins[i]
		for _, e := range line.Errors {
			message := "the endpoint refused it: " + strings.TrimPrefix(e.Pointer+": "+e.Detail, ": ")
			p := convert.Problem{File: run.files[from.file], Line: from.line, Message: message}
			if n := len(report.Problems); n == 0 || report.Problems[n-1] != p {
				report.Problems = append(report.Problems, p)
			}
		}
	}
}

func readSmall(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return content, nil
}
