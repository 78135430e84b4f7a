package plugin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func (a *app) planCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "plan", Short: "Take over, change and complete action plans"}
	cmd.AddCommand(a.planListCommand(), a.portfolioCommand(), a.planAckCommand(), a.planUpdateCommand(), a.planCompleteCommand())
	return cmd
}

func (a *app) planListCommand() *cobra.Command {
	var open bool
	cmd := &cobra.Command{
		Use: "list", Short: "List plans with their effect, the first one due first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.planList(cmd.Context(), open) },
	}
	cmd.Flags().BoolVar(&open, "open", false, "only plans that are neither complete nor cancelled")
	a.allNamespaces(cmd)
	return cmd
}

func (a *app) planList(ctx context.Context, open bool) error {
	if err := a.checkOutput(); err != nil {
		return err
	}
	c, namespace, err := a.connect()
	if err != nil {
		return err
	}
	var list v1alpha1.ActionPlanList
	if err := c.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return fmt.Errorf("list plans: %w", err)
	}
	if open {
		list.Items = slices.DeleteFunc(list.Items, func(p v1alpha1.ActionPlan) bool { return !p.Spec.State.Open() })
	}
	slices.SortStableFunc(list.Items, func(x, y v1alpha1.ActionPlan) int {
		return cmp.Or(cmp.Compare(x.Spec.DueDate, y.Spec.DueDate), cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name))
	})
	if a.structured() {
		return a.printList(&list)
	}
	t := newTable("NAME", "FOR", "OBJECTIVE", "STATE", "DUE", "OPEN BREACHES", "EFFECT", "CHANGE", "COST", "CATEGORIES")
	t.wide, t.colours = 7, 5
	for i := range list.Items {
		p := &list.Items[i]
		t.add(tintOfBreaches(p.Status.Breaches), a.named(p), targetOf(p), p.Spec.Objective, string(p.Spec.State), p.Spec.DueDate,
			breachNames(p.Status.Breaches), effectOf(p), changeOf(p), costOf(p), categories(p))
	}
	return a.print(t, "There are no plans.")
}

// named is the name of an object, with its namespace where several are looked at.
func (a *app) named(o client.Object) string {
	if a.all {
		return o.GetNamespace() + "/" + o.GetName()
	}
	return o.GetName()
}

func targetOf(p *v1alpha1.ActionPlan) string {
	if ref := p.Spec.TouchpointRef; ref != nil {
		return "touchpoint/" + ref.Name
	}
	if ref := p.Spec.ProgramRef; ref != nil {
		return "surveyprogram/" + ref.Name
	}
	return ""
}

func tintOfBreaches(open []v1alpha1.Breach) string {
	if len(open) > 0 {
		return red
	}
	return green
}

func breachNames(open []v1alpha1.Breach) string {
	var names []string
	for _, b := range open {
		if n := string(b.Type); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return strings.Join(names, ",")
}

func effectOf(p *v1alpha1.ActionPlan) string {
	if p.Status.Effect == nil {
		return ""
	}
	return string(p.Status.Effect.Verdict)
}

func changeOf(p *v1alpha1.ActionPlan) string {
	e := p.Status.Effect
	if e == nil || e.Change == "" {
		return ""
	}
	return fmt.Sprintf("%s (%s to %s)", e.Change, e.ChangeLower, e.ChangeUpper)
}

func costOf(p *v1alpha1.ActionPlan) string {
	if b := p.Spec.Business; b != nil && b.Cost != nil {
		return b.Cost.Amount + " " + b.Cost.Currency
	}
	return ""
}

func categories(p *v1alpha1.ActionPlan) string {
	var all []string
	for _, action := range p.Spec.Actions {
		if c := string(action.Category); c != "" && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return strings.Join(all, ",")
}

func (a *app) planAckCommand() *cobra.Command {
	var by string
	var start bool
	cmd := &cobra.Command{
		Use: "ack NAME", Short: "Take a plan over", Args: cobra.ExactArgs(1),
		Example: `  kubectl cx plan ack food-satisfaction-20261121 -n sfo --by "Head of Concessions" --start`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changePlan(cmd.Context(), args[0], "acknowledged", func(c client.Client, p *v1alpha1.ActionPlan) error {
				return a.acknowledge(cmd.Context(), c, p, by, start)
			})
		},
		ValidArgsFunction: a.completePlans,
	}
	cmd.Flags().StringVar(&by, "by", "", "the role that takes it over; by default the plan's assignee, else its owner's lead")
	cmd.Flags().BoolVar(&start, "start", false, "set the plan to InProgress as well")
	return cmd
}

func (a *app) acknowledge(ctx context.Context, c client.Client, p *v1alpha1.ActionPlan, by string, start bool) error {
	if ack := p.Spec.Acknowledgement; ack != nil {
		return fmt.Errorf("plan %s was taken over by %s already, on %s", p.Name, clean(ack.By), ack.Time.Format("2006-01-02"))
	}
	if by == "" {
		var err error
		if by, err = roleOf(ctx, c, p); err != nil {
			return err
		}
	}
	p.Spec.Acknowledgement = &v1alpha1.Acknowledgement{By: by, Time: metav1.NewTime(a.now().UTC().Truncate(1e9))}
	if start && p.Spec.State.Open() {
		p.Spec.State = v1alpha1.WorkInProgress
	}
	return nil
}

// roleOf is who drives a plan: its assignee, else the lead of its owner.
func roleOf(ctx context.Context, c client.Client, p *v1alpha1.ActionPlan) (string, error) {
	if p.Spec.Assignee != nil {
		return p.Spec.Assignee.DisplayName, nil
	}
	if p.Spec.OwnerRef != nil {
		var owner v1alpha1.Team
		err := c.Get(ctx, client.ObjectKey{Namespace: p.Namespace, Name: p.Spec.OwnerRef.Name}, &owner)
		if client.IgnoreNotFound(err) != nil {
			return "", fmt.Errorf("get team %s: %w", p.Spec.OwnerRef.Name, err)
		}
		if err == nil && owner.Spec.Lead != nil {
			return owner.Spec.Lead.DisplayName, nil
		}
	}
	return "", usagef("--by: the plan has no assignee and its owner no lead; say which role takes it over")
}

// changePlan reads a plan, changes it, and writes it, unless somebody else did meanwhile.
func (a *app) changePlan(ctx context.Context, name, done string, change func(client.Client, *v1alpha1.ActionPlan) error) error {
	if err := a.checkOutput(); err != nil {
		return err
	}
	c, namespace, err := a.connect()
	if err != nil {
		return err
	}
	var plan v1alpha1.ActionPlan
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &plan); err != nil {
		return fmt.Errorf("get plan: %w", err)
	}
	before := plan.DeepCopy()
	if err := change(c, &plan); err != nil {
		return err
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := c.Patch(ctx, &plan, patch, fieldOwner); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	if a.structured() {
		return a.printOne(&plan)
	}
	fmt.Fprintf(a.out, "actionplan/%s %s\n", plan.Name, done)
	return nil
}

// planChange is what "plan update" can change; empty fields stay.
type planChange struct {
	state, due, owner, assignee string
	actions                     []string
}

func (a *app) planUpdateCommand() *cobra.Command {
	var change planChange
	cmd := &cobra.Command{
		Use: "update NAME", Short: "Change the state, the due date, the owner or actions of a plan", Args: cobra.ExactArgs(1),
		Example: `  kubectl cx plan update better-food -n sfo --state InProgress --action late-hours=Complete`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changePlan(cmd.Context(), args[0], "updated", func(_ client.Client, p *v1alpha1.ActionPlan) error { return change.apply(p) })
		},
		ValidArgsFunction: a.completePlans,
	}
	f := cmd.Flags()
	f.StringVar(&change.state, "state", "", "NotStarted, OnHold, InProgress, Complete or Cancelled")
	f.StringVar(&change.due, "due", "", "due date, as 2026-12-31")
	f.StringVar(&change.owner, "owner", "", "team that owns the plan")
	f.StringVar(&change.assignee, "assignee", "", "role that drives the plan")
	f.StringArrayVar(&change.actions, "action", nil, "state of an action, as late-hours=Complete; may be repeated")
	return cmd
}

var workStates = []v1alpha1.WorkState{
	v1alpha1.WorkNotStarted, v1alpha1.WorkOnHold, v1alpha1.WorkInProgress, v1alpha1.WorkComplete, v1alpha1.WorkCancelled,
}

func workState(flag, text string) (v1alpha1.WorkState, error) {
	for _, s := range workStates {
		if strings.EqualFold(text, string(s)) {
			return s, nil
		}
	}
	return "", usagef("%s: %q is no state, write NotStarted, OnHold, InProgress, Complete or Cancelled", flag, text)
}

func (c planChange) apply(p *v1alpha1.ActionPlan) error {
	if c.state == "" && c.due == "" && c.owner == "" && c.assignee == "" && len(c.actions) == 0 {
		return usagef("nothing to change: give --state, --due, --owner, --assignee or --action")
	}
	if c.state != "" {
		s, err := workState("--state", c.state)
		if err != nil {
			return err
		}
		p.Spec.State = s
	}
	if c.due != "" {
		p.Spec.DueDate = c.due
	}
	if c.owner != "" {
		p.Spec.OwnerRef = &v1alpha1.NameRef{Name: c.owner}
	}
	if c.assignee != "" {
		p.Spec.Assignee = &v1alpha1.Person{DisplayName: c.assignee}
	}
	for _, text := range c.actions {
		if err := setAction(p, text); err != nil {
			return err
		}
	}
	return nil
}

func setAction(p *v1alpha1.ActionPlan, text string) error {
	name, state, ok := strings.Cut(text, "=")
	if !ok {
		return usagef("--action %q must be NAME=STATE", text)
	}
	s, err := workState("--action "+name, state)
	if err != nil {
		return err
	}
	for i := range p.Spec.Actions {
		if p.Spec.Actions[i].Name == name {
			p.Spec.Actions[i].State = s
			return nil
		}
	}
	return fmt.Errorf("plan %s has no action %q", p.Name, name)
}

func (a *app) planCompleteCommand() *cobra.Command {
	var actions bool
	cmd := &cobra.Command{
		Use: "complete NAME", Short: "Say that a plan is done; whether it worked is measured from here", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changePlan(cmd.Context(), args[0], "complete", func(_ client.Client, p *v1alpha1.ActionPlan) error { return complete(p, actions) })
		},
		ValidArgsFunction: a.completePlans,
	}
	cmd.Flags().BoolVar(&actions, "with-actions", false, "complete the plan's open actions as well")
	return cmd
}

func complete(p *v1alpha1.ActionPlan, actions bool) error {
	var open []string
	for i := range p.Spec.Actions {
		if !p.Spec.Actions[i].State.Open() {
			continue
		}
		open = append(open, p.Spec.Actions[i].Name)
		if actions {
			p.Spec.Actions[i].State = v1alpha1.WorkComplete
		}
	}
	if len(open) > 0 && !actions {
		return fmt.Errorf("plan %s has open actions: %s; complete them with --with-actions, or one by one with kubectl cx plan update %s --action NAME=Complete",
			p.Name, strings.Join(open, ", "), p.Name)
	}
	p.Spec.State = v1alpha1.WorkComplete
	return nil
}
