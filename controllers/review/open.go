package review

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/objectives"
	"github.com/cx-operator/cx-operator/internal/policy"
	"github.com/cx-operator/cx-operator/internal/review"
	"github.com/cx-operator/cx-operator/internal/rollup"
)

// Opener opens the reviews of SurveyPrograms.
type Opener struct {
	*env.Env
}

// Reconcile opens the review of a program's last period, where its policy asks for one. It never opens one of a time before which
// nobody had answered.
func (r *Opener) Reconcile(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
	p := &v1alpha1.SurveyProgram{}
	found, err := r.Find(ctx, req.Namespace, req.Name, p)
	if err != nil || !found {
		return ctrl.Result{}, err
	}
	policies, err := r.Policies(ctx, req.Namespace)
	if err != nil {
		return ctrl.Result{}, err
	}
	rules := policy.ForProgram(policies, p)
	location, err := time.LoadLocation(p.Spec.TimeZone)
	if err != nil || rules.Review == nil {
		return ctrl.Result{}, nil // the program's conditions say why; a change of it, or of a policy, comes back here
	}
	now := r.Clock()
	if !objectives.Readable(r.Env, p, now) { // neither the cadence nor whether anybody answered is known
		return ctrl.Result{RequeueAfter: lookAgain}, nil
	}
	reviews, err := reviewsOf(ctx, r.Env, p)
	if err != nil {
		return ctrl.Result{}, err
	}
	cadence := objectives.Cadence(r.Env, p, rules, now).Cadence
	o, err := review.Open(p.Name, cadence, location, since(p, policies, rules.Name), reviews, now)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("find the review to open: %w", err)
	}
	if o.Name != "" && r.answered(p, o.Ended) {
		if err := r.open(ctx, p, o); err != nil {
			return ctrl.Result{}, err
		}
	}
	return env.Requeue(now, 0, o.Next), nil
}

// answered says whether anybody answered the program before an instant.
func (r *Opener) answered(p *v1alpha1.SurveyProgram, before time.Time) bool {
	for _, q := range p.Spec.Survey.Questions {
		w := r.Book.Window(rollup.Query{
			Source: r.CountsOf(p), Program: env.KeyOf(p), ProgramWide: true, Question: q.Name, Revision: q.Revision, To: hourAfter(before),
		})
		if w.Any {
			return true
		}
	}
	return false
}

// since returns when reviews began to be asked of a program: when it and its policy were both there, and the one governed the
// other.
func since(p *v1alpha1.SurveyProgram, policies []v1alpha1.AccountabilityPolicy, name string) time.Time {
	began := p.CreationTimestamp.Time
	for i := range policies {
		if created := policies[i].CreationTimestamp.Time; policies[i].Name == name && created.After(began) {
			began = created
		}
	}
	governed := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionGoverned)
	if governed != nil && governed.Status == metav1.ConditionTrue && governed.LastTransitionTime.After(began) {
		began = governed.LastTransitionTime.Time
	}
	return began
}

// open creates a review. It has no owner: it belongs to people, and what was decided outlives the program. One of its name that is
// there already was opened before this cache saw it, or by people, and is left alone.
func (r *Opener) open(ctx context.Context, p *v1alpha1.SurveyProgram, o review.Opening) error {
	v := &v1alpha1.Review{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: p.Namespace, Name: o.Name,
			Labels: map[string]string{v1alpha1.LabelOpenedBy: v1alpha1.ManagedByValue, v1alpha1.LabelProgram: p.Name},
		},
		Spec: v1alpha1.ReviewSpec{ProgramRef: v1alpha1.NameRef{Name: p.Name}, Period: o.Period},
	}
	err := r.Client.Create(ctx, v, env.FieldOwner)
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("open review %s: %w", o.Name, err)
	}
	return nil
}
