package plugin

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/plugin/attention"
)

const runbooks = "https://github.com/cx-operator/cx-operator/blob/main/docs/runbooks/CX%s.md"

func (a *app) explainCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "explain", Short: "Explain what something means and what to do about it"}
	cmd.AddCommand(&cobra.Command{
		Use:   "breach [TYPE | KIND/NAME]",
		Short: "Explain a type of breach, or those that are open on an object",
		Example: `  kubectl cx explain breach ReviewMissed
  kubectl cx explain breach touchpoint/food -n sfo`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return a.explainTypes()
			case strings.Contains(args[0], "/"):
				return a.explainObject(cmd.Context(), args[0])
			}
			return a.explainType(args[0])
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, t := range attention.Types() {
				names = append(names, string(t))
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	})
	return cmd
}

func (a *app) explainTypes() error {
	t := newTable("BREACH", "MEANING")
	for _, kind := range attention.Types() {
		advice, _ := attention.Explain(kind)
		t.add(plain, string(kind), advice.Meaning)
	}
	return a.print(t, "There is none.")
}

func (a *app) explainType(name string) error {
	for _, t := range attention.Types() {
		if strings.EqualFold(name, string(t)) || strings.EqualFold(name, "CX"+string(t)) {
			a.describe(t, "NAME")
			return nil
		}
	}
	return usagef("%q is no type of breach; kubectl cx explain breach lists them", name)
}

func (a *app) describe(t v1alpha1.BreachType, object string) {
	advice, _ := attention.Explain(t)
	section(a.out, string(t), "Meaning", advice.Meaning, "Do", strings.ReplaceAll(advice.Do, "NAME", object), "Closes", advice.Clears,
		"Alert", "CX"+string(t), "Runbook", fmt.Sprintf(runbooks, t))
}

// explainObject explains every breach that is open on an object.
func (a *app) explainObject(ctx context.Context, object string) error {
	c, namespace, err := a.connect()
	if err != nil {
		return err
	}
	in, err := inventory(ctx, c, namespace)
	if err != nil {
		return err
	}
	kind, name, _ := strings.Cut(object, "/")
	found := 0
	for _, i := range attention.Of(in, "", a.now()) {
		if !i.Open() || i.Name != name || !isKind(kind, i.Kind) {
			continue
		}
		found++
		fmt.Fprintf(a.out, "%s %s: open for %s, %s\n", strings.ToLower(i.Kind), i.Name, a.ago(i.Time), orNobody(i.Team))
		a.describe(i.Breach, i.Name)
	}
	if found == 0 {
		fmt.Fprintf(a.out, "No breach is open on %s.\n", clean(object))
	}
	return nil
}

// isKind takes a kind as people write it: touchpoint, touchpoints, Touchpoint.
func isKind(text, kind string) bool {
	text, kind = strings.ToLower(text), strings.ToLower(kind)
	return text == kind || text == kind+"s"
}

func orNobody(team string) string {
	if team == "" {
		return "owned by nobody"
	}
	return "owned by " + team
}
