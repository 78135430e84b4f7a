package feedback

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/registry/rest"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
)

// contacts serves the subresource cases/contact. It can be read only, one at a time.
type contacts struct {
	b *Backend
}

var _ rest.Getter = contacts{}

// New implements rest.Storage.
func (contacts) New() runtime.Object { return &feedbackv1alpha1.Contact{} }

// Destroy implements rest.Storage.
func (contacts) Destroy() {}

// Get implements rest.Getter.
func (s contacts) Get(ctx context.Context, name string, _ *metav1.GetOptions) (runtime.Object, error) {
	at, err := s.b.find(ctx, name)
	if err != nil {
		return nil, err
	}
	address, err := at.desk.Contact(ctx, keyOf(at.program), at.id)
	if err != nil {
		return nil, s.b.answer(err, "read the contact", keyOf(at.program), name)
	}
	return &feedbackv1alpha1.Contact{
		TypeMeta:   metav1.TypeMeta{APIVersion: feedbackv1alpha1.GroupVersion.String(), Kind: "Contact"},
		ObjectMeta: metav1.ObjectMeta{Namespace: at.program.Namespace, Name: name, UID: types.UID(at.id)},
		Address:    address,
	}, nil
}
