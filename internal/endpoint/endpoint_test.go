package endpoint_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/test/pgtest"
)

// An endpoint serves, tells who may read it what, and keeps its answers over a restart.
func TestOnSQLite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.process(w.sqlite()...).start()
	w.read(p.port(), "internal-1")
	if status, text, _ := p.call(http.MethodGet, "http://"+p.intake+"/s/sfo/visits/desk", "", ""); status != 200 || !strings.Contains(text, "How easy was it?") {
		t.Errorf("the page: %d %.200s", status, text)
	}
	p.mustSubmit(3)
	w.eventually("the answers are counted", func() bool { return w.counted() == 3 })
	for _, c := range []struct {
		path, token string
		status      int
	}{
		{"/healthz", "", 200}, {"/readyz", "", 200}, {"/metrics", "", 401}, {"/metrics", "internal-1", 200}, {"/metrics", scrape, 200},
		{"/metrics", "read-1", 401}, {"/internal/v1/store", scrape, 401}, {"/internal/v1/store", "internal-1", 200},
		{"/s/sfo/visits", "internal-1", 404}, {responses, "read-1", 404},
	} {
		if status, text := p.operate(c.path, c.token); status != c.status {
			t.Errorf("%s with %q: %d, want %d: %s", c.path, c.token, status, c.status, text)
		}
	}
	_, metrics := p.operate("/metrics", scrape)
	for _, series := range []string{
		`cx_responses_accepted_total{namespace="sfo",program="visits"} 3`, `cx_survey_page_views_total{namespace="sfo",program="visits"} 1`,
		"cx_response_commit_duration_seconds_count 3", "cx_endpoint_build_info{", "go_goroutines ", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(metrics, "\n"+series) {
			t.Errorf("metrics have no %s", series)
		}
	}
	if status, _, _ := p.call(http.MethodGet, "http://"+p.intake+"/metrics", scrape, ""); status != 404 {
		t.Errorf("metrics on the public port: %d", status)
	}
	if n := p.stored("read-1"); n != 3 {
		t.Errorf("%d answers stored", n)
	}
	if !exists(filepath.Join(w.dir, "store", "answers.sqlite")) {
		t.Error("the store is not where it should be")
	}
	info, err, known := w.Store(visits)
	if err != nil || !known || info.Engine != "SQLite" {
		t.Errorf("%+v, %v, %t", info, err, known)
	}
	p.terminate()
	p.start()
	p.mustSubmit(1)
	w.eventually("all answers are counted", func() bool { return w.counted() == 4 })
	if strings.Contains(p.log.String(), "internal-1") || strings.Contains(p.log.String(), "sign-1") {
		t.Error("a token is in the log")
	}
}

// kill -9, again and again, under load: no answer that was acknowledged is lost, none is counted twice, and the follower has
// them all.
func TestKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.process(w.sqlite()...).start()
	w.read(p.port(), "internal-1")
	l := w.load(p.submit)
	for range 4 {
		before := l.acknowledged.Load()
		w.eventually("answers are taken", func() bool { return l.acknowledged.Load() > before+20 })
		p.kill()
		p.start()
	}
	acknowledged := l.stop()
	// An answer may be stored whose acknowledgement was cut off.
	stored := p.stored("read-1")
	if stored < acknowledged || stored > acknowledged+4*4 {
		t.Errorf("%d stored, %d acknowledged", stored, acknowledged)
	}
	w.eventually("the book has what the store has", func() bool { return w.counted() == stored })
}

// A restored backup is read from its beginning: what it lacks is gone from the book.
func TestRestoredBackup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.process(w.sqlite()...).start()
	w.read(p.port(), "internal-1")
	p.mustSubmit(2)
	p.terminate()
	file := filepath.Join(w.dir, "store", "answers.sqlite")
	backup, err := os.ReadFile(file)
	must(t, err)
	p.start()
	p.mustSubmit(3)
	w.eventually("all are counted", func() bool { return w.counted() == 5 })
	p.terminate()
	must(t, os.WriteFile(file, backup, 0o600))
	p.start()
	w.eventually("those of the backup are counted", func() bool { return w.counted() == 2 })
}

// balancer passes connections on to one of several processes, as a Service does.
type balancer struct {
	net.Listener
	to atomic.Pointer[string]
}

func newBalancer(t *testing.T) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	b := &balancer{Listener: l}
	var passing sync.WaitGroup
	passing.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			passing.Go(func() { pass(in, *b.to.Load()) })
		}
	})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		passing.Wait()
	})
	return b
}

// pass copies both ways until both ends are closed.
func pass(in net.Conn, to string) {
	defer in.Close()
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(in, out) // either end may go first
		_ = in.Close()
	})
	_, _ = io.Copy(out, in)
	_ = out.Close()
	back.Wait()
}

func (b *balancer) port(t *testing.T) string {
	t.Helper()
	_, number, err := net.SplitHostPort(b.Addr().String())
	must(t, err)
	return "https://localhost:" + number
}

// Two processes share a database, and the follower comes to one or the other: it sees what both have taken, once.
func TestTwoOnPostgres(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := newBalancer(t)
	uri := database(t, server)
	args := w.postgres(uri)
	one, two := w.process(args...).start(), w.process(args...).start()
	// The fleet's connections end before the balancer waits for them.
	t.Cleanup(func() { w.Forget(visits) })
	b.to.Store(&one.operations)
	w.read(b.port(t), "internal-1")
	turn := atomic.Int64{}
	l := w.load(func() (int, string, http.Header) {
		if turn.Add(1)%2 == 0 {
			return one.submit()
		}
		return two.submit()
	})
	for i := range 4 {
		before := l.acknowledged.Load()
		w.eventually("answers are taken", func() bool { return l.acknowledged.Load() > before+20 })
		from, to := one, two
		if i%2 == 1 {
			from, to = two, one
		}
		b.to.Store(&to.operations)
		if i < 2 {
			from.kill()
		} else {
			from.terminate()
		}
		before = w.counted()
		w.eventually("the follower goes on at the other", func() bool { return w.counted() > before+10 })
		from.start()
	}
	if n := connections(t, uri); n < 4 || n > 2*4 {
		t.Errorf("%d connections of two processes, want 4 each at the most", n)
	}
	acknowledged := l.stop()
	stored := one.stored("read-1")
	if stored < acknowledged || stored > acknowledged+4*4 {
		t.Errorf("%d stored, %d acknowledged", stored, acknowledged)
	}
	w.eventually("the book has what the store has", func() bool { return w.counted() == stored })
	if info, err, _ := w.Store(visits); err != nil || info.Engine != "PostgreSQL" {
		t.Errorf("%+v, %v", info, err)
	}
}

// connections are those that a database has of endpoints.
func connections(t *testing.T, uri string) int {
	t.Helper()
	out, err := server.Command("psql", uri, "--no-psqlrc", "--tuples-only", "--no-align", "--command",
		"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'cx-operator'").CombinedOutput()
	n, parsed := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil || parsed != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return n
}

// A call that waits is not cut off by the limits on calls of the public port.
func TestLongWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.process(w.sqlite()...).start()
	_, first := p.operate("/internal/v1/changes", "internal-1")
	_, rest, _ := strings.Cut(first, `"epoch":"`)
	epoch, _, _ := strings.Cut(rest, `"`)
	const wait = 17 * time.Second
	began := time.Now()
	status, text := p.operate("/internal/v1/changes?wait=17&seq=0&epoch="+epoch, "internal-1")
	if took := time.Since(began); status != 200 || took < wait || took > wait+5*time.Second {
		t.Errorf("%d after %s: %s", status, took, text)
	}
}

// Tokens, the certificate and keys are those that are mounted now.
func TestRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.process(w.sqlite()...).start()
	w.read(p.port(), "internal-1")
	p.mustSubmit(1)
	w.eventually("the answer is counted", func() bool { return w.counted() == 1 })

	w.mount("tokens", tokens("2"))
	w.eventually("the new token is taken", func() bool { status, _ := p.operate("/internal/v1/store", "internal-2"); return status == 200 })
	if status, _ := p.operate("/internal/v1/store", "internal-1"); status != 401 {
		t.Errorf("the old token is taken: %d", status)
	}
	if status, _, _ := p.call(http.MethodGet, "http://"+p.intake+responses, "read-1", ""); status != 401 {
		t.Errorf("the old read token is taken: %d", status)
	}
	if n := p.stored("read-2"); n != 1 {
		t.Errorf("%d stored", n)
	}
	w.read(p.port(), "internal-2")
	p.mustSubmit(1)
	w.eventually("the follower goes on", func() bool { return w.counted() == 2 })

	serial := p.serial()
	w.mount("tls", map[string]string{"tls.crt": "no certificate", "tls.key": "no key"})
	w.eventually("a bad certificate is told of", func() bool { return strings.Contains(p.log.String(), "The certificate cannot be read") })
	if again := p.serial(); again != serial {
		t.Error("another certificate is shown")
	}
	w.certify("localhost", "endpoint.cx-operator.internal")
	w.eventually("the new certificate is shown", func() bool { return p.serial() != serial })
	p.mustSubmit(1)
	w.eventually("the follower goes on", func() bool { return w.counted() == 3 })

	w.mount("tokens", map[string]string{})
	w.eventually("nobody is let in", func() bool { status, _ := p.operate("/internal/v1/store", "internal-2"); return status == 401 })
	p.mustSubmit(1)
}

// serial is that of the certificate that the operations port shows, whoever signed it.
func (p *process) serial() string {
	p.t.Helper()
	c, err := tls.Dial("tcp", p.operations, &tls.Config{InsecureSkipVerify: true})
	must(p.t, err)
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// A store moves where its connection URI says, without a moment in which an answer is refused, and stays where it is until it
// can.
func TestPostgresMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := database(t, server), database(t, server)
	p := w.process(w.postgres(first)...).start()
	w.read(p.port(), "internal-1")
	p.mustSubmit(2)
	w.eventually("the answers are counted", func() bool { return w.counted() == 2 })

	w.postgres(pgtest.DSN(t.TempDir(), nil))
	w.eventually("a place that is not there is told of", func() bool { return strings.Contains(p.log.String(), "The store cannot be opened") })
	p.mustSubmit(1)
	w.eventually("it stays where it is", func() bool { return w.counted() == 3 })

	var refused atomic.Int64
	l := w.load(func() (int, string, http.Header) {
		status, text, header := p.submit()
		if status != http.StatusCreated {
			refused.Add(1)
		}
		return status, text, header
	})
	opened := strings.Count(p.log.String(), "The store is open")
	w.postgres(second)
	w.eventually("it moves", func() bool { return strings.Count(p.log.String(), "The store is open") > opened })
	before := l.acknowledged.Load()
	w.eventually("answers are taken there", func() bool { return l.acknowledged.Load() > before+20 })
	l.stop()
	if n := refused.Load(); n > 0 {
		t.Errorf("%d answers were refused", n)
	}
	stored := p.stored("read-1")
	if stored < 20 || stored > l.acknowledged.Load() {
		t.Errorf("%d stored in the second place, %d acknowledged", stored, l.acknowledged.Load())
	}
	w.eventually("the counts are those of the second place", func() bool { return w.counted() == stored })
	w.postgres(first)
	w.eventually("it moves back", func() bool { return p.stored("read-1") == 3+l.acknowledged.Load()-stored })
	w.eventually("and so do the counts", func() bool { return w.counted() == 3+l.acknowledged.Load()-stored })
}

// While PostgreSQL is away, at the start or later, pages are served and answers get 503. Nobody has to restart anything.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	own, err := pgtest.Start(pgtest.Options{})
	must(t, err)
	t.Cleanup(func() {
		if err := own.Stop(); err != nil {
			t.Error(err)
		}
	})
	w := newWorld(t)
	uri := database(t, own)
	must(t, own.Shutdown())
	p := w.process(w.postgres(uri)...)
	p.launch()
	w.read(p.port(), "internal-1")
	away := func(ready int) {
		t.Helper()
		status, text, header := p.submit()
		if status != 503 || header.Get("Retry-After") == "" {
			t.Errorf("an answer: %d %s, Retry-After %q", status, text, header.Get("Retry-After"))
		}
		if status, _, _ := p.call(http.MethodGet, "http://"+p.intake+"/s/sfo/visits", "", ""); status != 200 {
			t.Errorf("the page: %d", status)
		}
		if status, _ := p.operate("/readyz", ""); status != ready {
			t.Errorf("ready: %d, want %d", status, ready)
		}
		if status, _ := p.operate("/healthz", ""); status != 200 {
			t.Errorf("alive: %d", status)
		}
	}
	w.eventually("it listens", func() bool { status, _ := p.operate("/healthz", ""); return status == 200 })
	away(503)
	w.eventually("the reason is known", func() bool {
		_, err, _ := w.Store(visits)
		return err != nil && strings.Contains(err.Error(), "the server cannot be reached")
	})
	must(t, own.Restart())
	w.eventually("it is ready", func() bool { status, _ := p.operate("/readyz", ""); return status == 200 })
	p.mustSubmit(1)
	w.eventually("the answer is counted", func() bool { return w.counted() == 1 })

	must(t, own.Kill())
	w.eventually("answers are refused", func() bool { status, _, _ := p.submit(); return status == 503 })
	away(200)
	w.eventually("the counts cannot be read", func() bool { readable, _ := w.Readable(visits); return !readable })
	if w.counted() != 1 {
		t.Error("what was read is gone")
	}
	must(t, own.Restart())
	w.eventually("answers are taken again", func() bool { status, _, _ := p.submit(); return status == 201 })
	stored := p.stored("read-1")
	w.eventually("and counted", func() bool { return w.counted() == stored })
}

// SIGTERM under load: not ready at once, answers are taken while it drains, and none that was acknowledged is lost.
func TestTerminatedUnderLoad(t *testing.T) {
	const drain = 3 * time.Second
	w := newWorld(t)
	p := w.process(append(w.sqlite(), "--drain", drain.String())...).start()
	w.read(p.port(), "internal-1")
	var asked atomic.Pointer[time.Time]
	var whileDraining atomic.Int64
	l := w.load(func() (int, string, http.Header) {
		began := time.Now()
		status, text, header := p.submit()
		at := asked.Load()
		if status == http.StatusCreated && at != nil && began.After(*at) {
			whileDraining.Add(1)
		}
		if status != http.StatusCreated && (at == nil || began.Before(at.Add(drain-200*time.Millisecond))) {
			t.Errorf("refused: %d %s", status, text)
		}
		return status, text, header
	})
	w.eventually("answers are taken", func() bool { return l.acknowledged.Load() > 50 })
	now := time.Now()
	asked.Store(&now)
	p.signal()
	w.eventually("it is not ready", func() bool { status, _ := p.operate("/readyz", ""); return status == 503 })
	if took := time.Since(now); took > drain/2 {
		t.Errorf("not ready after %s only", took)
	}
	if err := p.wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if took := time.Since(now); took < drain {
		t.Errorf("it ended after %s", took)
	}
	acknowledged := l.stop()
	if whileDraining.Load() == 0 {
		t.Error("no answer was taken while it drained")
	}
	p.args = w.sqlite()
	p.start()
	if stored := p.stored("read-1"); stored < acknowledged || stored > acknowledged+4 {
		t.Errorf("%d stored, %d acknowledged", stored, acknowledged)
	} else {
		w.eventually("all are counted", func() bool { return w.counted() == stored })
	}
}

// A second signal ends the process at once.
func TestTerminatedTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.process(append(w.sqlite(), "--drain", "5m")...).start()
	p.signal()
	w.eventually("it drains", func() bool { status, _ := p.operate("/readyz", ""); return status == 503 })
	p.signal()
	if err := p.wait(); err == nil {
		t.Error("it ended as if it had finished")
	}
}

// What keeps an endpoint from starting is said in words, with exit code 1.
func TestCannotStart(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*world, *process)
		want  string
	}{
		"another survey": {func(w *world, _ *process) {
			w.mount("survey", map[string]string{"survey.json": `{"program":{"Namespace":"sfo","Name":"other"}}`})
		}, "is that of program sfo/other, not of sfo/visits"},
		"no survey":      {func(w *world, _ *process) { w.mount("survey", map[string]string{"survey.json": "{"}) }, "read the survey"},
		"no certificate": {func(w *world, _ *process) { w.mount("tls", map[string]string{"tls.crt": "x", "tls.key": "x"}) }, "read the certificate of the operations port"},
		"a taken port": {func(_ *world, p *process) {
			l, err := net.Listen("tcp", p.intake)
			must(t, err)
			t.Cleanup(func() { _ = l.Close() }) // it was only in the way
		}, "listen for answers"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p := w.process(w.sqlite()...)
			c.spoil(w, p)
			p.launch()
			if err := p.wait(); err == nil || err.Error() != "exit status 1" {
				t.Errorf("it ended with %v", err)
			}
			if !strings.Contains(p.log.String(), c.want) {
				t.Errorf("it said %s", p.log)
			}
		})
	}
}
