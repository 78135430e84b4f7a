package render

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func program() *v1alpha1.SurveyProgram {
	return &v1alpha1.SurveyProgram{ObjectMeta: metav1.ObjectMeta{Namespace: "sfo", Name: "visits", UID: "u1"}}
}

// numbered makes r1, r2, ... in turn.
func numbered() func() string {
	n := 0
	return func() string { n++; return fmt.Sprintf("r%d", n) }
}

func settled() *corev1.Secret {
	s := Tokens(program(), nil, numbered())
	s.ResourceVersion = "7"
	return s
}

func TestTokensOfANewProgram(t *testing.T) {
	yes := true
	want := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "sfo", Name: "visits-tokens",
			Labels: map[string]string{
				"app.kubernetes.io/managed-by": "cx-operator", "cx-operator.io/program": "visits", "cx-operator.io/tokens": "true",
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "cx-operator.io/v1alpha1", Kind: "SurveyProgram", Name: "visits", UID: "u1", Controller: &yes, BlockOwnerDeletion: &yes,
			}},
		},
		Data: map[string][]byte{"import": []byte("r1"), "internal": []byte("r2"), "read": []byte("r3"), "sign": []byte("r4")},
	}
	if diff := cmp.Diff(want, Tokens(program(), nil, numbered())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTokensThatNeedNoChange(t *testing.T) {
	if got := Tokens(program(), settled(), func() string { t.Error("a token was made"); return "x" }); got != nil {
		t.Errorf("%+v, want nil", got)
	}
}

func TestTokensOfAnExistingSecret(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*corev1.Secret)
		check  func(*corev1.Secret) bool
	}{
		"a key is missing": {
			func(s *corev1.Secret) { delete(s.Data, "read") },
			func(s *corev1.Secret) bool { return string(s.Data["read"]) == "r1" && string(s.Data["import"]) == "r1" },
		},
		"a key is empty": {
			func(s *corev1.Secret) { s.Data["sign"] = nil },
			func(s *corev1.Secret) bool { return string(s.Data["sign"]) == "r1" },
		},
		"no data at all": {
			func(s *corev1.Secret) { s.Data = nil },
			func(s *corev1.Secret) bool { return len(s.Data) == 4 },
		},
		"no labels": {
			func(s *corev1.Secret) { s.Labels = nil },
			func(s *corev1.Secret) bool { return s.Labels["cx-operator.io/tokens"] == "true" },
		},
		"a label of people's": {
			func(s *corev1.Secret) { s.Labels = map[string]string{"mine": "yes", "cx-operator.io/tokens": "no"} },
			func(s *corev1.Secret) bool {
				return s.Labels["mine"] == "yes" && s.Labels["cx-operator.io/tokens"] == "true" && len(s.Labels) == 4
			},
		},
		"no owner": {
			func(s *corev1.Secret) { s.OwnerReferences = nil },
			func(s *corev1.Secret) bool { return metav1.GetControllerOf(s).Name == "visits" },
		},
		"another key of people's": {
			func(s *corev1.Secret) { s.Data["other"], s.Labels = []byte("kept"), nil },
			func(s *corev1.Secret) bool {
				return string(s.Data["other"]) == "kept" && string(s.Data["read"]) == "r3"
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			current := settled()
			c.change(current)
			before := current.DeepCopy()
			got := Tokens(program(), current, numbered())
			if got == nil || !c.check(got) || got.ResourceVersion != "7" {
				t.Errorf("%+v", got)
			}
			if diff := cmp.Diff(before, current); diff != "" {
				t.Errorf("the current Secret was changed:\n%s", diff)
			}
			if got != nil && Tokens(program(), got, numbered()) != nil {
				t.Error("not settled after one change")
			}
		})
	}
}

// A Secret that another controller owns keeps its owner: an object has one at the most.
func TestTokensOwnedByAnother(t *testing.T) {
	current := settled()
	current.OwnerReferences[0].Name, current.OwnerReferences[0].Kind = "vault", "ExternalSecret"
	if got := Tokens(program(), current, numbered()); got != nil {
		t.Errorf("owners %+v", got.OwnerReferences)
	}
}
