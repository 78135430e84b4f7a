package controllers

import (
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// compactor makes objects small before a cache keeps them: nearly all memory of an operator with many programs is theirs.
type compactor struct {
	mu sync.Mutex
	// texts are those of conditions, which are the same in nearly all objects.
	texts map[string]string
}

// compactTexts is how many texts are kept to be shared, and compactLength how long one is at most.
const compactTexts, compactLength = 4096, 256

func newCompactor() *compactor { return &compactor{texts: map[string]string{}} }

// compact returns an object without what nobody here reads, which is who wrote which field, and kubectl's copy of what was applied.
// Its lists have no room to grow, which decoding leaves in them, and texts of conditions are shared.
func (c *compactor) compact(o any) (any, error) {
	obj, ok := o.(client.Object)
	if !ok { // a tombstone
		return o, nil
	}
	obj.SetManagedFields(nil)
	if annotations := obj.GetAnnotations(); annotations[corev1.LastAppliedConfigAnnotation] != "" {
		delete(annotations, corev1.LastAppliedConfigAnnotation)
	}
	small, ok := obj.DeepCopyObject().(client.Object) // whose lists are as long as needed
	if !ok {
		return o, nil
	}
	small.SetNamespace(c.share(small.GetNamespace()))
	conditions := conditionsOf(small)
	for i := range conditions {
		k := &conditions[i]
		k.Type, k.Reason, k.Message = c.share(k.Type), c.share(k.Reason), c.share(k.Message)
		k.Status = metav1.ConditionStatus(c.share(string(k.Status)))
	}
	return small, nil
}

// share returns an equal text that others have, too.
func (c *compactor) share(text string) string {
	if text == "" || len(text) > compactLength {
		return text
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if shared, known := c.texts[text]; known {
		return shared
	}
	if len(c.texts) == compactTexts {
		clear(c.texts) // texts with figures in them have filled it; the common ones are soon back
	}
	text = strings.Clone(text) // not a part of something larger
	c.texts[text] = text
	return text
}

func conditionsOf(o client.Object) []metav1.Condition {
	switch k := o.(type) {
	case *v1alpha1.SurveyProgram:
		return k.Status.Conditions
	case *v1alpha1.Touchpoint:
		return k.Status.Conditions
	case *v1alpha1.Team:
		return k.Status.Conditions
	case *v1alpha1.ActionPlan:
		return k.Status.Conditions
	case *v1alpha1.ResponseStore:
		return k.Status.Conditions
	case *v1alpha1.AccountabilityPolicy:
		return k.Status.Conditions
	case *v1alpha1.Review:
		return k.Status.Conditions
	}
	return nil
}
