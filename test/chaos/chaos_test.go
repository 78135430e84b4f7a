//go:build linux && e2e

// Package chaos breaks on purpose what programs run on, while people answer, and sees that no acknowledged answer is lost and
// none is counted twice. 'make chaos' runs it and prints a table; docs/reliability.md keeps it.
package chaos

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/hack/node"
	"github.com/cx-operator/cx-operator/test/chaos/report"
	"github.com/cx-operator/cx-operator/test/e2e/cluster"
	"github.com/cx-operator/cx-operator/test/ledger"
)

var (
	short  = flag.Bool("short-form", false, "the faults that CI has time for, each for as long as it needs to show")
	update = flag.Bool("update", false, "write the table into docs/reliability.md")
	out    = flag.String("out", "", "file for the table and its lines of JSON")
)

const (
	// patience is how long all may take to be well again: an operator that found no API server for a minute is started again
	// by kubelet after a growing pause.
	patience = 4 * time.Minute
	// rate is how many answers each of the two programs gets in a second.
	rate = 8
	// settle is how long the last answers may take once no more are begun.
	settle = time.Minute
	// staleAfter is how long counts may be unread: less than in production, so that tests need not wait as long.
	staleAfter = 20 * time.Second
	// diskSize is that of the airport's volume, in megabytes.
	diskSize = 64
)

// suite is two programs on one cluster: a clinic's on PostgreSQL by three pods, and an airport's on SQLite by one.
type suite struct {
	*cluster.Cluster
	postgres        *cluster.Postgres
	disk            *node.Disk
	airport, clinic *cluster.Program
	metricsToken    string
	rows            []report.Row
	sent            []*attempts // of all faults
}

// attempts are the answers to one program during one fault.
type attempts struct {
	*ledger.Ledger
	program *cluster.Program
}

// fault is something that breaks.
type fault struct {
	name string
	// done says what is broken, and seen what people see of it; docs/reliability.md has both.
	done, seen string
	// long has it left out of the short form.
	long bool
	run  func(s *suite, t *testing.T, clinic, airport *ledger.Ledger) outcome
}

// outcome says when the cause was gone, and how long after that what is not about answers was well again.
type outcome struct {
	mended time.Time
	took   time.Duration
}

func TestChaos(t *testing.T) {
	s := start(t)
	defer s.report(t)
	for _, f := range faults {
		if *short && f.long {
			continue
		}
		t.Run(strings.ReplaceAll(f.name, " ", "-"), func(t *testing.T) { s.try(t, f) })
	}
	// What was acknowledged during one fault must have survived all later ones.
	stored := map[*cluster.Program]ledger.Stored{s.clinic: s.clinic.Stored(t), s.airport: s.airport.Stored(t)}
	for _, a := range s.sent {
		if r := a.Compare(stored[a.program]); r.Lost > 0 || r.Duplicated > 0 {
			t.Errorf("in the end, %s: %+v", a.program.Key, r)
		}
	}
}

// start brings up the cluster, with an objective of the clinic's that is missed.
func start(t *testing.T) *suite {
	s := &suite{Cluster: cluster.Start(t)}
	s.postgres = cluster.StartPostgres(t)
	var err error
	if s.disk, err = s.AddDisk(t.Context(), "small", diskSize); err != nil {
		t.Fatal(err)
	}
	s.Install(t, s.Image, "manager.staleAfter="+staleAfter.String())
	s.clinic, s.airport = s.Clinic(t, s.postgres), s.Airport(t, "small")
	s.metricsToken = s.mayReadMetrics(t)
	s.importMissed(t)
	return s
}

// importMissed brings in answers that miss the clinic's objective, which opens a breach at once.
func (s *suite) importMissed(t *testing.T) {
	t.Helper()
	const answers = 60
	var lines strings.Builder
	for range answers {
		line := map[string]any{
			"id": uuid.NewString(), "touchpoint": s.clinic.Touchpoint, "language": "en", "answers": map[string]int{s.clinic.Question: 1},
			"submittedAt": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339),
		}
		content, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(content, '\n'))
	}
	var tokens corev1.Secret
	if err := s.Client.Get(t.Context(), client.ObjectKey{Namespace: s.clinic.Key.Namespace, Name: s.clinic.Key.Name + "-tokens"}, &tokens); err != nil {
		t.Fatal(err)
	}
	address := s.clinic.Address + "/api/v1/namespaces/" + s.clinic.Key.Namespace + "/programs/" + s.clinic.Key.Name + "/responses:import"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(lines.String()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+string(tokens.Data["import"]))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("import: %s", response.Status)
	}
	cluster.Await(t, "the clinic's objective to be missed", patience, func(ctx context.Context) error {
		if v, err := s.verdict(ctx); err != nil || v.state != "Missed" || len(v.breaches) == 0 {
			return fmt.Errorf("%+v, %w", v, err)
		}
		return nil
	})
}

// try breaks something while both programs are answered, and writes down what became of the answers.
func (s *suite) try(t *testing.T, f fault) {
	before, err := s.verdict(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	row := report.Row{Fault: f.name, Done: f.done, Seen: f.seen, Load: 2 * rate}
	clinic, airport := &attempts{s.clinic.Ledger(rate), s.clinic}, &attempts{s.airport.Ledger(rate), s.airport}
	s.sent = append(s.sent, clinic, airport)
	stopClinic, stopAirport := clinic.Start(t.Context()), airport.Start(t.Context())
	pass(t, 2*time.Second) // answers as usual, first
	o := f.run(s, t, clinic.Ledger, airport.Ledger)
	s.clinic.AwaitServed(t, 3)
	s.airport.AwaitServed(t, 1)
	pass(t, 2*time.Second)
	stopClinic(settle)
	stopAirport(settle)

	recovery := o.took
	for _, a := range []*attempts{clinic, airport} {
		recovery = max(recovery, s.check(t, a, &row, o.mended))
	}
	row.RecoverySeconds = math.Round(recovery.Seconds()*10) / 10
	s.rows = append(s.rows, row)
	s.checkBreaches(t, before)
	t.Logf("%s: %s in all, well again after %s", f.name, time.Since(began).Round(time.Second), recovery.Round(100*time.Millisecond))
}

// check compares one program's answers with its store, and returns how long after the cause was gone they were acknowledged
// again.
func (s *suite) check(t *testing.T, a *attempts, row *report.Row, mended time.Time) time.Duration {
	t.Helper()
	result, counts := a.Compare(a.program.Stored(t)), a.Counts()
	row.Add(result, counts)
	t.Logf("%s: %d sent, %d acknowledged, %d lost, %d duplicated; of %d attempts %d unavailable, %d unanswered, %d wrong: %q", a.program.Key,
		result.Sent, result.Acknowledged, result.Lost, result.Duplicated, counts.Attempts, counts.Unavailable, counts.Unanswered, counts.Wrong, counts.Faults)
	if result.Lost > 0 || result.Duplicated > 0 || counts.Wrong > 0 || result.Sent == 0 {
		t.Errorf("%s: %+v", a.program.Key, result)
	}
	if result.Acknowledged != result.Sent {
		t.Errorf("%s: %d of %d answers were not acknowledged in the end", a.program.Key, result.Sent-result.Acknowledged, result.Sent)
	}
	recovery, back := a.Recovery(mended)
	if !back {
		t.Errorf("%s takes no answers any more", a.program.Key)
	}
	return recovery
}

// checkBreaches sees that no breach was closed or opened: nobody is alerted of anything that was not so before.
func (s *suite) checkBreaches(t *testing.T, before verdict) {
	t.Helper()
	cluster.Await(t, "the verdict from before", patience, func(ctx context.Context) error {
		after, err := s.verdict(ctx)
		if err == nil && after.state != before.state {
			err = fmt.Errorf("it is %s, and was %s", after.state, before.state)
		}
		return err
	})
	after, err := s.verdict(t.Context())
	if err != nil || strings.Join(after.breaches, "\n") != strings.Join(before.breaches, "\n") {
		t.Errorf("breaches after: %q, %v, before: %q", after.breaches, err, before.breaches)
	}
}

// report prints the table, and keeps it where that was asked for.
func (s *suite) report(t *testing.T) {
	var text strings.Builder
	if err := report.Text(&text, s.rows); err != nil {
		t.Error(err)
	}
	t.Logf("\n%s", text.String())
	if *out != "" {
		if err := os.WriteFile(*out, []byte(text.String()), 0o600); err != nil {
			t.Error(err)
		}
	}
	if *update && !t.Failed() {
		if err := report.Update(filepath.Join(cluster.Root(), "docs", "reliability.md"), s.rows); err != nil {
			t.Error(err)
		}
	}
}

// pass lets time pass, in which answers come and nothing else is done.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

// outage is how long something stays broken: as long as a person might need to notice, or in the short form as long as it
// takes to show.
func outage(long, brief time.Duration) time.Duration {
	if *short {
		return brief
	}
	return long
}
