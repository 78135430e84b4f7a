package transfer

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/cx-operator/cx-operator/internal/convert/remote"
	"github.com/cx-operator/cx-operator/internal/exit"
)

// standing is one of the two commands that give responses another standing.
type standing struct {
	use, short, long, example string
	// done is what became of the answers; from are the standings that they may have had.
	done string
	from []string
	call func(*remote.Client, context.Context, remote.Selection) (remote.Changed, error)
}

const selects = `

Which answers is said by conditions, of which all must hold. With --dry-run nothing changes, and the number of answers is
told. Afterwards the counts are compared with the answers. The same command again changes nothing more.

Exit code: 0 if it was done, 1 if the endpoint failed or the counts differ from the answers, 2 if the command line is
wrong or a file cannot be read.`

// NewAnnulCommand returns the command "annul".
func NewAnnulCommand() *cobra.Command {
	return standing{
		use: "annul", short: "Take answers of a program out of every count",
		long: `Take answers of a program out of every count, such as forged ones. They are kept, and reinstate brings them back.` + selects,
		example: `  cx-operator annul --program sfo/passenger-experience --url https://feedback.example.com --token-file import-token \
    --team area-g --from 2026-11-20T00:00:00Z --to 2026-11-21T00:00:00Z --dry-run
  cx-operator annul --program sfo/passenger-experience --url https://feedback.example.com --token-file import-token \
    --failed honeypot`,
		done: "annulled", from: []string{"counted", "suspect"}, call: (*remote.Client).Annul,
	}.command()
}

// NewReinstateCommand returns the command "reinstate".
func NewReinstateCommand() *cobra.Command {
	return standing{
		use: "reinstate", short: "Bring answers back that were annulled or kept apart",
		long: `Bring answers of a program back into its counts that were annulled, or kept apart since a check against robots failed.` + selects,
		example: `  cx-operator reinstate --program sfo/passenger-experience --url https://feedback.example.com --token-file import-token \
    --standing suspect --failed time --dry-run`,
		done: "reinstated", from: []string{"suspect", "annulled"}, call: (*remote.Client).Reinstate,
	}.command()
}

type standingOptions struct {
	program, url, tokenFile string
	ids                     []string
	idsFile                 string
	touchpoint, team        string
	remote.Selection
}

func (s standing) command() *cobra.Command {
	var o standingOptions
	cmd := &cobra.Command{
		Use: s.use, Short: s.short, Long: s.long, Example: s.example, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.program, "program", "", "the program, as NAMESPACE/NAME")
	f.StringVar(&o.url, "url", "", "address of the endpoint: http(s)://host[:port]")
	f.StringVar(&o.tokenFile, "token-file", "", "file with the program's import token (the key import of the Secret NAME-tokens)")
	f.StringSliceVar(&o.ids, "id", nil, "id of an answer; may be repeated")
	f.StringVar(&o.idsFile, "ids-file", "", "file with an id on each line")
	f.StringVar(&o.From, "from", "", "answers given at this time or later, such as 2026-11-20T09:00:00Z")
	f.StringVar(&o.To, "to", "", "answers given before this time")
	f.StringVar(&o.touchpoint, "touchpoint", "", "answers of this touchpoint; '' for those that name none")
	f.StringVar(&o.team, "team", "", "answers that speak of this team; '' for those that name none")
	f.StringVar(&o.Failed, "failed", "", "answers that failed this check: honeypot, page, time or proof")
	f.StringVar(&o.Standing, "standing", "", "answers that are "+strings.Join(s.from, " or ")+" now")
	f.BoolVar(&o.All, "all", false, "every answer of the program")
	f.BoolVar(&o.DryRun, "dry-run", false, "change nothing, and tell how many answers it would be")
	return cmd
}

func (s standing) run(cmd *cobra.Command, o standingOptions) error {
	key, err := ParseProgram(o.program)
	if err == nil {
		err = o.prepare(cmd, s.from)
	}
	if err != nil {
		return exit.WithUsage(err)
	}
	client, err := newClient(o.url, o.tokenFile, key)
	if err != nil {
		return exit.WithUsage(err)
	}
	changed, err := s.change(cmd, client, o)
	if err != nil {
		return err
	}
	would := ""
	if o.DryRun {
		would = "would be "
	}
	out := cmd.OutOrStdout()
	noun := "answers"
	if changed.Changed == 1 {
		noun = "answer"
	}
	fmt.Fprintf(out, "%d %s %s%s\n", changed.Changed, noun, would, s.done)
	for _, d := range changed.Recount.Differences {
		fmt.Fprintln(out, "the counts differ from the answers:", d)
	}
	if len(changed.Recount.Differences) > 0 {
		return exit.WithProblems(nil)
	}
	fmt.Fprintf(out, "%d answers are kept, and the counts agree with them\n", changed.Recount.Responses)
	return nil
}

// prepare checks the conditions and reads the file with ids.
func (o *standingOptions) prepare(cmd *cobra.Command, from []string) error {
	if o.url == "" || o.tokenFile == "" {
		return errors.New("--url and --token-file are required")
	}
	if cmd.Flags().Changed("touchpoint") {
		o.Touchpoint = &o.touchpoint
	}
	if cmd.Flags().Changed("team") {
		o.Team = &o.team
	}
	if err := o.readIDs(); err != nil {
		return err
	}
	return o.check(from)
}

// check says whether the conditions make sense together.
func (o *standingOptions) check(from []string) error {
	for flag, text := range map[string]string{"--from": o.From, "--to": o.To} {
		if _, err := time.Parse(time.RFC3339, text); text != "" && err != nil {
			return fmt.Errorf("%s %q must be a time such as 2026-11-20T09:00:00Z", flag, text)
		}
	}
	if o.Standing != "" && !slices.Contains(from, o.Standing) {
		return fmt.Errorf("--standing %q is not possible here, write %s", o.Standing, strings.Join(from, " or "))
	}
	some := len(o.ids) > 0 || o.Touchpoint != nil || o.Team != nil || o.From+o.To+o.Failed+o.Standing != ""
	switch {
	case !some && !o.All:
		return errors.New("say which answers: --id, --ids-file, --from, --to, --touchpoint, --team, --failed, --standing, or --all")
	case some && o.All:
		return errors.New("--all takes no other condition")
	}
	return nil
}

// maxIDsFile is the size of the largest file with ids, in bytes: a good million of them.
const maxIDsFile = 64 << 20

func (o *standingOptions) readIDs() error {
	if o.idsFile != "" {
		content, err := readSmall(o.idsFile, maxIDsFile)
		if err != nil {
			return fmt.Errorf("--ids-file: %w", err)
		}
		before := len(o.ids)
		for lines := bufio.NewScanner(bytes.NewReader(content)); lines.Scan(); {
			if id := strings.TrimSpace(lines.Text()); id != "" {
				o.ids = append(o.ids, id)
			}
		}
		if len(o.ids) == before {
			return fmt.Errorf("--ids-file: %s holds no id", o.idsFile)
		}
	}
	for _, id := range o.ids {
		if err := uuid.Validate(id); err != nil || len(id) != 36 {
			return fmt.Errorf("%q is no id of an answer, which is a UUID such as 7d444840-9dc0-11d1-b245-5ffdce74fad2", id)
		}
	}
	return nil
}

// change makes the calls: one, or as many as the ids need. What failed for the time being is tried again, which is safe.
func (s standing) change(cmd *cobra.Command, client *remote.Client, o standingOptions) (remote.Changed, error) {
	var all remote.Changed
	parts := slices.Collect(slices.Chunk(o.ids, remote.MaxIDs))
	if len(parts) == 0 {
		parts = [][]string{nil}
	}
	for _, ids := range parts {
		selection := o.Selection
		selection.IDs = ids
		err := persist(cmd.Context(), cmd.ErrOrStderr(), func() error {
			changed, err := s.call(client, cmd.Context(), selection)
			if err == nil {
				all.Changed, all.Recount = all.Changed+changed.Changed, changed.Recount
			}
			return err
		})
		if err != nil {
			return all, err
		}
	}
	return all, nil
}
