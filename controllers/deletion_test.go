package controllers_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// A deleted store takes its file along where it says so, also where the operator was not there to see it.
func TestStoreDeletionPolicy(t *testing.T) {
	t.Parallel()
	deleting := strings.Replace(sqliteStore("answers"), "sqlite: {}", "sqlite: {}, deletionPolicy: Delete", 1)
	for name, c := range map[string]struct {
		policy string
		away   bool
		anew   bool
		kept   bool
	}{
		"Retain":                                   {sqliteStore("answers"), false, false, true},
		"Delete":                                   {deleting, false, false, false},
		"Delete while nobody ran":                  {deleting, true, false, false},
		"Delete and made anew while nobody ran":    {deleting, true, true, false},
		"Delete that was taken back before":        {deleting + "---" + strings.Replace(deleting, "Delete", "Retain", 1), false, false, true},
		"Retain, although nobody was there to see": {sqliteStore("answers"), true, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			for _, text := range strings.SplitAfter(c.policy, "---") {
				w.applyYAML(strings.TrimSuffix(text, "---"))
				becomes[*v1alpha1.ResponseStore](w, "answers", "Ready", "True/Reconciled")
				w.settle()
			}
			first, err := os.Stat(w.storePath("answers"))
			if err != nil {
				t.Fatal(err)
			}
			if c.away {
				w.stop()
			}
			remove[*v1alpha1.ResponseStore](w, "answers")
			if c.anew {
				w.applyYAML(sqliteStore("answers"))
			}
			if c.away {
				w.start()
			}
			reason := "DataDeleted: the file " + w.storePath("answers") + " was deleted"
			if c.kept {
				reason = "DataRetained: the file " + w.storePath("answers") + " of the operator keeps the answers"
			}
			w.eventually("what became of it", func() error {
				info, err := os.Stat(w.storePath("answers"))
				same := err == nil && os.SameFile(first, info)
				if same != c.kept {
					return fmt.Errorf("the file is kept: %v", same)
				}
				if c.away && c.kept {
					return nil
				}
				if seen := fmt.Sprint(w.events()); !strings.Contains(seen, reason) {
					return fmt.Errorf("events %s", seen)
				}
				return nil
			})
			w.settle()
			if info, err := os.Stat(w.storePath("answers")); (err == nil && os.SameFile(first, info)) != c.kept {
				t.Errorf("in the end: %v", err)
			}
		})
	}
}

// The volume of a Dedicated program's store is the store's: it goes with it where the store says so.
func TestDedicatedClaim(t *testing.T) {
	t.Parallel()
	w := startDedicated(t)
	claim := get[*corev1.PersistentVolumeClaim](w, "answers-answers")
	if len(claim.OwnerReferences) > 0 {
		t.Errorf("a claim that is kept has owners %+v", claim.OwnerReferences)
	}
	change(w, "answers", func(s *v1alpha1.ResponseStore) { s.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
	w.eventually("the claim is the store's", func() error {
		if rs := get[*v1alpha1.ResponseStore](w, "answers"); !metav1.IsControlledBy(get[*corev1.PersistentVolumeClaim](w, claim.Name), rs) {
			return fmt.Errorf("owners %+v", get[*corev1.PersistentVolumeClaim](w, claim.Name).OwnerReferences)
		}
		return nil
	})
	w.settle()
	remove[*v1alpha1.ResponseStore](w, "answers")
	w.eventually("an event tells", func() error {
		if seen := w.events(); seen["ResponseStore/answers DataDeleted: the PersistentVolumeClaim answers-answers is deleted with its answers, as deletionPolicy says"] != 1 {
			return fmt.Errorf("events %v", seen)
		}
		return nil
	})
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/StoreNotFound", "EndpointReady", "True/EndpointReady")
}
