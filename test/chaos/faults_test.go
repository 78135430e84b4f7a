//go:build linux && e2e

package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/hack/node"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/test/e2e/cluster"
	"github.com/cx-operator/cx-operator/test/ledger"
)

// faults in the order in which they are tried.
var faults = []fault{
	{
		name: "endpoint pod killed", run: killOne, long: true,
		done: "kill -9 of one of three pods on PostgreSQL, and of the one on SQLite",
		seen: "connections to that pod break; on SQLite nobody is served until it has started again",
	},
	{
		name: "all endpoint pods killed", run: killAll,
		done: "kill -9 of every pod of both programs at once",
		seen: "nobody is served until the first has started again",
	},
	{
		name: "leader killed", run: killLeader,
		done: "kill -9 of the operator's pod that acts",
		seen: "nothing by respondents; figures stand still until the standby takes over, and no alert resolves or fires anew",
	},
	{
		name: "API server and etcd away", run: killControlPlane,
		done: "kill -9 of kube-apiserver and etcd, for a minute",
		seen: "nothing by respondents; figures stand still",
	},
	{
		name: "PostgreSQL killed", run: killPostgres,
		done: "kill -9 of the database server, started again later",
		seen: "503 with Retry-After; the pages keep what was filled in",
	},
	{
		name: "store slow", run: slowStore, long: true,
		done: "every packet to and from PostgreSQL is late by 200 ms",
		seen: "thanks come later",
	},
	{
		name: "store hangs", run: hangStore,
		done: "PostgreSQL keeps its connections and says nothing",
		seen: "503 with Retry-After after a wait",
	},
	{
		name: "disk full", run: fillDisk,
		done: "the volume of the SQLite store has no room left, then some again",
		seen: "503 with Retry-After",
	},
	{
		name: "operator cut off", run: cutOperator,
		done: "no packet passes between the operator and the endpoints",
		seen: "nothing by respondents; the verdict is Stale, then as before",
	},
	{
		name: "clock moved", run: moveClock,
		done: "the clocks of the operator and of all endpoints jump ahead by an hour, and back by restarts",
		seen: "nothing on PostgreSQL; on SQLite the restarts",
	},
	{
		name: "CRD upgraded", run: upgradeCRD,
		done: "a newer CRD has a field that the running operator does not know, and a program uses it",
		seen: "nothing; the field stays, and the program is followed as before",
	},
	{
		name: "rights revoked", run: revokeRights,
		done: "the operator's roles are unbound, and bound again later",
		seen: "nothing by respondents; figures stand still",
	},
	{
		name: "node's programs killed", run: killNode, long: true,
		done: "kill -9 of kubelet, containerd and kube-proxy, for half a minute",
		seen: "nothing",
	},
	{
		name: "endpoint hangs", run: freezeEndpoint, long: true,
		done: "one of three pods is stopped (SIGSTOP) for half a minute",
		seen: "who is connected to that pod waits; a few seconds later nobody is sent there",
	},
	{
		name: "Secrets deleted", run: deleteSecrets, long: true,
		done: "the tokens and the certificate of a program are deleted",
		seen: "nothing by respondents; the operator makes new ones, which the endpoints take over without a restart, and the verdict is Stale " +
			"until kubelet has brought them to the pods, a minute or so",
	},
}

func killOne(s *suite, t *testing.T, _, _ *ledger.Ledger) outcome {
	mended := time.Now()
	s.kill(t, s.clinic.Pods(t)[0], s.airport.Pods(t)[0])
	s.awaitRestarted(t, s.airport, mended)
	return outcome{mended: mended}
}

func killAll(s *suite, t *testing.T, clinic, airport *ledger.Ledger) outcome {
	pods := append(s.clinic.Pods(t), s.airport.Pods(t)...)
	mended := time.Now()
	s.kill(t, pods...)
	s.awaitRestarted(t, s.clinic, mended)
	s.awaitRestarted(t, s.airport, mended)
	if clinic.Counts().Trouble() == 0 || airport.Counts().Trouble() == 0 {
		t.Error("nobody has noticed")
	}
	return outcome{mended: mended}
}

// awaitRestarted waits until kubelet has noticed that a program's containers were killed, and started them again.
func (s *suite) awaitRestarted(t *testing.T, p *cluster.Program, since time.Time) {
	t.Helper()
	cluster.Await(t, "the pods of "+p.Key.String()+" to have started again", patience, func(context.Context) error {
		for _, pod := range p.Pods(t) {
			status := pod.Status.ContainerStatuses[0]
			// The API server's times have no fractions.
			if last := status.LastTerminationState.Terminated; last != nil && !last.FinishedAt.Time.Before(since.Truncate(time.Second)) && status.Ready {
				return nil
			}
		}
		return errors.New("none has")
	})
}

// killLeader looks at what both pods export meanwhile: alerts wait for five minutes before they resolve (keep_firing_for), so
// a gap is no matter, but a breach that began at another time would be another alert. Whoever was killed stays away until the
// standby leads, as if its machine had gone: started again by kubelet, it might be the first to see the lease expire.
func killLeader(s *suite, t *testing.T, clinic, airport *ledger.Ledger) outcome {
	leader := s.leader(t)
	before, err := s.breachSeries(t.Context(), leader)
	if err != nil || len(before) == 0 {
		t.Fatalf("the leader exports %q, %v, want breaches", before, err)
	}
	const lease = 15 * time.Second
	var took time.Duration
	mended := time.Now()
	untroubled(t, func() {
		s.kill(t, leader)
		cluster.Await(t, "the standby to export the breaches", patience, func(ctx context.Context) error {
			var all []error
			for _, pod := range s.OperatorPods(t) {
				if pod.Name == leader.Name {
					_ = s.Signal(pod.Status.ContainerStatuses[0].ContainerID, syscall.SIGKILL) // mostly it does not run
					continue
				}
				series, err := s.breachSeries(ctx, pod)
				if err != nil || len(series) == 0 {
					all = append(all, fmt.Errorf("%s exports none, %w", pod.Name, err))
					continue
				}
				for _, each := range series {
					if !slices.Contains(before, each) {
						t.Errorf("%s exports %s, which was not so before", pod.Name, each)
					}
				}
				if len(series) == len(before) {
					return nil
				}
			}
			return errors.Join(append(all, errors.New("none exports all"))...)
		})
		took = time.Since(mended)
	}, clinic, airport)
	if now := s.leader(t); now.Name == leader.Name {
		t.Errorf("the leader is %s as before, not the standby", now.Name)
	}
	// It is tried for every two seconds; then the caches are filled.
	if most := lease + 15*time.Second; took > most {
		t.Errorf("the standby took over after %s, want %s at the most", took, most)
	}
	took = max(took, s.works(t))
	s.AwaitOperator(t, s.Image) // the next fault finds two pods again
	return outcome{mended, took}
}

func killControlPlane(s *suite, t *testing.T, clinic, airport *ledger.Ledger) outcome {
	untroubled(t, func() {
		if err := s.Kill(node.APIServer, node.Etcd); err != nil {
			t.Fatal(err)
		}
		pass(t, outage(time.Minute, 12*time.Second))
	}, clinic, airport)
	if err := s.Restart(t.Context(), node.Etcd, node.APIServer); err != nil {
		t.Fatal(err)
	}
	mended := time.Now()
	return outcome{mended, s.works(t)}
}

func killPostgres(s *suite, t *testing.T, clinic, airport *ledger.Ledger) outcome {
	before := restarts(s.clinic.Pods(t))
	untroubled(t, func() {
		if err := s.postgres.Kill(); err != nil {
			t.Fatal(err)
		}
		pass(t, outage(time.Minute, 10*time.Second))
	}, airport)
	wantUnavailable(t, clinic)
	if err := s.postgres.Restart(); err != nil {
		t.Fatal(err)
	}
	mended := time.Now()
	awaitTaken(t, clinic)
	if after := restarts(s.clinic.Pods(t)); after != before {
		t.Errorf("the pods were started %d times more: they must recover by themselves", after-before)
	}
	return outcome{mended: mended}
}

// wantUnavailable sees that people were told to come again, and nobody was left without an answer.
func wantUnavailable(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	if c := l.Counts(); c.Unavailable == 0 || c.Unanswered > 0 || c.Wrong > 0 {
		t.Errorf("%+v, want 503 with Retry-After and nothing else", c)
	}
}

// awaitTaken waits until answers are acknowledged again.
func awaitTaken(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	since := time.Now()
	cluster.Await(t, "answers to be taken again", patience, func(context.Context) error {
		if !l.AcknowledgedSince(since) {
			return fmt.Errorf("%+v", l.Counts())
		}
		return nil
	})
}

func slowStore(s *suite, t *testing.T, clinic, airport *ledger.Ledger) outcome {
	const late = 200 * time.Millisecond
	s.postgres.Proxy.Delay(late)
	defer s.postgres.Proxy.Delay(0)
	untroubled(t, func() { pass(t, time.Minute) }, clinic, airport)
	s.postgres.Proxy.Delay(0)
	return outcome{mended: time.Now()}
}

func hangStore(s *suite, t *testing.T, clinic, airport *ledger.Ledger) outcome {
	before := restarts(s.clinic.Pods(t))
	s.postgres.Proxy.Silence()
	defer s.postgres.Proxy.Resume()
	untroubled(t, func() { pass(t, outage(time.Minute, 15*time.Second)) }, airport)
	wantUnavailable(t, clinic)
	s.postgres.Proxy.Resume()
	mended := time.Now()
	awaitTaken(t, clinic)
	if after := restarts(s.clinic.Pods(t)); after != before {
		t.Errorf("the pods were started %d times more: they must recover by themselves", after-before)
	}
	return outcome{mended: mended}
}

func fillDisk(s *suite, t *testing.T, clinic, airport *ledger.Ledger) outcome {
	before := restarts(s.airport.Pods(t))
	untroubled(t, func() {
		if err := s.disk.Fill(t.Context()); err != nil {
			t.Fatal(err)
		}
		// The store writes into what its files have for a while before it needs more.
		cluster.Await(t, "the full disk to be felt", patience, func(context.Context) error {
			if c := airport.Counts(); c.Unavailable == 0 {
				return fmt.Errorf("%+v", c)
			}
			return nil
		})
		pass(t, outage(time.Minute, 5*time.Second))
	}, clinic)
	wantUnavailable(t, airport)
	if err := s.disk.Free(t.Context()); err != nil {
		t.Fatal(err)
	}
	mended := time.Now()
	awaitTaken(t, airport)
	if after := restarts(s.airport.Pods(t)); after != before {
		t.Errorf("the pod was started %d times more: it must recover by itself", after-before)
	}
	return outcome{mended: mended}
}

// cutOperator cuts both of the operator's pods off, so that who leads is no matter.
func cutOperator(s *suite, t *testing.T, clinic, airport *ledger.Ledger) outcome {
	var mends []func(context.Context) error
	mend := func() {
		for _, each := range mends {
			if err := each(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		}
		mends = nil
	}
	defer func() { mend() }()
	untroubled(t, func() {
		for _, operator := range s.OperatorPods(t) {
			for _, pod := range append(s.clinic.Pods(t), s.airport.Pods(t)...) {
				each, err := s.Cut(t.Context(), operator.Status.PodIP, pod.Status.PodIP)
				if err != nil {
					t.Fatal(err)
				}
				mends = append(mends, each)
			}
		}
		s.awaitVerdict(t, "Stale")
		if !*short {
			pass(t, 30*time.Second)
		}
	}, clinic, airport)
	mend()
	mended := time.Now()
	return outcome{mended, s.awaitVerdict(t, "Missed")}
}

func killNode(s *suite, t *testing.T, clinic, airport *ledger.Ledger) outcome {
	parts := []node.Part{node.Containerd, node.Kubelet, node.Proxy}
	untroubled(t, func() {
		if err := s.Kill(parts...); err != nil {
			t.Fatal(err)
		}
		pass(t, 30*time.Second)
		if err := s.Restart(t.Context(), parts...); err != nil {
			t.Fatal(err)
		}
	}, clinic, airport)
	return outcome{mended: time.Now()}
}

// freezeEndpoint needs people who do not wait for ever: browsers do, a client that is told to does not.
func freezeEndpoint(s *suite, t *testing.T, _, airport *ledger.Ledger) outcome {
	id := s.clinic.Pods(t)[0].Status.ContainerStatuses[0].ContainerID
	untroubled(t, func() {
		if err := s.Signal(id, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		pass(t, 30*time.Second)
		if err := s.Signal(id, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}, airport)
	return outcome{mended: time.Now()}
}

// deleteSecrets waits for longer than counts may be unread, so that the verdict tells when they are read by the new token.
func deleteSecrets(s *suite, t *testing.T, clinic, airport *ledger.Ledger) outcome {
	names := []string{s.clinic.Key.Name + "-tokens", render.CertificateName(s.clinic.Key.Name)}
	before := restarts(s.clinic.Pods(t))
	mended := time.Now()
	var took time.Duration
	untroubled(t, func() {
		for _, name := range names {
			s.Kubectl(t, "-n", s.clinic.Key.Namespace, "delete", "secret", name)
		}
		for _, name := range names {
			cluster.Await(t, "a new Secret "+name, patience, func(ctx context.Context) error {
				return s.Client.Get(ctx, client.ObjectKey{Namespace: s.clinic.Key.Namespace, Name: name}, &corev1.Secret{})
			})
		}
		took = time.Since(mended)
		pass(t, staleAfter+10*time.Second)
		if s.awaitVerdict(t, "Missed") > time.Second {
			took = time.Since(mended)
		}
	}, clinic, airport)
	if after := restarts(s.clinic.Pods(t)); after != before {
		t.Errorf("the pods were started %d times more", after-before)
	}
	return outcome{mended, took}
}
