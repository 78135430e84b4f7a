package intake

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cx-operator/cx-operator/internal/store"
)

func TestConfigRefused(t *testing.T) {
	taken := prometheus.NewRegistry()
	taken.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "cx_survey_page_views_total", Help: "Taken."}))
	for name, c := range map[string]Config{
		"MaxBody":    {MaxBody: -1},
		"RateBurst":  {RateBurst: -1},
		"rand":       {Rand: iotest.ErrReader(errors.New("no entropy"))},
		"registerer": {Registerer: taken},
	} {
		if _, err := New(NewRegistry(), c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestRegistry(t *testing.T) {
	r := NewRegistry()
	if _, ok := r.Get(programKey); ok {
		t.Error("an empty registry has a program")
	}
	r.Set(programKey, Program{Survey: testSurvey(), Tokens: Tokens{Read: "r"}})
	if p, ok := r.Get(programKey); !ok || p.Tokens.Read != "r" || p.Survey.Program != programKey {
		t.Errorf("got %+v", p)
	}
	r.Set(programKey, Program{})
	if _, ok := r.Get(programKey); ok {
		t.Error("a program without a survey is served")
	}
}

func TestDeletedProgramHasNoSeries(t *testing.T) {
	h := newHarness(t)
	h.get(pagePath)
	wantStatus(t, h.submit(`{"id":"`+id1+`","answers":{"recommend":9}}`), http.StatusCreated)
	h.submit(`{`)
	for _, name := range []string{"cx_survey_page_views_total", "cx_responses_accepted_total", "cx_responses_rejected_total"} {
		if !slices.Contains(h.metricNames(), name) {
			t.Errorf("%s has no series", name)
		}
	}
	if got := testutil.CollectAndCount(h.Server.metrics.commit); got != 1 {
		t.Errorf("%d series of commit durations", got)
	}
	h.registry.Delete(programKey)
	if got := h.metricNames(); !slices.Equal(got, []string{"cx_response_commit_duration_seconds"}) {
		t.Errorf("left are %v", got)
	}
	wantStatus(t, h.get(pagePath), http.StatusNotFound)
	checkProblem(t, h.submit(`{`), 404, "not-found")
}

func TestMetricsAreWellNamed(t *testing.T) {
	h := newHarness(t)
	h.get(pagePath)
	wantStatus(t, h.submit(`{"id":"`+id1+`","answers":{"recommend":9}}`), http.StatusCreated)
	h.submit(`{`)
	problems, err := testutil.GatherAndLint(h.metrics)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

func TestReceipt(t *testing.T) {
	seen := map[string]bool{}
	random := &counter{}
	for range 8 {
		r, err := newReceipt(random)
		if err != nil || !isReceipt(r) {
			t.Fatalf("%q: %v", r, err)
		}
		seen[r] = true
	}
	if len(seen) != 8 {
		t.Errorf("%d different receipts of 8", len(seen))
	}
	if got := groupReceipt("0123456789ABCDEFGHJK"); got != "01234-56789-ABCDE-FGHJK" {
		t.Errorf("grouped: %s", got)
	}
	for _, s := range []string{"", "0123456789ABCDEFGHJ", "0123456789ABCDEFGHJKM", "0123456789ABCDEFGHJI", "0123456789abcdefghjk", "0123456789ABCDEFGHé"} {
		if isReceipt(s) {
			t.Errorf("%q is taken for a receipt", s)
		}
	}
}

// brokenRand works for the first n bytes.
type brokenRand struct{ n int }

func (b *brokenRand) Read(buf []byte) (int, error) {
	if b.n < len(buf) {
		return 0, errors.New("no entropy")
	}
	b.n -= len(buf)
	return len(buf), nil
}

func TestNoEntropy(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Rand = &brokenRand{n: 32} })
	for path, call := range map[string]func() *httptest.ResponseRecorder{
		"page": func() *httptest.ResponseRecorder { return rawCall(h, http.MethodGet, pagePath, "", "") },
		"form": func() *httptest.ResponseRecorder {
			return rawCall(h, http.MethodPost, pagePath, mediaForm, "recommend=9")
		},
		"JSON": func() *httptest.ResponseRecorder {
			return rawCall(h, http.MethodPost, apiPath, mediaJSON, `{"id":"`+id1+`","answers":{"recommend":9}}`)
		},
		"import": func() *httptest.ResponseRecorder {
			return rawCall(h, http.MethodPost, importPath, mediaNDJSON, line(1))
		},
	} {
		if w := call(); w.Code != http.StatusInternalServerError && w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if len(h.stored()) != 0 {
		t.Error("something was stored without a receipt")
	}
}

// rawCall does not check against the document, which has no 500.
func rawCall(h *harness, method, path, mediaType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", mediaType)
	r.Header.Set("Authorization", "Bearer "+importToken)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestPanicNamesNoClient: a panic is a 500, and its log has neither address nor answer.
func TestPanicNamesNoClient(t *testing.T) {
	var logged strings.Builder
	log := funcr.New(func(_, args string) { logged.WriteString(args) }, funcr.Options{})
	h := newHarness(t, func(c *Config) { c.Log = log })
	h.withStore(&stubStore{append: func(context.Context, []store.Response) ([]store.Result, error) { panic("boom") }})
	w := rawCall(h, http.MethodPost, apiPath, mediaJSON, `{"id":"`+id1+`","answers":{"recommend":9,"comment":"secret"}}`)
	checkProblem(t, w, http.StatusInternalServerError, "internal")
	if got := logged.String(); !strings.Contains(got, "boom") || strings.Contains(got, "192.0.2.1") || strings.Contains(got, "secret") {
		t.Errorf("log: %s", got)
	}
}

// TestFaultsAreLoggedOnce: a store that is away fails every request, and must not fill the log.
func TestFaultsAreLoggedOnce(t *testing.T) {
	var logged int
	log := funcr.New(func(_, _ string) { logged++ }, funcr.Options{})
	h := newHarness(t, func(c *Config) { c.Log = log })
	h.withStore(&stubStore{append: failing(errors.New("disk full"))})
	for range 20 {
		h.submit(`{"id":"` + id1 + `","answers":{"recommend":9}}`)
	}
	if logged != 1 {
		t.Errorf("logged %d times, want once", logged)
	}
}

func TestRedactor(t *testing.T) {
	for in, want := range map[string]string{
		"http: panic serving 192.0.2.1:4567: boom":                       "http: panic serving (client): boom",
		"http: TLS handshake error from [2001:db8::1]:99: EOF":           "http: TLS handshake error from (client): EOF",
		"http: TLS handshake error from [fe80::1%eth0]:99: EOF":          "http: TLS handshake error from (client): EOF",
		"http: Accept error: too many open files; retrying in 5ms [1.2]": "http: Accept error: too many open files; retrying in 5ms [1.2]",
	} {
		var out bytes.Buffer
		if n, err := (redactor{&out}).Write([]byte(in)); n != len(in) || err != nil || out.String() != want {
			t.Errorf("%q: %q, %d, %v", in, out.String(), n, err)
		}
	}
	if _, err := (redactor{failingWriter{}}).Write([]byte("x")); err == nil {
		t.Error("a failed write is kept quiet")
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// listen starts a real server; change sets its limits.
func listen(t *testing.T, h http.Handler, change func(*http.Server)) string {
	t.Helper()
	server := HTTPServer("127.0.0.1:0", h)
	change(server)
	listener, err := net.Listen("tcp", server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving: %v", err)
		}
	})
	return listener.Addr().String()
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestServerHasLimits(t *testing.T) {
	s := HTTPServer(":1", http.NotFoundHandler())
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 || s.ErrorLog == nil {
		t.Errorf("a limit is missing: %+v", s)
	}
}

func TestSlowHeaderIsCutOff(t *testing.T) {
	addr := listen(t, newHarness(t).Handler(), func(s *http.Server) { s.ReadHeaderTimeout = 50 * time.Millisecond })
	conn := dial(t, addr)
	if _, err := io.WriteString(conn, "GET "+pagePath+" HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); err != nil || strings.Contains(string(answer), "200 OK") {
		t.Errorf("answered %q, %v", answer, err)
	}
}

func TestLargeHeaderIsRefused(t *testing.T) {
	addr := listen(t, newHarness(t).Handler(), func(*http.Server) {})
	conn := dial(t, addr)
	if _, err := io.WriteString(conn, "GET "+pagePath+" HTTP/1.1\r\nHost: x\r\nX-Large: "+strings.Repeat("x", 32<<10)+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", answer.StatusCode)
	}
}

// TestSlowBodyIsCutOff: a body that does not arrive is a 408, for one response by the server's timeout, for an import by its
// own.
func TestSlowBodyIsCutOff(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.ChunkTimeout = 50 * time.Millisecond })
	addr := listen(t, h.Handler(), func(s *http.Server) { s.ReadTimeout = 50 * time.Millisecond })
	for path, mediaType := range map[string]string{apiPath: mediaJSON, importPath: mediaNDJSON} {
		conn := dial(t, addr)
		if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: 100\r\n\r\n{", path, importToken, mediaType); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if answer.StatusCode != http.StatusRequestTimeout {
			t.Errorf("%s: status %d", path, answer.StatusCode)
		}
		_ = answer.Body.Close()
	}
}

// TestImportKeepsGoing: an import that makes progress may take longer than the server's timeouts, also while the store is
// busy after the last byte.
func TestImportKeepsGoing(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.ChunkTimeout = 50 * time.Millisecond })
	busy := time.Now().Add(300 * time.Millisecond)
	h.withStore(&stubStore{append: func(ctx context.Context, responses []store.Response) ([]store.Result, error) {
		if time.Now().Before(busy) {
			return nil, store.ErrBusy
		}
		return h.store.Append(ctx, responses)
	}})
	addr := listen(t, h.Handler(), func(s *http.Server) {
		s.ReadTimeout, s.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	})
	r, err := http.NewRequest(http.MethodPost, "http://"+addr+importPath, strings.NewReader(strings.Join(lines(5), "\n")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", mediaNDJSON)
	r.Header.Set("Authorization", "Bearer "+importToken)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK || len(h.stored()) != 5 {
		t.Errorf("%d: %s", answer.StatusCode, body)
	}
}
