package plugin

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	feedback "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func (a *app) coachingCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "coaching TEAM",
		Short: "Show a team what customers said of it, to learn from",
		Long: `Show a team what customers said of it, to learn from.

Who may see it is up to RBAC, team by team: the team itself and its lead. There is no list of several teams.`,
		Args:              cobra.ExactArgs(1),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.coaching(cmd.Context(), args[0]) },
		ValidArgsFunction: a.completeTeams,
	}
}

func (a *app) coaching(ctx context.Context, team string) error {
	if err := a.checkOutput(); err != nil {
		return err
	}
	c, namespace, err := a.connect()
	if err != nil {
		return err
	}
	var k feedback.Coaching
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: team}, &k); err != nil {
		return fmt.Errorf("get coaching: %w", err)
	}
	if a.structured() {
		return a.printOne(&k)
	}
	fmt.Fprintf(a.out, "%s\n%s\n", clean(k.Status.DisplayName), k.Status.Use)
	t := newTable("PROGRAM", "TOUCHPOINT", "QUESTION", "METRIC", "SCORE", "RESPONSES", "DAYS")
	for _, s := range k.Status.Scores {
		score, responses := interval(s.Score, s.Lower, s.Upper), fmt.Sprint(s.Responses)
		if s.State != feedback.CoachingShown {
			score, responses = "too few answers", ""
		}
		t.add(plain, s.Program, s.Touchpoint, s.Question, s.Metric, score, responses, fmt.Sprint(s.WindowDays))
	}
	return a.print(t, "Nobody has said anything of this team yet.")
}

func (a *app) replayCommand() *cobra.Command {
	var team string
	cmd := &cobra.Command{
		Use:     "replay --team TEAM",
		Short:   "Send messages to a team again that could not be delivered",
		Example: `  kubectl cx replay -n sfo --team concessions`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.replay(cmd.Context(), team) },
	}
	cmd.Flags().StringVar(&team, "team", defaultTeam(), "the team whose channels failed (default $KUBECTL_CX_TEAM)")
	return cmd
}

// replay marks the team. The operator sends again what was given up before the mark.
func (a *app) replay(ctx context.Context, name string) error {
	if name == "" {
		return usagef("--team is required")
	}
	c, namespace, err := a.connect()
	if err != nil {
		return err
	}
	var team v1alpha1.Team
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &team); err != nil {
		return fmt.Errorf("get team: %w", err)
	}
	before := team.DeepCopy()
	if team.Annotations == nil {
		team.Annotations = map[string]string{}
	}
	team.Annotations[v1alpha1.AnnotationReplay] = a.now().UTC().Format(time.RFC3339)
	if err := c.Patch(ctx, &team, client.MergeFrom(before), fieldOwner); err != nil {
		return fmt.Errorf("write team: %w", err)
	}
	fmt.Fprintf(a.out, "what was given up for team/%s is sent again\n", name)
	return nil
}
