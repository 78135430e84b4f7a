//go:build linux && e2e

// Package dedicated runs programs by pods of their own, on SQLite and on PostgreSQL, and replaces, scales and upgrades them
// while people answer: what was acknowledged must be there afterwards, once.
package dedicated

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/hack/node"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/test/e2e/cluster"
	"github.com/cx-operator/cx-operator/test/ledger"
)

const (
	patience = 2 * time.Minute
	// rate is how many answers each program gets in a second.
	rate = 8
	// settle is how long the last answers may take once no more are begun.
	settle = time.Minute
)

// suite is two programs on one cluster.
type suite struct {
	*cluster.Cluster
	airport, clinic *cluster.Program
}

func TestDedicatedPrograms(t *testing.T) {
	s := &suite{Cluster: cluster.Start(t)}
	postgres := cluster.StartPostgres(t)
	next := s.Image + "-next"
	if err := s.TagImage(t.Context(), s.Image, next); err != nil {
		t.Fatal(err)
	}
	s.Install(t, s.Image)
	s.clinic, s.airport = s.Clinic(t, postgres), s.Airport(t, node.StorageClass)

	t.Run("pods", s.testPods)
	t.Run("browser", s.testBrowser)
	t.Run("overview", s.testOverview)
	t.Run("survey edited", func(t *testing.T) {
		s.underLoad(t, func() {
			s.clinic.Patch(t, `{"spec":{"survey":{"title":{"en":"How was your visit to us?"}}}}`)
			s.airport.Patch(t, `{"spec":{"survey":{"title":{"en":"How was your time with us?","es":"¿Cómo fue su paso por SFO?"}}}}`)
			s.awaitTitle(t, s.clinic, "How was your visit to us?")
			s.awaitTitle(t, s.airport, "How was your time with us?")
			s.clinic.AwaitServed(t, 3)
			s.airport.AwaitServed(t, 1)
		})
	})
	t.Run("scaled", func(t *testing.T) {
		s.underLoad(t, func() {
			for _, replicas := range []int{1, 3} {
				s.clinic.Patch(t, fmt.Sprintf(`{"spec":{"endpoint":{"replicas":%d}}}`, replicas))
				s.clinic.AwaitServed(t, replicas)
			}
		})
	})
	t.Run("upgraded", func(t *testing.T) {
		s.underLoad(t, func() {
			s.Install(t, next)
			s.awaitImage(t, s.clinic, next)
			s.awaitImage(t, s.airport, next)
			s.clinic.AwaitServed(t, 3)
			s.airport.AwaitServed(t, 1)
		})
	})
	t.Run("backed up and restored", s.testBackup)
	t.Run("deleted", s.testDeleted)
}

// underLoad does something while both programs are answered, and sees that nothing is lost or doubled. On PostgreSQL nobody
// may be turned away either; on SQLite the one pod is away while it is replaced.
func (s *suite) underLoad(t *testing.T, do func()) {
	t.Helper()
	began := time.Now()
	clinic, airport := s.clinic.Ledger(rate), s.airport.Ledger(rate)
	stopClinic, stopAirport := clinic.Start(t.Context()), airport.Start(t.Context())
	do()
	stopClinic(settle)
	stopAirport(settle)
	s.compare(t, s.clinic, clinic, began)
	s.compare(t, s.airport, airport, began)
	if c := clinic.Counts(); c.Trouble() > 0 {
		t.Errorf("on PostgreSQL %d of %d attempts were turned away: %q", c.Trouble(), c.Attempts, c.Faults)
	}
	if c := airport.Counts(); c.Wrong > 0 {
		t.Errorf("on SQLite %d attempts got a wrong answer: %q", c.Wrong, c.Faults)
	}
}

func (s *suite) compare(t *testing.T, p *cluster.Program, l *ledger.Ledger, began time.Time) {
	t.Helper()
	r, c := l.Compare(p.Stored(t)), l.Counts()
	away, back := l.Recovery(began)
	t.Logf("%s: %d sent, %d acknowledged, %d lost, %d duplicated; of %d attempts %d unavailable, %d unanswered, the last %s after the start",
		p.Key, r.Sent, r.Acknowledged, r.Lost, r.Duplicated, c.Attempts, c.Unavailable, c.Unanswered, away.Round(time.Second))
	if r.Lost > 0 || r.Duplicated > 0 || r.Acknowledged != r.Sent || r.Sent == 0 || !back {
		t.Errorf("%s: %+v, want every answer once", p.Key, r)
	}
}

// testPods proves that the namespaces refuse what does not meet the restricted standard, which the endpoints' pods have met.
func (s *suite) testPods(t *testing.T) {
	for _, p := range []*cluster.Program{s.airport, s.clinic} {
		loose := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: p.Key.Namespace, Name: "loose"},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: s.Image}}},
		}
		err := s.Client.Create(t.Context(), loose)
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `violates PodSecurity "restricted`) {
			t.Errorf("a pod in %s that may run as root: error = %v, want that it violates the restricted standard", p.Key.Namespace, err)
		}
		for _, pod := range p.Pods(t) {
			for _, volume := range pod.Spec.Volumes {
				if volume.Projected != nil {
					t.Errorf("%s holds a token of the API server's", pod.Name)
				}
			}
			if restarts := pod.Status.ContainerStatuses[0].RestartCount; restarts > 0 {
				t.Errorf("%s was started %d times more than once", pod.Name, restarts)
			}
		}
	}
}

// testBrowser has a person answer by each program's Service.
func (s *suite) testBrowser(t *testing.T) {
	for _, p := range []*cluster.Program{s.airport, s.clinic} {
		const score = 4
		before := len(p.Stored(t).Scores)
		p.AnswerInABrowser(t, score)
		stored := p.Stored(t)
		found := 0
		for _, scores := range stored.Scores {
			if len(scores) == 1 && scores[0] == score {
				found++
			}
		}
		if len(stored.Scores) != before+1 || found != before+1 || len(stored.Differences) > 0 {
			t.Errorf("%s: %+v is stored, want one answer of %d more", p.Key, stored, score)
		}
	}
}

// testOverview looks at what people see by kubectl.
func (s *suite) testOverview(t *testing.T) {
	for _, p := range []*cluster.Program{s.airport, s.clinic} {
		got := s.Kubectl(t, "-n", p.Key.Namespace, "get", "surveyprogram,responsestore", "-o", "wide")
		described := s.Kubectl(t, "-n", p.Key.Namespace, "describe", "surveyprogram", p.Key.Name)
		t.Logf("\n%s\n%s", got, s.Kubectl(t, "-n", p.Key.Namespace, "get", "all,pvc,networkpolicy,pdb"))
		for _, want := range []string{"Dedicated", "Ready Replicas", "EndpointReady"} {
			if !strings.Contains(described, want) {
				t.Errorf("kubectl describe of %s does not say %s", p.Key, want)
			}
		}
	}
}

func (s *suite) awaitTitle(t *testing.T, p *cluster.Program, title string) {
	t.Helper()
	cluster.Await(t, "a page titled "+title, patience, func(ctx context.Context) error {
		page, err := p.Page(ctx)
		if err == nil && !strings.Contains(page, title) {
			err = errors.New("the title is another")
		}
		return err
	})
}

func (s *suite) awaitImage(t *testing.T, p *cluster.Program, image string) {
	t.Helper()
	cluster.Await(t, fmt.Sprintf("all pods of %s to run %s", p.Key, image), patience, func(context.Context) error {
		for _, pod := range p.Pods(t) {
			if got := pod.Spec.Containers[0].Image; got != image {
				return fmt.Errorf("%s runs %s", pod.Name, got)
			}
		}
		return nil
	})
}

// testDeleted deletes a program: its pods go, its answers stay, and it finds them again.
func (s *suite) testDeleted(t *testing.T) {
	before := s.airport.Stored(t)
	claim := client.ObjectKey{Namespace: s.airport.Key.Namespace, Name: render.ClaimName("responses")}
	s.Kubectl(t, "-n", s.airport.Key.Namespace, "delete", "surveyprogram", s.airport.Key.Name)
	cluster.Await(t, "the pods to be gone", patience, func(context.Context) error {
		if left := len(s.airport.Pods(t)); left > 0 {
			return fmt.Errorf("%d are left", left)
		}
		return nil
	})
	var kept corev1.PersistentVolumeClaim
	if err := s.Client.Get(t.Context(), claim, &kept); err != nil || kept.DeletionTimestamp != nil {
		t.Fatalf("the claim with the answers: %v, deleted %v", err, kept.DeletionTimestamp)
	}
	s.airport = s.Airport(t, node.StorageClass)
	if after := s.airport.Stored(t); len(after.Scores) != len(before.Scores) || len(after.Differences) > 0 {
		t.Errorf("%d answers are there again with %q, want %d", len(after.Scores), after.Differences, len(before.Scores))
	}
}
