package plugin

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/portfolio"
)

func (a *app) portfolioCommand() *cobra.Command {
	var program string
	cmd := &cobra.Command{
		Use:   "portfolio",
		Short: "Look at all plans together: what they change, what came of them, what they cost, and who carries them",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.portfolio(cmd.Context(), program) },
	}
	cmd.Flags().StringVar(&program, "program", "", "only the plans of this program")
	return cmd
}

func (a *app) portfolio(ctx context.Context, program string) error {
	if err := a.checkOutput(); err != nil {
		return err
	}
	c, namespace, err := a.connect()
	if err != nil {
		return err
	}
	in, err := inventory(ctx, c, namespace)
	if err != nil {
		return err
	}
	teams := map[string]*v1alpha1.Team{}
	for i := range in.Teams {
		teams[in.Teams[i].Name] = &in.Teams[i]
	}
	p := portfolio.Of(portfolio.Objects{
		Programs: in.Programs, Touchpoints: in.Touchpoints, Plans: in.Plans, Reviews: in.Reviews,
		Teams: func(name string) (*v1alpha1.Team, bool) { t, ok := teams[name]; return t, ok },
	}, program)
	if a.structured() {
		return a.printObject(&portfolioObject{
			TypeMeta: metav1.TypeMeta{APIVersion: "cli.cx-operator.io/v1alpha1", Kind: "Portfolio"}, Portfolio: p,
		})
	}
	return a.describePortfolio(p)
}

// portfolioObject is a portfolio for scripts. It is no kind of the API.
type portfolioObject struct {
	metav1.TypeMeta     `json:",inline"`
	portfolio.Portfolio `json:",inline"`
}

// DeepCopyObject implements runtime.Object. Nothing changes a portfolio that is printed.
func (o *portfolioObject) DeepCopyObject() runtime.Object {
	c := *o
	return &c
}

func (a *app) describePortfolio(p portfolio.Portfolio) error {
	if len(p.Plans) == 0 {
		fmt.Fprintln(a.out, "There are no plans.")
		return nil
	}
	section(a.out, fmt.Sprintf("%d plans", len(p.Plans)), "States", counted(p.States, workStates),
		"Effects", counted(p.Effects, []v1alpha1.EffectVerdict{v1alpha1.EffectImproved, v1alpha1.EffectNoEvidence, v1alpha1.EffectWorsened, v1alpha1.EffectTooEarly}),
		"Overdue", fmt.Sprintf("%d plans, %d actions", p.OverduePlans, p.OverdueActions), "Effort", fmt.Sprintf("%d days of open plans", p.EffortDays))
	for _, s := range p.Sums {
		text := fmt.Sprintf("%s, of open plans %s", s.Cost, s.OpenCost)
		if s.Value != "" {
			text += fmt.Sprintf("; judged plans brought %s for %s", s.Value, s.JudgedCost)
		}
		section(a.out, "", "Cost in "+s.Currency, text)
	}
	fmt.Fprintln(a.out)
	if err := a.print(categoryTable(p), "No plan has actions."); err != nil {
		return err
	}
	for _, c := range p.Conflicts {
		fmt.Fprintf(a.out, "\nConflict: %s are for objective %s at the same time\n", strings.Join(c.Plans, ", "), c.Objective)
	}
	t := newTable("TEAM", "OPEN PLANS", "OVERDUE", "OPEN ACTIONS", "OVERDUE", "EFFORT DAYS", "BREACHES")
	for _, l := range p.Loads {
		t.add(plain, l.Team, fmt.Sprint(l.OpenPlans), fmt.Sprint(l.OverduePlans), fmt.Sprint(l.OpenActions), fmt.Sprint(l.OverdueActions),
			fmt.Sprint(l.EffortDays), fmt.Sprint(l.Breaches))
	}
	fmt.Fprintln(a.out)
	return a.print(t, "No team carries anything.")
}

func categoryTable(p portfolio.Portfolio) *table {
	t := newTable("CATEGORY", "ACTIONS", "OPEN", "OVERDUE", "COMPLETE", "PLANS", "IMPROVED", "WORSENED")
	for _, c := range p.Categories {
		name := string(c.Category)
		if name == "" {
			name = "none"
		}
		t.add(plain, name, fmt.Sprint(c.Actions), fmt.Sprint(c.Open), fmt.Sprint(c.Overdue), fmt.Sprint(c.Complete), fmt.Sprint(c.Plans),
			fmt.Sprint(c.Improved), fmt.Sprint(c.Worsened))
	}
	return t
}

// counted writes what there is of each kind: "2 InProgress, 1 Complete".
func counted[K ~string](counts map[K]int, order []K) string {
	var parts []string
	for _, k := range order {
		if n := counts[k]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, k))
		}
	}
	return strings.Join(parts, ", ")
}
