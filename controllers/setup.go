// Package controllers adds every controller of the operator to a manager.
package controllers

import (
	"context"
	"fmt"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/accountabilitypolicy"
	"github.com/cx-operator/cx-operator/controllers/actionplan"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/notifier"
	"github.com/cx-operator/cx-operator/controllers/responsestore"
	"github.com/cx-operator/cx-operator/controllers/review"
	"github.com/cx-operator/cx-operator/controllers/surveyprogram"
	"github.com/cx-operator/cx-operator/controllers/team"
	"github.com/cx-operator/cx-operator/controllers/touchpoint"
	"github.com/cx-operator/cx-operator/internal/apply"
)

// The manager itself authenticates those who read /metrics. Its lease is in config/rbac/leader_election_role.yaml.
// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

// Scheme returns a scheme with Kubernetes' own types and those of this operator.
func Scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	utilruntime.Must(gatewayv1.Install(s))
	utilruntime.Must(monitoringv1.AddToScheme(s))
	return s
}

// CacheOptions returns what the operator caches: its own kinds, and of all others what it made. Without any namespace it is that of
// all.
func CacheOptions(namespaces ...string) cache.Options {
	// Passes read these without copying them, and change copies only: with the mutation detector of client-go the tests fail else.
	all := cache.ByObject{Label: labels.Everything(), Transform: newCompactor().compact, UnsafeDisableDeepCopy: new(true)}
	o := cache.Options{
		DefaultTransform: apply.Trim(env.FieldOwner),
		// By default, since kinds that a cluster need not have cannot be named here.
		DefaultLabelSelector: labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue}),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}:          {Label: labels.SelectorFromSet(labels.Set{v1alpha1.LabelTokens: "true"})},
			&v1alpha1.SurveyProgram{}: all, &v1alpha1.Touchpoint{}: all, &v1alpha1.ActionPlan{}: all, &v1alpha1.Team{}: all, &v1alpha1.ResponseStore{}: all,
			&v1alpha1.AccountabilityPolicy{}: all, &v1alpha1.Review{}: all,
		},
	}
	for _, namespace := range namespaces {
		if o.DefaultNamespaces == nil {
			o.DefaultNamespaces = map[string]cache.Config{}
		}
		o.DefaultNamespaces[namespace] = cache.Config{}
	}
	return o
}

// Setup adds every controller to the manager, each with the number of workers, and its look-ups to the manager's cache.
func Setup(ctx context.Context, mgr ctrl.Manager, e *env.Env, workers int) error {
	if err := env.AddIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	for name, r := range map[string]interface {
		SetupWithManager(mgr ctrl.Manager, workers int) error
	}{
		"team":          &team.Reconciler{Env: e},
		"responsestore": &responsestore.Reconciler{Env: e, APIReader: mgr.GetAPIReader()},
		"surveyprogram": &surveyprogram.Reconciler{Env: e, APIReader: mgr.GetAPIReader()},
		"touchpoint":    &touchpoint.Reconciler{Env: e},
		"actionplan":    &actionplan.Reconciler{Env: e},

		"accountabilitypolicy": &accountabilitypolicy.Reconciler{Env: e},
		"review":               &review.Reconciler{Env: e},
		"notifier":             &notifier.Reconciler{Env: e, APIReader: mgr.GetAPIReader()},
	} {
		if err := r.SetupWithManager(mgr, workers); err != nil {
			return fmt.Errorf("set up controller %s: %w", name, err)
		}
	}
	return nil
}
