package controllers_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// keyOf waits until the store has a key for contacts other than the last, and returns it.
func (w *world) keyOf(last string) string {
	w.t.Helper()
	var key string
	w.eventually("a key for contacts", func() error {
		secret := &corev1.Secret{}
		if err := w.c.Get(w.t.Context(), w.key("answers-keys"), secret); err != nil {
			return err
		}
		if key = string(secret.Data["contacts"]); key == "" || key == last {
			return fmt.Errorf("the key is %q", key)
		}
		return nil
	})
	return key
}

// A store has a key of its own under which contacts are hashed, also where no process opens it. It is made once.
func TestKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(missedVisits())
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	key := w.keyOf("")
	if len(key) != 43 { // 32 bytes in base64url
		t.Errorf("a key of %d characters", len(key))
	}
	made := get[*corev1.Secret](w, "answers-keys")
	if made.Labels[v1alpha1.LabelTokens] != "true" || made.Labels[v1alpha1.LabelManagedBy] != v1alpha1.ManagedByValue {
		t.Errorf("labels %v", made.Labels)
	}
	if owner := metav1.GetControllerOf(made); owner == nil || owner.Kind != "ResponseStore" || owner.Name != "answers" {
		t.Errorf("owner %+v, want the store", owner)
	}
	w.restart()
	w.settle()
	if diff := cmp.Diff(made.ResourceVersion, get[*corev1.Secret](w, "answers-keys").ResourceVersion); diff != "" {
		t.Error("the Secret was written at a restart")
	}

	remove[*corev1.Secret](w, "answers-keys")
	again := w.keyOf(key)
	w.settle()
	if w.keyOf("") != again {
		t.Error("the key was made twice")
	}
	becomes[*v1alpha1.ResponseStore](w, "answers", "Ready", "True/Reconciled")
}

// A Secret of that name that people made is adopted with the key that it has.
func TestKeysOfPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "answers-keys", Labels: map[string]string{"mine": "yes"}},
		Data:       map[string][]byte{"contacts": []byte("a-key-of-our-own"), "other": []byte("kept")},
	}
	if err := w.c.Create(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.applyYAML(sqliteStore("answers"))
	becomes[*v1alpha1.ResponseStore](w, "answers", "Ready", "True/Reconciled")
	adopted := get[*corev1.Secret](w, "answers-keys")
	if string(adopted.Data["contacts"]) != "a-key-of-our-own" || string(adopted.Data["other"]) != "kept" || adopted.Labels["mine"] != "yes" {
		t.Errorf("it lost what it held: labels %v", adopted.Labels)
	}
	if adopted.Labels[v1alpha1.LabelTokens] != "true" || metav1.GetControllerOf(adopted) == nil {
		t.Errorf("it was not adopted: %+v", adopted.ObjectMeta)
	}
	// Without the label nobody would see it change.
	change(w, "answers-keys", func(s *corev1.Secret) { s.Labels = nil })
	w.eventually("the label is back", func() error {
		if got := get[*corev1.Secret](w, "answers-keys").Labels; got[v1alpha1.LabelTokens] != "true" {
			return fmt.Errorf("labels %v", got)
		}
		return nil
	})
	if got := w.keyOf(""); got != "a-key-of-our-own" {
		t.Error("the key changed")
	}
}
