package responsestore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/operations"
	"github.com/cx-operator/cx-operator/internal/store"
)

// users are the programs of a store by what opens it for them: whether there are Embedded ones, and the Dedicated ones in order
// of their names. One that changes its mode on PostgreSQL is with both.
type users struct {
	embedded  bool
	dedicated []*v1alpha1.SurveyProgram
}

func (r *Reconciler) users(ctx context.Context, rs *v1alpha1.ResponseStore) (users, error) {
	dedicated, err := r.usersBy(ctx, rs, v1alpha1.EndpointDedicated)
	if err != nil {
		return users{}, err
	}
	slices.SortFunc(dedicated, func(a, b *v1alpha1.SurveyProgram) int { return strings.Compare(a.Name, b.Name) })
	// Thousands may share a store, of which one is enough to know of.
	const few = 20
	embedded, err := r.usersBy(ctx, rs, v1alpha1.EndpointEmbedded, client.Limit(few))
	if err == nil && len(embedded) == 0 {
		embedded, err = r.usersBy(ctx, rs, v1alpha1.EndpointEmbedded)
	}
	return users{embedded: len(embedded) > 0, dedicated: dedicated}, err
}

// usersBy lists the programs for which a mode opens the store.
func (r *Reconciler) usersBy(ctx context.Context, rs *v1alpha1.ResponseStore, mode v1alpha1.EndpointMode, opts ...client.ListOption) ([]*v1alpha1.SurveyProgram, error) {
	list := &v1alpha1.SurveyProgramList{}
	opts = append(opts, client.InNamespace(rs.Namespace), client.MatchingFields{env.IndexUser: env.UserKey(rs.Name, mode)}, client.UnsafeDisableDeepCopy)
	if err := r.Client.List(ctx, list, opts...); err != nil {
		return nil, fmt.Errorf("list the programs of the store: %w", err)
	}
	var found []*v1alpha1.SurveyProgram
	for i := range list.Items {
		p := &list.Items[i]
		if env.ServedBy(p) == mode || rs.Spec.Postgres != nil && p.Spec.Endpoint.Mode == mode {
			found = append(found, p)
		}
	}
	return found, nil
}

const notOpened = "no endpoint has opened the store yet; the conditions of its programs say why"

// startsWithin is how many times HoldFor the endpoints of a new store have until it is looked what keeps them.
const startsWithin = 5

// ask reports what the endpoints of Dedicated programs say of their store. Each has the same one; the first that knows it
// speaks for all.
func (r *Reconciler) ask(ctx context.Context, rs *v1alpha1.ResponseStore, programs []*v1alpha1.SurveyProgram, set conditions.Set) (ctrl.Result, error) {
	if err := r.close(keyOf(rs)); err != nil {
		return ctrl.Result{}, err
	}
	if r.Dedicated == nil {
		set.Stalled(v1alpha1.ReasonNotServed, "this operator serves no Dedicated programs; the conditions of the programs say why")
		return ctrl.Result{}, nil
	}
	said := r.listen(programs, rs.Status.Engine != "")
	if said.info != (store.Info{}) {
		rs.Status.Engine, rs.Status.SchemaVersion = said.info.Engine, said.info.SchemaVersion
		set.Reconciled("the endpoints of its programs have the store open")
		return ctrl.Result{}, nil
	}
	return r.unopened(ctx, rs, said, set)
}

// unopened reports on a store that no endpoint has open, as far as is known.
func (r *Reconciler) unopened(ctx context.Context, rs *v1alpha1.ResponseStore, said word, set conditions.Set) (ctrl.Result, error) {
	ready := meta.FindStatusCondition(rs.Status.Conditions, v1alpha1.ConditionReady)
	told := ready != nil && ready.ObservedGeneration == rs.Generation
	patience := r.starting.Wait(rs, r.Clock(), startsWithin*r.HoldFor)
	waiting := !told || ready.Reason == v1alpha1.ReasonWaiting
	switch {
	case said.failed == nil && waiting && patience > 0:
		set.Waiting(v1alpha1.ReasonWaiting, notOpened)
		return ctrl.Result{RequeueAfter: patience}, nil
	case said.failed == nil && waiting:
		if told && r.look(rs) {
			return ctrl.Result{}, nil
		}
	case told && (said.unasked || said.fresh && ready.Status == metav1.ConditionTrue):
		return ctrl.Result{}, nil // what was said last stands for a while: since a start, or while a pod is replaced
	}
	return r.explain(ctx, rs, said, set)
}

// explain says what keeps a store from being opened.
func (r *Reconciler) explain(ctx context.Context, rs *v1alpha1.ResponseStore, said word, set conditions.Set) (ctrl.Result, error) {
	missing, err := r.missingSecret(ctx, rs)
	switch {
	case err != nil:
		return ctrl.Result{}, err
	case missing != nil:
		set.Waiting(missing.reason, missing.message)
		return ctrl.Result{RequeueAfter: rereadAfter}, nil
	case said.failed != nil:
		set.Waiting(v1alpha1.ReasonStoreUnavailable, said.failed.Error())
	default:
		set.Waiting(v1alpha1.ReasonWaiting, notOpened)
	}
	return ctrl.Result{}, nil
}

// word is what endpoints said of a store: info of the first that has it open, or else the first error. unasked says that one of
// them was not asked yet, fresh that one could be read a short time ago.
type word struct {
	info           store.Info
	failed         error
	unasked, fresh bool
}

// listen asks what the endpoints of programs said of their store; opened says that one had it open before.
func (r *Reconciler) listen(programs []*v1alpha1.SurveyProgram, opened bool) word {
	var w word
	for _, p := range programs {
		info, err, known := r.Dedicated.Fleet.Store(env.KeyOf(p))
		if known && err == nil {
			return word{info: info}
		}
		if opened || answered(err) { // that nobody answers before is no news
			w.failed = cmp.Or(w.failed, err)
		}
		at, read := r.Book.ReadAt(r.Dedicated.Fleet.Source(env.KeyOf(p)))
		w.unasked = w.unasked || !known
		w.fresh = w.fresh || read && r.Clock().Sub(at) <= r.StaleAfter
	}
	return w
}

// answered says whether an error is what an endpoint said.
func answered(err error) bool {
	problem := &operations.Problem{}
	return errors.As(err, &problem)
}

// missingSecret says that the Secret with the connection URI, which pods wait for, is missing. Its content is not read.
func (r *Reconciler) missingSecret(ctx context.Context, rs *v1alpha1.ResponseStore) (*problem, error) {
	if rs.Spec.Postgres == nil {
		return nil, nil
	}
	name := rs.Spec.Postgres.ConnectionSecretRef.Name
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(secretKind)
	err := r.APIReader.Get(ctx, types.NamespacedName{Namespace: rs.Namespace, Name: name}, secret)
	switch {
	case apierrors.IsNotFound(err):
		return &problem{v1alpha1.ReasonSecretNotFound, fmt.Sprintf("spec.postgres.connectionSecretRef: no Secret %q in this namespace", name)}, nil
	case err != nil && !apierrors.IsForbidden(err):
		return nil, fmt.Errorf("look for Secret %s: %w", name, err)
	}
	return nil, nil
}

// placeChanged passes that a program came or went, or is or is to be served elsewhere.
var placeChanged = predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
	last, ok := u.ObjectOld.(*v1alpha1.SurveyProgram)
	next, ok2 := u.ObjectNew.(*v1alpha1.SurveyProgram)
	return ok && ok2 && (env.Existence.Update(u) || last.UID != next.UID || last.Spec.Endpoint.Mode != next.Spec.Endpoint.Mode || env.ServedBy(last) != env.ServedBy(next))
}}

// ofProgram finds the store of a program.
func ofProgram(_ context.Context, o client.Object) []reconcile.Request {
	p, ok := o.(*v1alpha1.SurveyProgram)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: p.Namespace, Name: p.Spec.StoreRef.Name}}}
}

// ofEndpoint finds the store of a program whose endpoint has told something.
func (r *Reconciler) ofEndpoint(ctx context.Context, program types.NamespacedName) []reconcile.Request {
	p := &v1alpha1.SurveyProgram{}
	if err := r.Client.Get(ctx, program, p); err != nil {
		return nil
	}
	return ofProgram(ctx, p)
}
