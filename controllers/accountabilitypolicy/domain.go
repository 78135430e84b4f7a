package accountabilitypolicy

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/internal/policy"
)

// domain is what a policy governs.
type domain struct {
	// programs that it governs, by name, and how many touchpoints.
	programs    []governed
	touchpoints int32
	// rivals are the other policies of its priority that select the same object and no policy of a higher one does, each
	// with such an object.
	rivals map[string]string
}

// governed is a program with the rules that apply to it.
type governed struct {
	program *v1alpha1.SurveyProgram
	rules   policy.Effective
}

// domainOf finds what a policy governs.
func (r *Reconciler) domainOf(ctx context.Context, p *v1alpha1.AccountabilityPolicy) (domain, error) {
	policies, err := r.Policies(ctx, p.Namespace)
	if err != nil {
		return domain{}, err
	}
	programs, touchpoints := &v1alpha1.SurveyProgramList{}, &v1alpha1.TouchpointList{}
	for _, list := range []client.ObjectList{programs, touchpoints} {
		if err := r.Client.List(ctx, list, client.InNamespace(p.Namespace)); err != nil {
			return domain{}, fmt.Errorf("list what the policy may select: %w", err)
		}
	}
	d := domain{rivals: map[string]string{}}
	byName := map[string]*v1alpha1.SurveyProgram{}
	for i := range programs.Items {
		program := &programs.Items[i]
		if !program.DeletionTimestamp.IsZero() {
			continue
		}
		byName[program.Name] = program
		d.compete(policies, p.Name, "SurveyProgram "+program.Name, program.Labels)
		if rules := policy.ForProgram(policies, program); rules.Name == p.Name {
			d.programs = append(d.programs, governed{program, rules})
		}
	}
	for i := range touchpoints.Items {
		tp := &touchpoints.Items[i]
		if !tp.DeletionTimestamp.IsZero() {
			continue
		}
		d.compete(policies, p.Name, "Touchpoint "+tp.Name, tp.Labels)
		program := cmp.Or(byName[tp.Spec.ProgramRef.Name], &v1alpha1.SurveyProgram{}) // it may not exist yet
		if policy.ForTouchpoint(policies, program, tp).Name == p.Name {
			d.touchpoints++
		}
	}
	slices.SortFunc(d.programs, func(a, b governed) int { return cmp.Compare(a.program.Name, b.program.Name) })
	return d, nil
}

// compete notes the policies that select an object as rightfully as the named one.
func (d *domain) compete(policies []v1alpha1.AccountabilityPolicy, name, object string, of map[string]string) {
	winner, equals := policy.Select(policies, of)
	if winner == nil || len(equals) == 0 {
		return
	}
	all := append([]string{winner.Name}, equals...)
	if !slices.Contains(all, name) {
		return
	}
	for _, other := range all {
		if _, noted := d.rivals[other]; other != name && !noted {
			d.rivals[other] = object
		}
	}
}

func (d *domain) setExclusive(set conditions.Set) {
	if len(d.rivals) == 0 {
		set.True(v1alpha1.ConditionExclusive, v1alpha1.ReasonExclusive, "no other policy of this priority selects what this one selects")
		return
	}
	const most = 10
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(d.rivals)) {
		if len(texts) == most {
			texts = append(texts, "and more")
			break
		}
		texts = append(texts, fmt.Sprintf("%s (such as %s)", name, d.rivals[name]))
	}
	set.False(v1alpha1.ConditionExclusive, v1alpha1.ReasonOverlap,
		"of the same priority, the oldest of which applies, and selecting the same: "+strings.Join(texts, ", "))
}
