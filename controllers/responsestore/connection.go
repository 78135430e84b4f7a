package responsestore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/internal/embedded"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/postgres"
)

// Secrets with connection URIs are people's: the operator does not cache them, so it reads them one by one.
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get

// rereadAfter is how soon the Secret of an open store is read again: nothing tells when its password was changed.
const rereadAfter = 30 * time.Second

// problem is what keeps a store from being opened: a reason and message for a condition.
type problem struct{ reason, message string }

// openPostgres opens a PostgreSQL store and sets the conditions. Nothing of the Secret's content reaches a condition or log.
func (r *Reconciler) openPostgres(ctx context.Context, key store.Key, rs *v1alpha1.ResponseStore, set conditions.Set) (ctrl.Result, error) {
	uri, missing, err := r.connectionURI(ctx, rs)
	if err != nil {
		return ctrl.Result{}, err
	}
	if missing != nil {
		r.wait(key, set, *missing)
		return ctrl.Result{RequeueAfter: retryAfter}, nil
	}
	info, err := r.Endpoint.OpenPostgres(ctx, key, uri)
	switch {
	case errors.Is(err, embedded.ErrOpening):
		// How that ends is told. Until then, what was said of the store last stands.
		if ready := meta.FindStatusCondition(rs.Status.Conditions, v1alpha1.ConditionReady); ready == nil || ready.ObservedGeneration != rs.Generation {
			set.Waiting(v1alpha1.ReasonWaiting, "the store is being opened")
		}
		return ctrl.Result{RequeueAfter: rereadAfter}, nil
	case errors.Is(err, embedded.ErrUnread):
		set.Waiting(v1alpha1.ReasonStoreUnavailable, "the store is open, but the server cannot be reached now")
		return ctrl.Result{RequeueAfter: rereadAfter}, nil
	case err != nil:
		p := problem{v1alpha1.ReasonStoreUnavailable, postgres.Explain(err)}
		if r.wait(key, set, p) {
			ctrl.LoggerFrom(ctx).Error(err, "Store cannot be opened") // once, not at each attempt
		}
		return ctrl.Result{RequeueAfter: retryAfter}, nil
	}
	rs.Status.Engine, rs.Status.SchemaVersion = info.Engine, info.SchemaVersion
	set.Reconciled(fmt.Sprintf("the store is open, in the schema %q", render.Schema(key)))
	return ctrl.Result{RequeueAfter: rereadAfter}, nil
}

// wait says what keeps a store from being opened, and whether that is news.
func (r *Reconciler) wait(key store.Key, set conditions.Set, p problem) bool {
	if r.Endpoint.Serving(key) {
		p.message += "; it is served as it was opened before"
	}
	ready := meta.FindStatusCondition(*set.Conditions, v1alpha1.ConditionReady)
	news := ready == nil || ready.Reason != p.reason || ready.Message != p.message
	set.Waiting(p.reason, p.message)
	return news
}

// connectionURI reads the Secret that the spec names.
func (r *Reconciler) connectionURI(ctx context.Context, rs *v1alpha1.ResponseStore) (string, *problem, error) {
	ref := rs.Spec.Postgres.ConnectionSecretRef
	secret := &corev1.Secret{}
	err := r.APIReader.Get(ctx, types.NamespacedName{Namespace: rs.Namespace, Name: ref.Name}, secret)
	switch {
	case apierrors.IsNotFound(err):
		return "", &problem{v1alpha1.ReasonSecretNotFound, fmt.Sprintf("spec.postgres.connectionSecretRef: no Secret %q in this namespace", ref.Name)}, nil
	case apierrors.IsForbidden(err):
		return "", &problem{v1alpha1.ReasonStoreUnavailable, fmt.Sprintf("spec.postgres.connectionSecretRef: the operator may not read the Secret %q", ref.Name)}, nil
	case err != nil:
		return "", nil, fmt.Errorf("get Secret %s: %w", ref.Name, err)
	}
	uri := strings.TrimSpace(string(secret.Data[ref.Key]))
	if uri == "" {
		return "", &problem{v1alpha1.ReasonSecretNotFound, fmt.Sprintf("spec.postgres.connectionSecretRef: the Secret %q has nothing under the key %q", ref.Name, ref.Key)}, nil
	}
	return uri, nil, nil
}
