package render

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func responseStore() *v1alpha1.ResponseStore {
	return &v1alpha1.ResponseStore{ObjectMeta: metav1.ObjectMeta{Namespace: "sfo", Name: "answers", UID: "u2"}}
}

func TestKeysOfANewStore(t *testing.T) {
	yes := true
	want := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "sfo", Name: "answers-keys",
			Labels: map[string]string{"app.kubernetes.io/managed-by": "cx-operator", "cx-operator.io/tokens": "true"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "cx-operator.io/v1alpha1", Kind: "ResponseStore", Name: "answers", UID: "u2", Controller: &yes, BlockOwnerDeletion: &yes,
			}},
		},
		Data: map[string][]byte{"cases": []byte("r1"), "contacts": []byte("r2")},
	}
	got := Keys(responseStore(), nil, numbered())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again := Keys(responseStore(), got, func() string { t.Error("a key was made"); return "x" }); again != nil {
		t.Errorf("%+v, want nil", again)
	}
}

// A key that exists is never replaced: people whose contact was hashed under it would be asked again too soon.
func TestKeysOfAnExistingSecret(t *testing.T) {
	own := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "sfo", Name: "answers-keys", ResourceVersion: "7"},
		Data:       map[string][]byte{"contacts": []byte("ours"), "other": []byte("kept")},
	}
	got := Keys(responseStore(), own, numbered())
	if got == nil || string(got.Data["contacts"]) != "ours" || string(got.Data["cases"]) != "r1" || string(got.Data["other"]) != "kept" || got.ResourceVersion != "7" {
		t.Fatalf("%+v", got)
	}
	if got.Labels["cx-operator.io/tokens"] != "true" || metav1.GetControllerOf(got).Name != "answers" || len(own.Labels) > 0 {
		t.Errorf("adopted as %+v", got.ObjectMeta)
	}
	got.Data["contacts"] = nil
	if again := Keys(responseStore(), got, numbered()); again == nil || string(again.Data["contacts"]) != "r1" {
		t.Errorf("an empty key stays: %+v", again)
	}
}
