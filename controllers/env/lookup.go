package env

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/team"
)

// Find reads an object by name and says whether it exists; one that is being deleted does not.
func (e *Env) Find(ctx context.Context, namespace, name string, obj client.Object) (bool, error) {
	err := e.Client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, obj)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("get %T %s/%s: %w", obj, namespace, name, err)
	}
	return obj.GetDeletionTimestamp().IsZero(), nil
}

// Teams returns a look-up of the teams of a namespace that reads each from the cache when it is asked for. A team that
// cannot be read counts as absent: the cache answers from memory, so that only absence is an answer.
func (e *Env) Teams(ctx context.Context, namespace string) team.Lookup {
	return func(name string) (*v1alpha1.Team, bool) {
		t := &v1alpha1.Team{}
		found, err := e.Find(ctx, namespace, name, t)
		return t, found && err == nil
	}
}

// MissingTeam returns the problem of a reference to a team that does not exist, or nil.
func MissingTeam(ref *v1alpha1.NameRef, field string, teams team.Lookup) []survey.Problem {
	if ref == nil {
		return nil
	}
	if _, ok := teams(ref.Name); ok {
		return nil
	}
	return []survey.Problem{{
		Reason: v1alpha1.ReasonTeamNotFound, Field: field + ".name",
		Message: fmt.Sprintf("no Team %q in this namespace", ref.Name),
	}}
}

// ShownOwner returns the team that stands in metrics for the first owner that exists: never a Person, "" for none.
func ShownOwner(teams team.Lookup, owners ...*v1alpha1.NameRef) string {
	for _, ref := range owners {
		if ref == nil {
			continue
		}
		if _, ok := teams(ref.Name); ok {
			return team.Shown(ref.Name, teams)
		}
	}
	return ""
}

// Requests lists the objects of one kind that an index finds, as requests.
func (e *Env) Requests(ctx context.Context, list client.ObjectList, namespace string, by ...client.ListOption) []reconcile.Request {
	options := append([]client.ListOption{client.InNamespace(namespace), client.UnsafeDisableDeepCopy}, by...)
	if err := e.Client.List(ctx, list, options...); err != nil {
		return nil
	}
	return requests(list)
}

func requests(list client.ObjectList) []reconcile.Request {
	var found []reconcile.Request
	_ = meta.EachListItem(list, func(o runtime.Object) error { // the function never fails
		if obj, ok := o.(client.Object); ok {
			found = append(found, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj)})
		}
		return nil
	})
	return found
}

// TeamAndBelow returns the names of a team and of all teams below it; a cycle ends the walk.
func (e *Env) TeamAndBelow(ctx context.Context, namespace, name string) []string {
	return e.below(ctx, namespace, name, func(*v1alpha1.Team) bool { return true })
}

// TeamAndPersons returns the names of a team and of the Persons below it, and below these. They are all for whom it can matter
// who is shown for them: any other team is shown for itself, whatever is above it.
func (e *Env) TeamAndPersons(ctx context.Context, namespace, name string) []string {
	return e.below(ctx, namespace, name, func(t *v1alpha1.Team) bool { return t.Spec.Level == v1alpha1.TeamPerson })
}

func (e *Env) below(ctx context.Context, namespace, name string, counts func(*v1alpha1.Team) bool) []string {
	seen := map[string]bool{name: true}
	names := []string{name}
	for i := 0; i < len(names); i++ {
		children := &v1alpha1.TeamList{}
		if err := e.Client.List(ctx, children, client.InNamespace(namespace), client.MatchingFields{IndexParent: names[i]}, client.UnsafeDisableDeepCopy); err != nil {
			return names
		}
		for k := range children.Items {
			if c := &children.Items[k]; !seen[c.Name] && counts(c) {
				seen[c.Name] = true
				names = append(names, c.Name)
			}
		}
	}
	return names
}
