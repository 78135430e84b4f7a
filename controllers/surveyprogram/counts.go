package surveyprogram

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/objectives"
	"github.com/cx-operator/cx-operator/internal/rollup"
)

// refresh shows what answers changed of a program. A program is told of each answer to any of its touchpoints, and a pass over it
// looks at them all: so there is one only where answers change what its status holds.
func (r *Reconciler) refresh(ctx context.Context, req reconcile.Request) (objectives.Due, error) {
	p := &v1alpha1.SurveyProgram{}
	if found, err := r.Find(ctx, req.Namespace, req.Name, p); err != nil || !found {
		return objectives.Due{}, err
	}
	made := r.compiler.last(req.NamespacedName)
	if made.survey == nil || p.Generation != p.Status.ObservedGeneration || p.Spec.Endpoint.Mode != env.ServedBy(p) || stageMayMove(p) {
		return objectives.PassNow, nil
	}
	policies, err := r.Policies(ctx, p.Namespace)
	if err != nil {
		return objectives.Due{}, err
	}
	label := labelOf(p, env.ShownOwner(r.Teams(ctx, p.Namespace), p.Spec.OwnerRef))
	defer r.lane.Lock(req.NamespacedName)()
	last := objectives.Shown{
		Objectives: p.Status.Objectives, Judged: p.Status.Judged, Participation: p.Status.Participation, Cases: p.Status.Cases,
	}
	return objectives.Refresh(r.Env, &r.throttle, source(p.Namespace, p.Name), label, subjectOf(p, policies, false), last, r.Clock())
}

// stageMayMove says whether answers alone may bring the program to another stage: the first one, and as many as a verdict needs.
func stageMayMove(p *v1alpha1.SurveyProgram) bool {
	switch p.Status.Stage {
	case "", v1alpha1.LifecycleDesign, v1alpha1.LifecycleListen:
		return true
	}
	return false
}

// ofWhole finds the program that changed as a whole, but for one that its own pass handed over: that pass goes on with it. ofPlace
// finds the one of which counts changed.
func ofWhole(_ context.Context, p rollup.Place) []reconcile.Request {
	return programOf(p, p.All && !p.Handed)
}

func ofPlace(_ context.Context, p rollup.Place) []reconcile.Request { return programOf(p, !p.All) }

func programOf(p rollup.Place, wanted bool) []reconcile.Request {
	if !wanted {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: p.Program.Namespace, Name: p.Program.Name}}}
}
