package feedback

import (
	"errors"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/store"
)

// retrySeconds is after how many seconds a client may ask again for what could not be reached. Clients of Kubernetes ask ten
// times by themselves.
const retrySeconds = 1

// away is the answer where a program's cases cannot be reached now. The cause is for the log: it may name addresses and
// paths.
func (b *Backend) away(cause error, action string, program store.Key) error {
	b.Log(cause, "Could not "+action, "namespace", program.Namespace, "program", program.Name)
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusServiceUnavailable, Reason: metav1.StatusReasonServiceUnavailable,
		Message: fmt.Sprintf("the cases of SurveyProgram %s cannot be reached now; its conditions and the operator's log say why", program),
		Details: &metav1.StatusDetails{RetryAfterSeconds: retrySeconds},
	}}
}

// answer turns the error of a desk about a case into the API's.
func (b *Backend) answer(err error, action string, program store.Key, name string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNotFound):
		return apierrors.NewNotFound(casesResource, name)
	case errors.Is(err, store.ErrChanged):
		return conflict(name)
	case errors.Is(err, store.ErrBackward):
		return apierrors.NewInvalid(kind("Case"), name, field.ErrorList{backward("", "")})
	case errors.Is(err, store.ErrBadPage):
		return badContinue()
	case errors.Is(err, desk.ErrErased):
		return &apierrors.StatusError{ErrStatus: metav1.Status{
			Status: metav1.StatusFailure, Code: http.StatusGone, Reason: metav1.StatusReasonGone,
			Message: fmt.Sprintf("the contact of case %s was erased", name),
		}}
	case errors.Is(err, desk.ErrSealed):
		return apierrors.NewInternalError(fmt.Errorf("the contact of case %s cannot be opened: the key that it was sealed with is gone", name))
	case errors.Is(err, desk.ErrInvalid):
		return apierrors.NewBadRequest(err.Error())
	}
	return b.away(err, action, program)
}

func conflict(name string) error {
	return apierrors.NewConflict(casesResource, name, errors.New("the case was changed meanwhile; read it again and apply your change to it"))
}

func badContinue() error {
	return apierrors.NewBadRequest("continue: not the token of a page of this list; begin again without it")
}
