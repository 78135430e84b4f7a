package surveyprogram

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/apply"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// endpoint is what one pass knows of what serves a program.
type endpoint struct {
	store *v1alpha1.ResponseStore // nil where there is none
	// served is the survey as written, or else the last good one; nil for none.
	served *survey.Survey
	// running is the Deployment or StatefulSet as the cache has it, nil for none.
	running render.Object
	// wanted are the objects of a Dedicated endpoint, of which workload is what runs; none where they cannot be rendered, for
	// the reason in unrendered.
	wanted     []render.Object
	workload   render.Object
	unrendered error
	rollout    rollout
}

// lookAt reads all that the decision where to serve the program depends on.
func (r *Reconciler) lookAt(ctx context.Context, s *scope) (*endpoint, situation, error) {
	p := s.program
	e := &endpoint{store: s.store}
	var err error
	if e.running, err = r.running(ctx, p); err != nil {
		return nil, situation{}, err
	}
	if e.served, err = r.lastGood(ctx, s); err != nil {
		return nil, situation{}, err
	}
	sit := situation{
		wants: p.Spec.Endpoint.Mode, exists: e.running != nil, noStore: s.store == nil,
		unembedded: r.unembedded(), undedicated: r.undedicated(),
	}
	if p.Status.Endpoint != nil {
		sit.serves = p.Status.Endpoint.Mode
	}
	if s.store == nil {
		e.rollout, err = rolloutOf(e.running, nil)
		return e, sit, err
	}
	sit.sqlite = s.store.Spec.SQLite != nil
	endpoint := p.Spec.Endpoint
	sit.manyPods = endpoint.Autoscaling != nil || endpoint.Replicas != nil && *endpoint.Replicas > 1
	if sit.sqlite {
		if sit.holder, err = r.holder(ctx, p, sit.exists); err != nil {
			return nil, situation{}, err
		}
		sit.left = r.left(ctx, p, sit)
	}
	onePod := sit.sqlite && sit.manyPods
	e.render(r, p, onePod)
	if e.rollout, err = rolloutOf(e.running, e.workload); err != nil {
		return nil, situation{}, err
	}
	sit.ready = r.ready(p, e)
	return e, sit, nil
}

func (r *Reconciler) unembedded() string {
	if r.Endpoint == nil {
		return "no process serves Embedded programs: start the manager with --embedded-endpoint"
	}
	return ""
}

func (r *Reconciler) undedicated() string {
	switch {
	case r.Dedicated != nil:
		return ""
	case r.Undedicated == "":
		return "this operator serves Embedded programs only"
	}
	return "this operator serves no Dedicated programs: " + r.Undedicated
}

// running returns the Deployment or StatefulSet of a program's own, nil where there is none.
func (r *Reconciler) running(ctx context.Context, p *v1alpha1.SurveyProgram) (render.Object, error) {
	for _, o := range []client.Object{&appsv1.Deployment{}, &appsv1.StatefulSet{}} {
		err := r.Client.Get(ctx, types.NamespacedName{Namespace: p.Namespace, Name: render.EndpointName(p.Name)}, o)
		if err == nil && metav1.IsControlledBy(o, p) && o.GetDeletionTimestamp().IsZero() {
			return o, nil
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("look for the program's endpoint: %w", err)
		}
	}
	return nil, nil
}

// lastGood returns the survey as written, or, where that cannot be compiled, the one that is served.
func (r *Reconciler) lastGood(ctx context.Context, s *scope) (*survey.Survey, error) {
	if s.compiled != nil {
		return s.compiled, nil
	}
	p := s.program
	if r.Endpoint != nil && env.ServedBy(p) == v1alpha1.EndpointEmbedded {
		if last, err := r.Endpoint.LastGood(env.KeyOf(p)); err != nil || last != nil {
			return last, err
		}
	}
	kept, name := &corev1.ConfigMap{}, types.NamespacedName{Namespace: p.Namespace, Name: render.EndpointName(p.Name)}
	err := r.Client.Get(ctx, name, kept)
	if err == nil && apply.Trimmed(kept) {
		err = r.APIReader.Get(ctx, name, kept)
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("read the last good survey: %w", err)
	}
	if err == nil && metav1.IsControlledBy(kept, p) {
		if last, err := render.SurveyOf(kept); err == nil {
			return last, nil
		}
	}
	return r.memory.of(client.ObjectKeyFromObject(p)).survey, nil // somebody deleted or damaged the ConfigMap
}

// holder returns the other program that keeps this one from its SQLite store.
func (r *Reconciler) holder(ctx context.Context, p *v1alpha1.SurveyProgram, exists bool) (string, error) {
	wantsNone := p.Spec.Endpoint.Mode == v1alpha1.EndpointEmbedded && env.ServedBy(p) == v1alpha1.EndpointEmbedded && !exists
	by := client.MatchingFields{env.IndexUser: env.UserKey(p.Spec.StoreRef.Name, v1alpha1.EndpointDedicated)}
	if wantsNone && len(r.Requests(ctx, &v1alpha1.SurveyProgramList{}, p.Namespace, by)) == 0 {
		return "", nil // Embedded programs share a store, however many they are
	}
	all := &v1alpha1.SurveyProgramList{}
	if err := r.Client.List(ctx, all, client.InNamespace(p.Namespace), client.MatchingFields{env.IndexStore: p.Spec.StoreRef.Name}); err != nil {
		return "", fmt.Errorf("list the programs of the store: %w", err)
	}
	var others []user
	for i := range all.Items {
		other := &all.Items[i]
		if other.Name == p.Name || !other.DeletionTimestamp.IsZero() {
			continue
		}
		running, err := r.running(ctx, other)
		if err != nil {
			return "", err
		}
		others = append(others, user{other, running != nil})
	}
	return holderFor(user{p, exists}, others), nil
}

// left says whether this process's SQLite file, which the program is to leave, or could have left before, holds anything of it.
func (r *Reconciler) left(ctx context.Context, p *v1alpha1.SurveyProgram, s situation) left {
	dedicated := s.exists || s.serves == v1alpha1.EndpointDedicated
	if s.wants == v1alpha1.EndpointEmbedded || dedicated || r.Endpoint == nil {
		return leftNothing
	}
	holds, err := r.Endpoint.Holds(ctx, env.StoreOf(p), env.KeyOf(p))
	switch {
	case err != nil:
		ctrl.LoggerFrom(ctx).Error(err, "It cannot be found out whether the operator's file has answers of the program")
		return leftUnknown
	case holds:
		return leftAnswers
	}
	return leftNothing
}

// ready says whether what does not serve the program yet, but is to, can take over.
func (r *Reconciler) ready(p *v1alpha1.SurveyProgram, e *endpoint) bool {
	if p.Spec.Endpoint.Mode == v1alpha1.EndpointDedicated {
		if r.Dedicated == nil {
			return false
		}
		readable, _ := r.Dedicated.Fleet.Readable(env.KeyOf(p))
		return readable && e.rollout.settled
	}
	if r.Endpoint == nil || !r.Endpoint.Serving(env.StoreOf(p)) {
		return false
	}
	at, read := r.Book.ReadAt(env.StoreOf(p).String())
	return read && r.Clock().Sub(at) <= r.StaleAfter
}

// render makes the objects of a Dedicated program.
func (e *endpoint) render(r *Reconciler, p *v1alpha1.SurveyProgram, onePod bool) {
	if p.Spec.Endpoint.Mode != v1alpha1.EndpointDedicated || r.Dedicated == nil || e.served == nil {
		return
	}
	if onePod {
		p = p.DeepCopy()
		p.Spec.Endpoint.Replicas, p.Spec.Endpoint.Autoscaling = nil, nil
	}
	e.wanted, e.unrendered = render.Dedicated{Program: p, Store: e.store, Survey: e.served, Options: r.Dedicated.Render}.Objects()
	for _, o := range e.wanted {
		switch o.(type) {
		case *appsv1.Deployment, *appsv1.StatefulSet:
			e.workload = o
		}
	}
}
