package plugin

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"

	feedback "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
)

func (a *app) caseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "case",
		Short: "Follow up with customers who agreed to be contacted",
		Long: `Follow up with customers who agreed to be contacted.

A case moves from Open to Contacted, Resolved and Informed. What may be read and changed is up to RBAC: the address of a
customer needs a right of its own.`,
	}
	cmd.AddCommand(a.caseListCommand(), a.caseShowCommand(),
		a.caseMoveCommand("contact", "Say that the customer was contacted; the clock of the promise stops", feedback.CaseContacted),
		a.caseMoveCommand("resolve", "Say that the matter is settled", feedback.CaseResolved),
		a.caseMoveCommand("inform", "Say that the customer was told what was done; the case is closed", feedback.CaseInformed),
		a.caseEraseCommand())
	return cmd
}

// caseFilter is which cases are listed.
type caseFilter struct {
	program, touchpoint, state string
	overdue                    bool
}

func (a *app) caseListCommand() *cobra.Command {
	var f caseFilter
	cmd := &cobra.Command{
		Use: "list", Short: "List cases, the first one promised first", Args: cobra.NoArgs,
		Example: `  kubectl cx case list -n sfo --overdue`,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.caseList(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.program, "program", "", "only cases of this program")
	flags.StringVar(&f.touchpoint, "touchpoint", "", "only cases of this touchpoint")
	flags.StringVar(&f.state, "state", "", "only cases in this state: Open, Contacted, Resolved or Informed")
	flags.BoolVar(&f.overdue, "overdue", false, "only cases that wait longer than promised")
	a.allNamespaces(cmd)
	return cmd
}

// options are the selectors that the API filters by.
func (f caseFilter) options() ([]client.ListOption, error) {
	var all []client.ListOption
	set := fields.Set{}
	if f.state != "" {
		s, err := caseState(f.state)
		if err != nil {
			return nil, err
		}
		set["spec.state"] = string(s)
	}
	if f.touchpoint != "" {
		set["status.touchpoint"] = f.touchpoint
	}
	if f.overdue {
		set["status.overdue"] = "true"
	}
	if len(set) > 0 {
		all = append(all, client.MatchingFieldsSelector{Selector: set.AsSelector()})
	}
	if f.program != "" {
		all = append(all, client.MatchingLabels{"cx-operator.io/program": f.program})
	}
	return all, nil
}

func caseState(text string) (feedback.CaseState, error) {
	for _, s := range []feedback.CaseState{feedback.CaseOpen, feedback.CaseContacted, feedback.CaseResolved, feedback.CaseInformed} {
		if strings.EqualFold(text, string(s)) {
			return s, nil
		}
	}
	return "", usagef("--state: %q is no state of a case, write Open, Contacted, Resolved or Informed", text)
}

// casePage is how many cases are asked for at once.
const casePage = 500

func (a *app) caseList(ctx context.Context, f caseFilter) error {
	if err := a.checkOutput(); err != nil {
		return err
	}
	options, err := f.options()
	if err != nil {
		return err
	}
	c, namespace, err := a.connect()
	if err != nil {
		return err
	}
	var all feedback.CaseList
	for next := ""; ; {
		var page feedback.CaseList
		if err := c.List(ctx, &page, append(options, client.InNamespace(namespace), client.Limit(casePage), client.Continue(next))...); err != nil {
			return fmt.Errorf("list cases: %w", err)
		}
		all.Items = append(all.Items, page.Items...)
		if next = page.Continue; next == "" {
			break
		}
	}
	if a.structured() {
		return a.printList(&all)
	}
	t := newTable("NAME", "TOUCHPOINT", "OWNER", "STATE", "PROMISED", "AGE", "REASONS", "LANGUAGE", "PLAN")
	t.wide, t.colours = 6, 4
	for i := range all.Items {
		k := &all.Items[i]
		t.add(tintOfCase(k), a.named(k), k.Status.Touchpoint, k.Status.Owner, string(k.Spec.State), a.promise(k), a.ago(k.CreationTimestamp.Time),
			reasons(k), k.Status.Language, planOf(k))
	}
	return a.print(t, "There are no cases.")
}

func tintOfCase(k *feedback.Case) string {
	switch {
	case k.Status.Overdue:
		return red
	case k.Spec.State == feedback.CaseOpen:
		return yellow
	}
	return green
}

// promise says how the promise of a case stands.
func (a *app) promise(k *feedback.Case) string {
	switch at := k.Status.ContactedTime; {
	case k.Status.Overdue:
		return "overdue for " + a.ago(k.Status.PromisedBy.Time)
	case k.Spec.State == feedback.CaseOpen:
		return a.until(&k.Status.PromisedBy)
	case at == nil:
		return ""
	case at.After(k.Status.PromisedBy.Time):
		return "late"
	}
	return "kept"
}

func reasons(k *feedback.Case) string {
	var all []string
	for _, r := range k.Status.Reasons {
		all = append(all, string(r))
	}
	return strings.Join(all, ",")
}

func planOf(k *feedback.Case) string {
	if k.Spec.PlanRef == nil {
		return ""
	}
	return k.Spec.PlanRef.Name
}

func (a *app) caseShowCommand() *cobra.Command {
	var contact bool
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Show a case with what the customer said and what was done", Args: cobra.ExactArgs(1),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.caseShow(cmd.Context(), args[0], contact) },
		ValidArgsFunction: a.completeCases,
	}
	cmd.Flags().BoolVar(&contact, "contact", false, "show how the customer can be reached; it needs a right of its own, and the audit log tells")
	return cmd
}

func (a *app) caseShow(ctx context.Context, name string, contact bool) error {
	if err := a.checkOutput(); err != nil {
		return err
	}
	c, namespace, err := a.connect()
	if err != nil {
		return err
	}
	var k feedback.Case
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &k); err != nil {
		return fmt.Errorf("get case: %w", err)
	}
	var address feedback.Contact
	if contact {
		if err := c.SubResource("contact").Get(ctx, &k, &address); err != nil {
			return fmt.Errorf("read the contact: %w", err)
		}
	}
	if a.structured() {
		if contact {
			return a.printOne(&address)
		}
		return a.printOne(&k)
	}
	a.describeCase(&k, address.Address)
	return nil
}

func (a *app) describeCase(k *feedback.Case, address string) {
	s := &k.Status
	section(a.out, "Case "+k.Name, "Program", s.Program, "Touchpoint", s.Touchpoint, "Owner", s.Owner, "State", string(k.Spec.State),
		"Promised by", s.PromisedBy.Format("2006-01-02 15:04 MST")+" ("+a.promise(k)+")", "Reasons", reasons(k), "Language", s.Language,
		"Plan", planOf(k), "Contact", address, "Contact erased", instant(s.ContactErasedTime))
	if len(s.Answers) > 0 {
		pairs := []string{}
		for _, answer := range s.Answers {
			pairs = append(pairs, answer.Question, strings.Join(answer.Values, ", "))
		}
		section(a.out, "What the customer said", pairs...)
	}
	if len(s.History) > 0 {
		fmt.Fprintln(a.out, "What was done")
		for _, e := range s.History {
			fmt.Fprintf(a.out, "  %s  %-9s  %s  %s\n", e.Time.Format("2006-01-02 15:04"), e.State, clean(e.By), clean(e.Note))
		}
	}
}

// caseMoveCommand moves a case to a state.
func (a *app) caseMoveCommand(verb, short string, to feedback.CaseState) *cobra.Command {
	var note, plan string
	cmd := &cobra.Command{
		Use: verb + " NAME", Short: short, Args: cobra.ExactArgs(1),
		Example: `  kubectl cx case ` + verb + ` NAME -n sfo --note "Called, left a message"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.caseMove(cmd.Context(), args[0], to, note, plan)
		},
		ValidArgsFunction: a.completeCases,
	}
	cmd.Flags().StringVar(&note, "note", "", "what was done, for the history; no personal data")
	cmd.Flags().StringVar(&plan, "plan", "", "the ActionPlan that the case led to")
	return cmd
}

func (a *app) caseMove(ctx context.Context, name string, to feedback.CaseState, note, plan string) error {
	if err := a.checkOutput(); err != nil {
		return err
	}
	c, namespace, err := a.connect()
	if err != nil {
		return err
	}
	var k feedback.Case
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &k); err != nil {
		return fmt.Errorf("get case: %w", err)
	}
	k.Spec.State, k.Spec.Note = to, note
	if plan != "" {
		k.Spec.PlanRef = &feedback.PlanRef{Name: plan}
	}
	if err := c.Update(ctx, &k, fieldOwner); err != nil {
		return fmt.Errorf("write case: %w", err)
	}
	if a.structured() {
		return a.printOne(&k)
	}
	fmt.Fprintf(a.out, "case/%s is %s\n", k.Name, k.Spec.State)
	return nil
}

// erasure is whose contact is erased.
type erasure struct{ program, receipt, contact string }

func (a *app) caseEraseCommand() *cobra.Command {
	var e erasure
	cmd := &cobra.Command{
		Use:   "erase [NAME]",
		Short: "Erase a customer's contact, by case, by receipt or by the contact itself",
		Long: `Erase a customer's contact, by case, by receipt or by the contact itself. It cannot be undone. The cases stay, without
the person.`,
		Example: `  kubectl cx case erase passenger-experience.0e1f7c3a-1111-4111-8111-0123456789ab -n sfo
  kubectl cx case erase -n sfo --program passenger-experience --contact jane@example.com`,
		Args:              cobra.MaximumNArgs(1),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.caseErase(cmd.Context(), args, e) },
		ValidArgsFunction: a.completeCases,
	}
	cmd.Flags().StringVar(&e.program, "program", "", "the program that was answered; not needed with NAME")
	cmd.Flags().StringVar(&e.receipt, "receipt", "", "the receipt that the customer got")
	cmd.Flags().StringVar(&e.contact, "contact", "", "the contact as the customer left it")
	return cmd
}

// object makes the Erasure that is created.
func (e erasure) object(namespace string, args []string) (*feedback.Erasure, error) {
	given := len(args)
	for _, text := range []string{e.receipt, e.contact} {
		if text != "" {
			given++
		}
	}
	if given != 1 {
		return nil, usagef("give exactly one of NAME, --receipt and --contact")
	}
	o := &feedback.Erasure{}
	o.Namespace = namespace
	o.Spec = feedback.ErasureSpec{ProgramRef: feedback.ProgramRef{Name: e.program}, Receipt: e.receipt, Contact: e.contact}
	if len(args) == 1 {
		program, _, ok := strings.Cut(args[0], ".")
		if !ok {
			return nil, usagef("%q is no name of a case: PROGRAM.UUID", args[0])
		}
		o.Spec.ProgramRef.Name, o.Spec.CaseRef = program, &feedback.CaseRef{Name: args[0]}
	}
	if o.Spec.ProgramRef.Name == "" {
		return nil, usagef("--program is required with --receipt and --contact")
	}
	return o, nil
}

func (a *app) caseErase(ctx context.Context, args []string, e erasure) error {
	if err := a.checkOutput(); err != nil {
		return err
	}
	c, namespace, err := a.connect()
	if err != nil {
		return err
	}
	o, err := e.object(namespace, args)
	if err != nil {
		return err
	}
	if err := c.Create(ctx, o, fieldOwner); err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	if a.structured() {
		return a.printOne(o)
	}
	fmt.Fprintf(a.out, "the contact was erased from %d cases\n", o.Status.Erased)
	return nil
}
