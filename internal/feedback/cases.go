package feedback

import (
	"context"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/store"
)

// cases serves the resource cases. It has no Watch: nobody tells the operator of a change in a store, and a watch that
// misses changes would be worse than none.
type cases struct {
	b *Backend
}

var (
	_ rest.Scoper               = cases{}
	_ rest.Getter               = cases{}
	_ rest.Lister               = cases{}
	_ rest.Patcher              = cases{}
	_ rest.SingularNameProvider = cases{}
	_ rest.ShortNamesProvider   = cases{}
)

// New implements rest.Storage.
func (cases) New() runtime.Object { return &feedbackv1alpha1.Case{} }

// NewList implements rest.Lister.
func (cases) NewList() runtime.Object { return &feedbackv1alpha1.CaseList{} }

// Destroy implements rest.Storage.
func (cases) Destroy() {}

// NamespaceScoped implements rest.Scoper.
func (cases) NamespaceScoped() bool { return true }

// GetSingularName implements rest.SingularNameProvider.
func (cases) GetSingularName() string { return "case" }

// ShortNames implements rest.ShortNamesProvider.
func (cases) ShortNames() []string { return []string{"cxcase"} }

// place is a case's program, the desk where it is worked on, and its ID.
type place struct {
	program *v1alpha1.SurveyProgram
	desk    desk.Desk
	id      string
}

// find returns where the case of a name is worked on.
func (b *Backend) find(ctx context.Context, name string) (place, error) {
	missing := apierrors.NewNotFound(casesResource, name)
	programName, id, ok := splitName(name)
	if !ok {
		return place{}, missing
	}
	program, err := b.program(ctx, request.NamespaceValue(ctx), programName, missing)
	if err != nil {
		return place{}, err
	}
	d, err := b.Desk(program)
	if err != nil {
		return place{}, b.away(err, "reach the cases", keyOf(program))
	}
	return place{program: program, desk: d, id: id}, nil
}

// read returns a case as it is in its store, and as the API shows it.
func (b *Backend) read(ctx context.Context, at place, name string) (store.Case, *feedbackv1alpha1.Case, error) {
	c, err := at.desk.Case(ctx, keyOf(at.program), at.id)
	if err != nil {
		return c, nil, b.answer(err, "read the case", keyOf(at.program), name)
	}
	return c, caseOf(c, b.owner(ctx, at.program, c.Touchpoint), b.Clock()), nil
}

// Get implements rest.Getter.
func (s cases) Get(ctx context.Context, name string, _ *metav1.GetOptions) (runtime.Object, error) {
	at, err := s.b.find(ctx, name)
	if err != nil {
		return nil, err
	}
	_, shown, err := s.b.read(ctx, at, name)
	if err != nil {
		return nil, err
	}
	return shown, nil
}

// Update implements rest.Updater. Of two people who change a case at once, the second one's change is a conflict.
func (s cases) Update(ctx context.Context, name string, info rest.UpdatedObjectInfo, _ rest.ValidateObjectFunc,
	validate rest.ValidateObjectUpdateFunc, _ bool, o *metav1.UpdateOptions) (runtime.Object, bool, error) {
	at, err := s.b.find(ctx, name)
	if err != nil {
		return nil, false, err
	}
	current, old, err := s.b.read(ctx, at, name)
	if err != nil {
		return nil, false, err
	}
	updated, err := info.UpdatedObject(ctx, old.DeepCopy())
	if err != nil {
		return nil, false, err
	}
	next, ok := updated.(*feedbackv1alpha1.Case)
	if !ok {
		return nil, false, apierrors.NewBadRequest(fmt.Sprintf("not a Case: %T", updated))
	}
	if err := precondition(info, old, next); err != nil {
		return nil, false, err
	}
	change, changed, errs := changeOf(old, next, current.Version, userName(ctx), s.b.Clock())
	errs = append(errs, s.checkPlan(ctx, change)...)
	if len(errs) > 0 {
		return nil, false, apierrors.NewInvalid(kind("Case"), name, errs)
	}
	if validate != nil {
		if err := validate(ctx, next, old); err != nil {
			return nil, false, err
		}
	}
	switch {
	case !changed:
		return old, false, nil
	case o != nil && len(o.DryRun) > 0:
		return preview(old, change), false, nil
	}
	after, err := at.desk.ChangeCase(ctx, keyOf(at.program), change)
	if err != nil {
		return nil, false, s.b.answer(err, "change the case", keyOf(at.program), name)
	}
	return caseOf(after, old.Status.Owner, s.b.Clock()), false, nil
}

// precondition refuses a change that was made from another state of the case.
func precondition(info rest.UpdatedObjectInfo, old, next *feedbackv1alpha1.Case) error {
	if p := info.Preconditions(); p != nil && p.UID != nil && *p.UID != old.UID {
		return conflict(old.Name)
	}
	switch next.ResourceVersion {
	case old.ResourceVersion:
		return nil
	case "", "0":
		return apierrors.NewInvalid(kind("Case"), old.Name, field.ErrorList{
			field.Required(metaPath.Child("resourceVersion"), "a case is changed from the state that was read"),
		})
	}
	if _, err := strconv.ParseInt(next.ResourceVersion, 10, 64); err != nil {
		return apierrors.NewInvalid(kind("Case"), old.Name, field.ErrorList{
			field.Invalid(metaPath.Child("resourceVersion"), next.ResourceVersion, "it is a whole number"),
		})
	}
	return conflict(old.Name)
}

// checkPlan refuses a plan that does not exist.
func (s cases) checkPlan(ctx context.Context, change store.CaseChange) field.ErrorList {
	if change.Plan == nil || *change.Plan == "" || len(*change.Plan) > maxPlanName {
		return nil
	}
	err := s.b.Reader.Get(ctx, client.ObjectKey{Namespace: request.NamespaceValue(ctx), Name: *change.Plan}, &v1alpha1.ActionPlan{})
	switch {
	case err == nil:
		return nil
	case apierrors.IsNotFound(err):
		return field.ErrorList{field.NotFound(specPath.Child("planRef", "name"), *change.Plan)}
	}
	return field.ErrorList{field.InternalError(specPath.Child("planRef", "name"), err)}
}

func userName(ctx context.Context) string {
	if user, ok := request.UserFrom(ctx); ok {
		return user.GetName()
	}
	return ""
}

// List implements rest.Lister.
func (s cases) List(ctx context.Context, o *internalversion.ListOptions) (runtime.Object, error) {
	if o == nil {
		o = &internalversion.ListOptions{}
	}
	w, err := selected(o)
	if err != nil {
		return nil, err
	}
	if w.name != "" && !w.nothing {
		return s.one(ctx, w)
	}
	programs, err := s.b.programs(ctx, request.NamespaceValue(ctx))
	if err != nil {
		return nil, err
	}
	return s.page(ctx, o, w, programs)
}

// one is a list by name: the case, where it is also all else that is asked for.
func (s cases) one(ctx context.Context, w wanted) (runtime.Object, error) {
	list := &feedbackv1alpha1.CaseList{Items: []feedbackv1alpha1.Case{}}
	found, err := s.Get(ctx, w.name, nil)
	switch {
	case apierrors.IsNotFound(err):
		return list, nil
	case err != nil:
		return nil, err
	}
	if c, ok := found.(*feedbackv1alpha1.Case); ok && w.fits(c) {
		c.Status.Answers, c.Status.History = nil, nil
		list.Items = append(list.Items, *c)
	}
	return list, nil
}
