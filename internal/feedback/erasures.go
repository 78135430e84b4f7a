package feedback

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/desk"
)

// The longest receipt and contact that can be meant, in bytes.
const (
	maxReceipt = 64
	maxContact = 254 * 4
)

// erasures serves the resource erasures, which can be created only.
type erasures struct {
	b *Backend
}

var (
	_ rest.Scoper               = erasures{}
	_ rest.Creater              = erasures{}
	_ rest.SingularNameProvider = erasures{}
)

// New implements rest.Storage.
func (erasures) New() runtime.Object { return &feedbackv1alpha1.Erasure{} }

// Destroy implements rest.Storage.
func (erasures) Destroy() {}

// NamespaceScoped implements rest.Scoper.
func (erasures) NamespaceScoped() bool { return true }

// GetSingularName implements rest.SingularNameProvider.
func (erasures) GetSingularName() string { return "erasure" }

// Create implements rest.Creater. Whose contact it was is not in the answer: it would be in the logs of the next program.
func (s erasures) Create(ctx context.Context, object runtime.Object, validate rest.ValidateObjectFunc, o *metav1.CreateOptions) (runtime.Object, error) {
	asked, ok := object.(*feedbackv1alpha1.Erasure)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("not an Erasure: %T", object))
	}
	what, errs := erasureOf(asked.Spec)
	if len(errs) > 0 {
		return nil, apierrors.NewInvalid(kind("Erasure"), asked.Name, errs)
	}
	name := asked.Spec.ProgramRef.Name
	program, err := s.b.program(ctx, request.NamespaceValue(ctx), name, apierrors.NewNotFound(programsResource, name))
	if err != nil {
		return nil, err
	}
	if validate != nil {
		if err := validate(ctx, object); err != nil {
			return nil, err
		}
	}
	done := &feedbackv1alpha1.Erasure{
		TypeMeta:   metav1.TypeMeta{APIVersion: feedbackv1alpha1.GroupVersion.String(), Kind: "Erasure"},
		ObjectMeta: metav1.ObjectMeta{Namespace: program.Namespace, Name: asked.Name},
		Spec:       feedbackv1alpha1.ErasureSpec{ProgramRef: asked.Spec.ProgramRef, CaseRef: asked.Spec.CaseRef},
	}
	if o != nil && len(o.DryRun) > 0 {
		return done, nil
	}
	d, err := s.b.Desk(program)
	if err != nil {
		return nil, s.b.away(err, "reach the cases", keyOf(program))
	}
	done.Status.Erased, err = d.EraseContacts(ctx, keyOf(program), what, s.b.Clock())
	if err != nil {
		return nil, s.b.answer(err, "erase the contact", keyOf(program), "")
	}
	return done, nil
}

// erasureOf says whose contact is meant. The errors never repeat it.
func erasureOf(spec feedbackv1alpha1.ErasureSpec) (desk.Erasure, field.ErrorList) {
	var errs field.ErrorList
	e := desk.Erasure{Receipt: spec.Receipt, Contact: spec.Contact}
	set := 0
	for _, given := range []bool{spec.Receipt != "", spec.Contact != "", spec.CaseRef != nil} {
		if given {
			set++
		}
	}
	if set != 1 {
		errs = append(errs, field.Forbidden(specPath, "exactly one of receipt, contact and caseRef must be set"))
	}
	if spec.ProgramRef.Name == "" {
		errs = append(errs, field.Required(specPath.Child("programRef", "name"), "it names the program whose cases are meant"))
	}
	if len(spec.Receipt) > maxReceipt {
		errs = append(errs, field.TooLong(specPath.Child("receipt"), "", maxReceipt))
	}
	if len(spec.Contact) > maxContact {
		errs = append(errs, field.TooLong(specPath.Child("contact"), "", maxContact))
	}
	if spec.CaseRef == nil {
		return e, errs
	}
	program, id, ok := splitName(spec.CaseRef.Name)
	if !ok || program != spec.ProgramRef.Name {
		errs = append(errs, field.Invalid(specPath.Child("caseRef", "name"), spec.CaseRef.Name, "it is the name of a case of the program: the program's, a dot, and a UUID"))
	}
	e.ID = id
	return e, errs
}
