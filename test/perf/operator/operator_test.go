package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func line(verb, resource, subresource, name string, code int, message string) string {
	e := map[string]any{
		"stage": "ResponseComplete", "verb": verb, "responseStatus": map[string]any{"code": code, "message": message},
		"objectRef": map[string]any{"resource": resource, "subresource": subresource, "namespace": "a", "name": name},
	}
	text, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return string(text) + "\n"
}

// A line that is still being written is read the next time.
func TestCount(t *testing.T) {
	whole := line("patch", "touchpoints", "status", "t", 200, "") + line("patch", "touchpoints", "status", "t", 409, "") +
		line("get", "secrets", "", "s", 404, "") + line("create", "secrets", "", "s", 201, "") + line("watch", "teams", "", "", 200, "") +
		line("patch", "teams", "", "x", 422, "is wrong") + `{"stage":"ResponseStarted","verb":"list","objectRef":{"resource":"teams"}}` + "\n"
	c, read, err := count(strings.NewReader(whole + `{"stage":"Resp`))
	if err != nil || read != int64(len(whole)) {
		t.Fatalf("read %d of %d, %v", read, len(whole), err)
	}
	if got, want := c.String(), "patch touchpoints/status 2, create secrets 1, get secrets 1, patch teams 1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if c.all() != 5 || c.writes() != 4 || c.conflicts != 1 || c.failures != 1 || c.failed != "patch teams a/x: 422 is wrong" {
		t.Errorf("%d, of which %d write; conflicts %d, failures %d: %q", c.all(), c.writes(), c.conflicts, c.failures, c.failed)
	}
	if diff := cmp.Diff(map[string]int{"patch touchpoints/status": 1}, c.repeated()); diff != "" {
		t.Errorf("repeated (-want +got):\n%s", diff)
	}
	if _, _, err := count(strings.NewReader("no JSON\n")); err == nil {
		t.Error("a line that is no JSON was counted")
	}
}

func TestProc(t *testing.T) {
	used, err := parseCPU("42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 1 0 5 6 7")
	if err != nil || used != 2*time.Second {
		t.Errorf("CPU %v, %v", used, err)
	}
	if _, err := parseCPU("42 (a"); err == nil {
		t.Error("half a line was read")
	}
	status := "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n"
	if n, err := statusKiB(status, "VmRSS"); n != 1<<20 || err != nil {
		t.Errorf("memory %d, %v", n, err)
	}
	if _, err := statusKiB(status, "VmSwap"); err == nil {
		t.Error("a line that is not there was read")
	}
}

// However it is divided, everything is there, and each touchpoint comes after its program.
func TestInputs(t *testing.T) {
	for name, s := range map[string]size{
		"even":       {programs: 20, touchpoints: 100, teams: 10, namespaces: 2},
		"uneven":     {programs: 7, touchpoints: 11, teams: 5, namespaces: 3},
		"none owned": {programs: 1, touchpoints: 2, namespaces: 1},
		"dedicated":  {programs: 5, teams: 2, namespaces: 2, dedicated: true},
	} {
		all, err := s.inputs()
		if err != nil {
			t.Fatal(name, err)
		}
		seen := map[key]bool{}
		kinds := map[string]int{}
		for _, i := range all {
			if seen[i.key()] {
				t.Errorf("%s: %s twice", name, i.key())
			}
			seen[i.key()] = true
			kinds[i.resource]++
			var o struct {
				Spec struct{ ProgramRef, StoreRef, OwnerRef *struct{ Name string } }
			}
			if err := json.Unmarshal(i.body, &o); err != nil {
				t.Fatal(err)
			}
			for resource, ref := range map[string]*struct{ Name string }{programs: o.Spec.ProgramRef, stores: o.Spec.StoreRef, teams: o.Spec.OwnerRef} {
				if ref != nil && !seen[key{resource, i.namespace, ref.Name}] {
					t.Errorf("%s: %s names %s %s, which is not there before it", name, i.key(), resource, ref.Name)
				}
			}
		}
		want := map[string]int{programs: s.programs, stores: s.stores()}
		if s.teams > 0 {
			want[teams] = s.teams
		}
		if s.touchpoints > 0 {
			want[touchpoints] = s.touchpoints
		}
		if diff := cmp.Diff(want, kinds); diff != "" || len(all) != s.objects() {
			t.Errorf("%s: %d objects (-want +got):\n%s", name, len(all), diff)
		}
	}
}

func TestPercentile(t *testing.T) {
	var all []time.Duration
	for i := range 100 {
		all = append(all, time.Duration(i+1))
	}
	for percent, want := range map[int]time.Duration{50: 50, 99: 99, 100: 100} {
		if got := percentile(all, percent); got != want {
			t.Errorf("p%d is %d, want %d", percent, got, want)
		}
	}
	if got := percentile(all[:3], 99); got != 3 {
		t.Errorf("p99 of three is %d", got)
	}
}

// An object that is done and then not any more is awaited again.
func TestWatcher(t *testing.T) {
	w := &watcher{done: func(_ string, o *object) bool { return o.observed() }, objects: map[key]bool{}, last: map[key]string{}, wishes: map[key]*wish{}}
	at := func(name string, generation, observed int64) *object {
		o := &object{}
		o.Metadata.Namespace, o.Metadata.Name, o.Metadata.Generation, o.Status.ObservedGeneration = "a", name, generation, observed
		return o
	}
	w.await([]key{{teams, "a", "x"}, {teams, "a", "y"}})
	begun := time.Now()
	w.note(teams, "ADDED", at("x", 1, 1), begun)
	w.note(teams, "MODIFIED", at("x", 2, 1), begun)
	w.note(teams, "ADDED", at("y", 1, 1), begun)
	w.note(teams, "ADDED", at("other", 1, 1), begun)
	if missing, _, _ := w.state(); missing != 1 || w.examples() != `teams a/x: Ready ""` {
		t.Fatalf("%d missing: %s", missing, w.examples())
	}
	wished := w.wish(key{teams, "a", "x"}, func(o *object) bool { return o.Status.ObservedGeneration == 2 })
	end := begun.Add(time.Second)
	w.note(teams, "MODIFIED", at("x", 2, 2), end)
	done, err := w.converged(t.Context(), time.Minute, func(int) {})
	if err != nil || !done.Equal(end) {
		t.Errorf("done at %v, %v, want %v", done, err, end)
	}
	if got := <-wished; !got.Equal(end) {
		t.Errorf("the wish came true at %v", got)
	}
}

func TestParallel(t *testing.T) {
	items := []int{1, 2, 3, 4, 5, 6, 7, 8}
	done := make(chan int, len(items))
	if err := parallel(t.Context(), 3, items, func(_ context.Context, i int) error { done <- i; return nil }); err != nil || len(done) != len(items) {
		t.Errorf("%d of %d, %v", len(done), len(items), err)
	}
	broken := errors.New("broken")
	err := parallel(t.Context(), 2, items, func(_ context.Context, i int) error {
		if i == 2 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}
