// Package controllers adds every controller of the operator to a manager.
package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/actionplan"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/responsestore"
	"github.com/cx-operator/cx-operator/controllers/surveyprogram"
	"github.com/cx-operator/cx-operator/controllers/team"
	"github.com/cx-operator/cx-operator/controllers/touchpoint"
)

// The manager itself authenticates those who read /metrics. Its lease is in config/rbac/leader_election_role.yaml.
// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

// Scheme returns a scheme with Kubernetes' own types and those of this operator.
func Scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	return s
}

// CacheOptions returns what the operator caches: its own kinds, and of all Secrets those that it made.
func CacheOptions() cache.Options {
	tokens := labels.SelectorFromSet(labels.Set{v1alpha1.LabelTokens: "true"})
	return cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject:         map[client.Object]cache.ByObject{&corev1.Secret{}: {Label: tokens}},
	}
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
	} {
		if err := r.SetupWithManager(mgr, workers); err != nil {
			return fmt.Errorf("set up controller %s: %w", name, err)
		}
	}
	return nil
}
