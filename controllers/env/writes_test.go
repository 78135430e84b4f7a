package env

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func touchpoint(uid types.UID, generation int64, version string) *v1alpha1.Touchpoint {
	return &v1alpha1.Touchpoint{ObjectMeta: metav1.ObjectMeta{
		Namespace: "sfo", Name: "desk", UID: uid, Generation: generation, ResourceVersion: version,
	}}
}

func TestBehind(t *testing.T) {
	e := &Env{}
	if e.Behind(touchpoint("a", 1, "5")) {
		t.Error("behind what was never written")
	}
	e.writes.note(touchpoint("a", 1, "10"))
	program := &v1alpha1.SurveyProgram{ObjectMeta: metav1.ObjectMeta{Namespace: "sfo", Name: "desk", ResourceVersion: "5"}}
	for _, c := range []struct {
		name string
		obj  client.Object
		want bool
	}{
		{"the version before", touchpoint("a", 1, "9"), true},
		{"asked again", touchpoint("a", 1, "9"), true},
		{"an object of another kind", program, false},
		{"the version that was written", touchpoint("a", 1, "10"), false},
		{"nothing is remembered then", touchpoint("a", 1, "9"), false},
	} {
		if got := e.Behind(c.obj); got != c.want {
			t.Errorf("%s: behind %v, want %v", c.name, got, c.want)
		}
	}
	e.writes.note(touchpoint("a", 1, "20"))
	e.Gone(&v1alpha1.Touchpoint{}, client.ObjectKey{Namespace: "sfo", Name: "desk"})
	if e.Behind(touchpoint("b", 1, "9")) {
		t.Error("behind what an object wrote that is gone")
	}
}

func TestHold(t *testing.T) {
	var h Hold
	start := time.Unix(1000, 0)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	if h.Wait(touchpoint("a", 1, ""), start, 0) != 0 {
		t.Error("it waits where nothing is to wait")
	}
	for _, c := range []struct {
		name string
		obj  client.Object
		at   time.Duration
		want time.Duration
	}{
		{"at first", touchpoint("a", 1, ""), 0, 2 * time.Second},
		{"later", touchpoint("a", 1, ""), 1500 * time.Millisecond, 500 * time.Millisecond},
		{"in the end", touchpoint("a", 1, ""), 3 * time.Second, 0},
		{"another generation", touchpoint("a", 2, ""), 3 * time.Second, 2 * time.Second},
		{"another object of that name", touchpoint("b", 2, ""), 4 * time.Second, 2 * time.Second},
	} {
		if got := h.Wait(c.obj, at(c.at), 2*time.Second); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	h.End(client.ObjectKey{Namespace: "sfo", Name: "desk"})
	if got := h.Wait(touchpoint("b", 2, ""), at(time.Hour), time.Second); got != time.Second {
		t.Errorf("after its end it waits %s", got)
	}
}

func TestPace(t *testing.T) {
	key, start := client.ObjectKey{Name: "all"}, time.Unix(1000, 0)
	for name, c := range map[string]struct {
		share int
		took  time.Duration
		want  time.Duration
	}{
		"a clock that stands still": {20, 0, 0},
		"a short pass":              {20, time.Millisecond, paceLeast},
		"a long pass":               {20, 100 * time.Millisecond, 2 * time.Second},
		"a very long one":           {20, time.Minute, paceMost},
		"no share":                  {0, 100 * time.Millisecond, paceLeast},
	} {
		p := Pace{Share: c.share}
		ended := start.Add(c.took)
		p.Took(key, start, ended)
		if got := p.Wait(key, ended); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if got := p.Wait(key, ended.Add(c.want)); got != 0 {
			t.Errorf("%s: afterwards %s", name, got)
		}
	}
}
