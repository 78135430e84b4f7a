package env

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func TestSpecChanged(t *testing.T) {
	object := func(uid types.UID, generation int64, version, url string) *v1alpha1.Touchpoint {
		return &v1alpha1.Touchpoint{
			ObjectMeta: metav1.ObjectMeta{Name: "desk", UID: uid, Generation: generation, ResourceVersion: version},
			Status:     v1alpha1.TouchpointStatus{URL: url},
		}
	}
	old := object("a", 1, "10", "")
	for name, c := range map[string]struct {
		next *v1alpha1.Touchpoint
		want bool
	}{
		"nothing":                       {object("a", 1, "10", ""), false},
		"the status":                    {object("a", 1, "11", "http://survey.test"), false},
		"the spec":                      {object("a", 2, "11", ""), true},
		"another object of this name":   {object("b", 1, "11", ""), true},
		"another object and generation": {object("b", 2, "11", ""), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := SpecChanged.Update(event.UpdateEvent{ObjectOld: old, ObjectNew: c.next}); got != c.want {
				t.Errorf("passes: %v, want %v", got, c.want)
			}
		})
	}
	if !SpecChanged.Create(event.CreateEvent{Object: old}) || !SpecChanged.Delete(event.DeleteEvent{Object: old}) {
		t.Error("an object that comes or goes does not pass")
	}
}

func TestNews(t *testing.T) {
	p := &v1alpha1.ActionPlan{}
	if News.Create(event.CreateEvent{Object: p, IsInInitialList: true}) {
		t.Error("what was there at the start is news")
	}
	if !News.Create(event.CreateEvent{Object: p}) || !News.Delete(event.DeleteEvent{Object: p}) || !News.Update(event.UpdateEvent{ObjectOld: p, ObjectNew: p}) {
		t.Error("what comes, changes or goes is no news")
	}
}
