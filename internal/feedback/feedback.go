// Package feedback serves cases, contacts, erasures and the coaching view as an aggregated API of Kubernetes, so that
// kubectl, RBAC, client certificates and the audit log are the cluster's own. It keeps nothing: cases are those of the
// stores of answers, scores are those of the book of counts.
//
// It is served by the leader alone, since only the leader follows the endpoints of programs and reads their counts. A label
// on the leader's pod is what the Service selects (see Mark).
package feedback

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/team"
)

// Backend is what the API reads from and writes to.
type Backend struct {
	// Reader reads programs, touchpoints, teams, plans and policies; the manager's cache.
	Reader client.Reader
	// Desk returns where people work on the cases of a program.
	Desk func(program *v1alpha1.SurveyProgram) (desk.Desk, error)
	// Book holds the counts, and Source returns the name under which it knows those of a program.
	Book   *rollup.Book
	Source func(program *v1alpha1.SurveyProgram) string
	// Namespaces are the ones that Reader knows; none means all.
	Namespaces []string
	// Clock tells the time.
	Clock func() time.Time
	// Log takes what clients are not told: the causes of answers with status 503.
	Log func(err error, message string, keysAndValues ...any)
}

// Resources of the API, as errors name them.
var (
	casesResource     = resource("cases")
	coachingsResource = resource("coachings")
	programsResource  = schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "surveyprograms"}
)

func resource(name string) schema.GroupResource {
	return schema.GroupResource{Group: feedbackv1alpha1.GroupVersion.Group, Resource: name}
}

func kind(name string) schema.GroupKind {
	return feedbackv1alpha1.GroupVersion.WithKind(name).GroupKind()
}

// knows refuses a namespace that the operator does not look after: an empty list would claim that there is nothing.
func (b *Backend) knows(namespace string) error {
	if namespace == "" || len(b.Namespaces) == 0 || slices.Contains(b.Namespaces, namespace) {
		return nil
	}
	return apierrors.NewBadRequest(fmt.Sprintf("the operator works in the namespaces %s, not in %q", strings.Join(b.Namespaces, ", "), namespace))
}

// program returns a program that is not being deleted; NotFound, as that of the resource that was asked for, otherwise.
func (b *Backend) program(ctx context.Context, namespace, name string, missing error) (*v1alpha1.SurveyProgram, error) {
	if err := b.knows(namespace); err != nil {
		return nil, err
	}
	p := &v1alpha1.SurveyProgram{}
	err := b.Reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, p)
	switch {
	case apierrors.IsNotFound(err), err == nil && !p.DeletionTimestamp.IsZero():
		return nil, missing
	case err != nil:
		return nil, b.away(err, "read the program", store.Key{Namespace: namespace, Name: name})
	}
	return p, nil
}

// owner returns the team that contacts the customers of a touchpoint: its owner, else the program's; never a Person.
func (b *Backend) owner(ctx context.Context, p *v1alpha1.SurveyProgram, touchpoint string) string {
	teams := func(name string) (*v1alpha1.Team, bool) {
		t := &v1alpha1.Team{}
		err := b.Reader.Get(ctx, client.ObjectKey{Namespace: p.Namespace, Name: name}, t)
		return t, err == nil && t.DeletionTimestamp.IsZero()
	}
	owners := []*v1alpha1.NameRef{nil, p.Spec.OwnerRef}
	if touchpoint != "" {
		t := &v1alpha1.Touchpoint{}
		if err := b.Reader.Get(ctx, client.ObjectKey{Namespace: p.Namespace, Name: touchpoint}, t); err == nil {
			owners[0] = t.Spec.OwnerRef
		}
	}
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

func keyOf(p *v1alpha1.SurveyProgram) store.Key {
	return store.Key{Namespace: p.Namespace, Name: p.Name}
}
