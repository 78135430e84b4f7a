package plugin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func (a *app) reviewCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "review", Short: "Look at the figures of a period, and say what came of it"}
	cmd.AddCommand(a.reviewListCommand(), a.reviewShowCommand(), a.reviewHoldCommand())
	return cmd
}

func (a *app) reviewListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List reviews, the newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.reviewList(cmd.Context()) },
	}
	a.allNamespaces(cmd)
	return cmd
}

func (a *app) reviewList(ctx context.Context) error {
	if err := a.checkOutput(); err != nil {
		return err
	}
	c, namespace, err := a.connect()
	if err != nil {
		return err
	}
	var list v1alpha1.ReviewList
	if err := c.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return fmt.Errorf("list reviews: %w", err)
	}
	slices.SortStableFunc(list.Items, func(x, y v1alpha1.Review) int {
		return cmp.Or(cmp.Compare(y.Spec.Period.To, x.Spec.Period.To), cmp.Compare(x.Name, y.Name))
	})
	if a.structured() {
		return a.printList(&list)
	}
	t := newTable("NAME", "PROGRAM", "PERIOD", "HELD", "DUE", "SPONSOR", "DECISIONS")
	t.wide, t.colours = 6, 3
	for i := range list.Items {
		r := &list.Items[i]
		t.add(tintOfBreaches(r.Status.Breaches), a.named(r), r.Spec.ProgramRef.Name, periodOf(r.Spec.Period), a.heldOf(r), a.until(r.Status.DueTime),
			conditionOf(r.Status.Conditions, v1alpha1.ConditionSponsorPresent), fmt.Sprint(len(r.Spec.Decisions)))
	}
	return a.print(t, "There are no reviews.")
}

func periodOf(p v1alpha1.Period) string { return p.From + " to " + p.To }

func (a *app) heldOf(r *v1alpha1.Review) string {
	switch {
	case r.Spec.HeldTime != nil:
		return r.Spec.HeldTime.Format("2006-01-02")
	case len(r.Status.Breaches) > 0:
		return "missed"
	}
	return "not yet"
}

func conditionOf(conditions []metav1.Condition, kind string) string {
	if c := meta.FindStatusCondition(conditions, kind); c != nil {
		return string(c.Status)
	}
	return ""
}

func (a *app) reviewShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show the figures of a period, its themes, breaches and plans", Args: cobra.ExactArgs(1),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.reviewShow(cmd.Context(), args[0]) },
		ValidArgsFunction: a.completeReviews,
	}
}

func (a *app) reviewShow(ctx context.Context, name string) error {
	if err := a.checkOutput(); err != nil {
		return err
	}
	c, namespace, err := a.connect()
	if err != nil {
		return err
	}
	var r v1alpha1.Review
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &r); err != nil {
		return fmt.Errorf("get review: %w", err)
	}
	if a.structured() {
		return a.printOne(&r)
	}
	section(a.out, "Review "+r.Name, "Program", r.Spec.ProgramRef.Name, "Period", periodOf(r.Spec.Period), "Held", a.heldOf(&r),
		"Due", a.until(r.Status.DueTime), "Insight", r.Spec.Insight, "Point of view", r.Spec.PointOfView, "Question", r.Spec.Question)
	if r.Status.Figures == nil {
		fmt.Fprintln(a.out, "The figures are not frozen yet.")
		return nil
	}
	return a.describeFigures(&r)
}

func (a *app) describeFigures(r *v1alpha1.Review) error {
	f := r.Status.Figures
	fmt.Fprintf(a.out, "\n%s\nFigures frozen %s, changes against %s\n", f.Use, f.FrozenTime.Format("2006-01-02 15:04 MST"), periodOf(f.Previous))
	t := newTable("TOUCHPOINT", "OBJECTIVE", "STATE", "SCORE", "TARGET", "RESPONSES", "CHANGE")
	t.colours = 2
	for _, o := range f.Objectives {
		t.add(tintOfState(o.State), o.Touchpoint, o.Objective, string(o.State), interval(o.Score, o.Lower, o.Upper), o.Target, fmt.Sprint(o.Responses),
			interval(o.Change, o.ChangeLower, o.ChangeUpper))
	}
	if err := a.print(t, "There is no objective."); err != nil {
		return err
	}
	for _, theme := range f.Themes {
		fmt.Fprintf(a.out, "Theme: %s (%d comments on %s)\n", clean(theme.Words), theme.Comments, theme.Question)
	}
	for _, b := range f.Breaches {
		fmt.Fprintf(a.out, "Breach: %s of %s %s %s, since %s\n", b.Type, strings.ToLower(b.Kind), b.Name, strings.TrimSpace(b.Objective+" "+b.Item), b.Since.Format("2006-01-02"))
	}
	for _, p := range f.Plans {
		fmt.Fprintf(a.out, "Plan: %s %s, due %s %s %s\n", p.Name, p.State, p.DueDate, p.Effect, p.Change)
	}
	for _, d := range r.Spec.Decisions {
		fmt.Fprintf(a.out, "Decision: %s\n", clean(d.Text))
	}
	return nil
}

func tintOfState(s v1alpha1.ObjectiveState) string {
	switch s {
	case v1alpha1.StateMissed:
		return red
	case v1alpha1.StateMet:
		return green
	case v1alpha1.StateAtRisk:
		return yellow
	}
	return plain
}

// interval writes a figure with its interval; nothing below the privacy floor.
func interval(value, lower, upper string) string {
	if value == "" || lower == "" {
		return value
	}
	return fmt.Sprintf("%s (%s to %s)", value, lower, upper)
}

func instant(t *metav1.Time) string {
	if t == nil {
		return ""
	}
	return t.Format("2006-01-02 15:04 MST")
}

// held is what came of a review.
type held struct {
	at, insight, pointOfView, question string
	attendees, decisions               []string
}

func (a *app) reviewHoldCommand() *cobra.Command {
	var h held
	cmd := &cobra.Command{
		Use: "hold NAME", Short: "Say that a review was held, who took part, and what came of it", Args: cobra.ExactArgs(1),
		Example: `  kubectl cx review hold passenger-experience-2026-w46 -n sfo --attendee airport,concessions \
    --insight "Passengers wait longest at gate G." --question "Who can open earlier?"`,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.reviewHold(cmd.Context(), args[0], h) },
		ValidArgsFunction: a.completeReviews,
	}
	f := cmd.Flags()
	f.StringVar(&h.at, "time", "", "when the group met (RFC 3339); now if left out")
	f.StringSliceVar(&h.attendees, "attendee", nil, "teams that took part")
	f.StringVar(&h.insight, "insight", "", "what the figures and comments say")
	f.StringVar(&h.pointOfView, "point-of-view", "", "what the group thinks of it")
	f.StringVar(&h.question, "question", "", "what the group asks the rest of the organisation")
	f.StringArrayVar(&h.decisions, "decision", nil, "a decision, as name=text; may be repeated")
	return cmd
}

func (a *app) reviewHold(ctx context.Context, name string, h held) error {
	if err := a.checkOutput(); err != nil {
		return err
	}
	c, namespace, err := a.connect()
	if err != nil {
		return err
	}
	var r v1alpha1.Review
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &r); err != nil {
		return fmt.Errorf("get review: %w", err)
	}
	before := r.DeepCopy()
	if err := h.apply(&r, a.now()); err != nil {
		return err
	}
	if err := c.Patch(ctx, &r, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), fieldOwner); err != nil {
		return fmt.Errorf("write review: %w", err)
	}
	if a.structured() {
		return a.printOne(&r)
	}
	fmt.Fprintf(a.out, "review/%s held on %s\n", r.Name, r.Spec.HeldTime.Format("2006-01-02"))
	return nil
}

func (h held) apply(r *v1alpha1.Review, now time.Time) error {
	at := now.UTC().Truncate(time.Second)
	if h.at != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, h.at); err != nil {
			return usagef("--time: %q is no time, write it as 2026-11-23T10:00:00Z", h.at)
		}
	}
	r.Spec.HeldTime = &metav1.Time{Time: at}
	for field, text := range map[*string]string{&r.Spec.Insight: h.insight, &r.Spec.PointOfView: h.pointOfView, &r.Spec.Question: h.question} {
		if text != "" {
			*field = text
		}
	}
	for _, name := range h.attendees {
		if ref := (v1alpha1.NameRef{Name: name}); !slices.Contains(r.Spec.Attendees, ref) {
			r.Spec.Attendees = append(r.Spec.Attendees, ref)
		}
	}
	for _, text := range h.decisions {
		name, words, ok := strings.Cut(text, "=")
		if !ok || name == "" || words == "" {
			return usagef("--decision %q must be NAME=TEXT", text)
		}
		i := slices.IndexFunc(r.Spec.Decisions, func(d v1alpha1.Decision) bool { return d.Name == name })
		if i >= 0 {
			r.Spec.Decisions[i].Text = words
			continue
		}
		r.Spec.Decisions = append(r.Spec.Decisions, v1alpha1.Decision{Name: name, Text: words})
	}
	return nil
}
