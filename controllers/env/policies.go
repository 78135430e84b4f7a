package env

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// Policies returns the AccountabilityPolicies of a namespace from the cache, those that are being deleted as well: internal/policy
// passes over them.
func (e *Env) Policies(ctx context.Context, namespace string) ([]v1alpha1.AccountabilityPolicy, error) {
	list := &v1alpha1.AccountabilityPolicyList{}
	if err := e.Client.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list policies: %w", err)
	}
	return list.Items, nil
}
