package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// newDemo is a demo with a work folder of its own, run from the top folder of the repository.
func newDemo(t *testing.T) *demo {
	t.Helper()
	t.Chdir(testenv.Root())
	var out bytes.Buffer
	say := &console{out: &out, err: &out, now: time.Now, began: time.Now()}
	dir, release, err := openWorkDir(t.Context(), t.TempDir(), say.step)
	if err != nil {
		t.Fatal(err)
	}
	d := &demo{say: say, dir: dir, children: &children{dir: dir, failed: func(err error) { t.Error(err) }}}
	t.Cleanup(func() {
		if err := errors.Join(d.end(context.WithoutCancel(t.Context())), release()); err != nil {
			t.Error(err)
		}
	})
	return d
}

// TestLocalCluster runs all that the demo does before the operator starts: the cluster, the CRDs, the sample, and the end
// of it all.
func TestLocalCluster(t *testing.T) {
	d := newDemo(t)
	if err := d.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.installCRDs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.applySample(t.Context()); err != nil {
		t.Fatal(err)
	}

	t.Run("the sample covers the table", func(t *testing.T) { checkSample(t, d) })
	t.Run("the plan's sample is taken", func(t *testing.T) {
		plans, err := readFile("config/samples/action-plan.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.apply(t.Context(), plans); err != nil {
			t.Error(err)
		}
	})
	t.Run("kubectl works with the kubeconfig", func(t *testing.T) {
		command := exec.CommandContext(t.Context(), d.kubectl, "--kubeconfig", d.dir.file(kubeconfig), "-n", namespace, "get", "touchpoints", "-o", "name")
		out, err := command.CombinedOutput()
		if err != nil || strings.Count(string(out), "\n") != 18 {
			t.Errorf("%v: %s", err, out)
		}
	})
	t.Run("nothing is Ready without an operator", func(t *testing.T) {
		var touchpoints v1alpha1.TouchpointList
		if err := d.list(t.Context(), &touchpoints); err != nil {
			t.Fatal(err)
		}
		food := touchpoints.Items[0]
		pending := appendUnready(nil, "x", food.Generation, food.Status.ObservedGeneration, food.Status.Conditions)
		if len(pending) != 1 {
			t.Errorf("%v", pending)
		}
	})
	t.Run("a user's cluster is left as it was", func(t *testing.T) { checkLeave(t, d) })

	processes := make([]int, 0, len(d.children.all))
	for _, p := range d.children.all {
		processes = append(processes, p.cmd.Process.Pid)
	}
	if len(processes) < 2 {
		t.Fatalf("%d processes ran", len(processes))
	}
	if err := d.end(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, pid := range processes {
		if err := syscall.Kill(-pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process group %d is still there: %v", pid, err)
		}
	}
	if _, err := os.Stat(d.dir.file(kubeconfig)); !os.IsNotExist(err) {
		t.Errorf("the kubeconfig is still there: %v", err)
	}
}

// checkSample compares what the API server holds with the table: a touchpoint for each question, a team for each area.
func checkSample(t *testing.T, d *demo) {
	var touchpoints v1alpha1.TouchpointList
	var teams v1alpha1.TeamList
	if err := d.list(t.Context(), &touchpoints, &teams); err != nil {
		t.Fatal(err)
	}
	counts, err := readTable()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for i := range teams.Items {
		known[teams.Items[i].Name] = true
	}
	served := servedBy(touchpoints.Items)
	for _, c := range counts {
		if served[c.Question] != c.Question {
			t.Fatalf("question %s is served by touchpoint %q", c.Question, served[c.Question])
		}
		if team := "boarding-area-" + strings.ToLower(c.Area); !known[team] {
			t.Fatalf("there is no team %s", team)
		}
	}
	for i := range touchpoints.Items {
		touchpoint := &touchpoints.Items[i]
		owner := nameOf(touchpoint.Spec.OwnerRef)
		if touchpoint.Name == "rental-cars" {
			if owner != "" {
				t.Errorf("rental-cars is owned by %s", owner)
			}
			continue
		}
		if !known[owner] {
			t.Errorf("touchpoint %s is owned by %q, which is no team", touchpoint.Name, owner)
		}
	}
}

// checkLeave treats the test's cluster as a user's: what the demo made goes, what was there stays.
func checkLeave(t *testing.T, d *demo) {
	theirs := &corev1.Namespace{}
	theirs.Name = "theirs"
	if err := d.client.Create(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	if err := d.leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.client.Get(t.Context(), client.ObjectKey{Name: namespace}, &corev1.Namespace{}); !apierrors.IsNotFound(err) {
		t.Errorf("namespace %s: %v", namespace, err)
	}
	if err := d.client.Get(t.Context(), client.ObjectKeyFromObject(theirs), theirs); err != nil {
		t.Error(err)
	}

	occupied := &corev1.Namespace{}
	occupied.Name = namespace
	if err := d.client.Create(t.Context(), occupied); err != nil {
		t.Fatal(err)
	}
	if err := d.claim(t.Context()); err == nil || d.claimed {
		t.Errorf("a namespace that somebody else made was taken: %v", err)
	}
	if err := d.leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.client.Get(t.Context(), client.ObjectKeyFromObject(occupied), occupied); err != nil || !occupied.DeletionTimestamp.IsZero() {
		t.Errorf("the namespace that somebody else made is being removed: %v", err)
	}
}
