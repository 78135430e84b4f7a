package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// line is the nth line of an import.
func line(n int) string {
	return fmt.Sprintf(`{"id":"7d444840-9dc0-4ad1-b245-%012d","submittedAt":"2026-10-%02dT08:00:00.5+02:00","answers":{"security":%d}}`, n, n%30+1, n%5+1)
}

func lines(count int) []string {
	var all []string
	for n := range count {
		all = append(all, line(n))
	}
	return all
}

func lastImport(t *testing.T, st store.Store) string {
	t.Helper()
	var last string
	var cursor store.Cursor
	for {
		changes, err := st.Changes(context.Background(), cursor, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		if id, ok := changes.Imports[programKey]; ok {
			last = id
		}
		if cursor = changes.Next; !changes.More {
			return last
		}
	}
}

func TestImport(t *testing.T) {
	h := newHarness(t)
	const n = 2*importBatch + 100
	w := h.importLines(lines(n)...)
	wantStatus(t, w, http.StatusOK)
	if diff := cmp.Diff(summary{Received: n, Stored: n, Lines: []rejectedLine{}}, decode[summary](t, w)); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	if got := len(h.stored()); got != n {
		t.Errorf("%d stored, want %d", got, n)
	}
	first := lastImport(t, h.store)
	if first == "" {
		t.Error("the end of the import is not marked")
	}
	w = h.importLines(lines(n)...)
	if diff := cmp.Diff(summary{Received: n, Repeated: n, Lines: []rejectedLine{}}, decode[summary](t, w)); diff != "" {
		t.Errorf("the same file again (-want +got):\n%s", diff)
	}
	if got := lastImport(t, h.store); len(h.stored()) != n || got == first {
		t.Error("a repeat must change no answer, and must mark the end: the first try may have broken off before")
	}
	if got := h.counted(h.Server.metrics.accepted); got != n {
		t.Errorf("%v accepted, want %d", got, n)
	}
}

func TestImportRejectsLines(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxImportLine = 300 })
	answers := func(n int, rest string) string {
		return fmt.Sprintf(`{"id":"0b7b2a14-5a4c-4f0c-8d7e-%012d",%s}`, n, rest)
	}
	w := h.importLines(
		"\ufeff"+line(1)+"\r",
		"",
		answers(3, `"answers":{"security":9}`),
		"not JSON",
		answers(5, `"answers":{"comment":"`+strings.Repeat("x", 300)+`"}`),
		line(1),
		answers(7, `"submittedAt":"2026-11-21T10:00:00Z","answers":{"security":4}`),
		strings.Replace(line(1), `"security":2`, `"security":3`, 1),
		"  ",
		answers(10, `"answers":{"comment":"a b"}`),
	)
	wantStatus(t, w, http.StatusOK)
	got := decode[summary](t, w)
	for i := range got.Lines {
		for j := range got.Lines[i].Errors {
			if got.Lines[i].Errors[j].Detail == "" {
				t.Errorf("line %d has an error without detail", got.Lines[i].Line)
			}
			got.Lines[i].Errors[j].Detail = ""
		}
	}
	want := summary{Received: 8, Stored: 2, Repeated: 1, Rejected: 5, Lines: []rejectedLine{
		{3, []survey.FieldError{{Pointer: "/answers/security", Code: "range"}}},
		{4, []survey.FieldError{{Code: "malformed"}}},
		{5, []survey.FieldError{{Code: "length"}}},
		{7, []survey.FieldError{{Pointer: "/submittedAt", Code: "future"}}},
		{8, []survey.FieldError{{Pointer: "/id", Code: "conflict"}}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	if got := len(h.stored()); got != 2 {
		t.Errorf("%d stored, want 2", got)
	}
	if got := h.counted(h.Server.metrics.rejected, "reason", "invalid"); got != 5 {
		t.Errorf("%v rejections counted, want 5", got)
	}
}

func TestImportListsAThousandLines(t *testing.T) {
	h := newHarness(t)
	got := decode[summary](t, h.importLines(strings.Split(strings.Repeat("x\n", maxListedLines+7), "\n")...))
	if len(got.Lines) != maxListedLines || got.Unlisted != 7 || got.Rejected != maxListedLines+7 {
		t.Errorf("listed %d, unlisted %d, rejected %d", len(got.Lines), got.Unlisted, got.Rejected)
	}
	if lastImport(t, h.store) != "" {
		t.Error("an import of nothing is marked as one")
	}
}

func TestImportRefused(t *testing.T) {
	away := func(h *harness) { h.withStore(nil) }
	for name, c := range map[string]struct {
		path, mediaType, token, body string
		prepare                      func(*harness)
		status                       int
		reason                       string
	}{
		"no token":     {token: "", status: 401, reason: "unauthorized"},
		"read token":   {token: "Bearer " + readToken, status: 401, reason: "unauthorized"},
		"other scheme": {token: "Basic " + importToken, status: 401, reason: "unauthorized"},
		"no scheme":    {token: importToken, status: 401, reason: "unauthorized"},
		"nobody may":   {token: "Bearer ", status: 401, reason: "unauthorized", prepare: func(h *harness) { h.registry.Set(programKey, Program{Survey: testSurvey(), Store: h.store}) }},
		"no program":   {path: "/api/v1/namespaces/sfo/programs/gone/responses:import", status: 404, reason: "not-found"},
		"media type":   {mediaType: "multipart/form-data; boundary=x", status: 415, reason: "unsupported"},
		"away":         {prepare: away, status: 503, reason: "unavailable"},
		"too large":    {body: strings.Repeat(line(1)+"\n", 30), status: 413, reason: "too-large"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.MaxImportBody = 2000 })
			if c.prepare != nil {
				c.prepare(h)
			}
			path, mediaType, token, body := importPath, mediaNDJSON, "Bearer "+importToken, line(1)
			if c.path != "" {
				path = c.path
			}
			if c.mediaType != "" {
				mediaType = c.mediaType
			}
			if c.status == 401 {
				token = c.token
			}
			if c.body != "" {
				body = c.body
			}
			w := h.post(path, mediaType, body, "Authorization", token)
			checkProblem(t, w, c.status, c.reason)
			if challenge := w.Header().Get("WWW-Authenticate"); c.status == 401 && !strings.HasPrefix(challenge, "Bearer ") {
				t.Errorf("WWW-Authenticate %q", challenge)
			}
			if len(h.stored()) != 0 {
				t.Error("something is stored")
			}
		})
	}
}

// TestImportTokenComesBeforeTheBody refuses without reading.
func TestImportTokenComesBeforeTheBody(t *testing.T) {
	h := newHarness(t)
	body := &countingReader{r: strings.NewReader(line(1))}
	r := httptest.NewRequest(http.MethodPost, importPath, body)
	r.Header.Set("Content-Type", mediaNDJSON)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	wantStatus(t, w, http.StatusUnauthorized)
	if body.n != 0 {
		t.Errorf("%d bytes were read", body.n)
	}
}

type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}

func TestImportIntoAClosedProgramIsNotLimited(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.RatePerMinute, c.RateBurst = 1, 1 })
	s := testSurvey()
	s.Closed = true
	h.serve(s)
	for n := range 3 {
		wantStatus(t, h.importLines(line(n)), http.StatusOK)
	}
	wantStatus(t, h.export("csv"), http.StatusOK)
	if len(h.stored()) != 3 {
		t.Error("a closed program takes no import")
	}
}

func TestImportGzip(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxImportBody = 64 << 10 })
	send := func(body []byte) *httptest.ResponseRecorder {
		return h.post(importPath, "application/jsonl", string(body), "Authorization", "bearer "+importToken, "Content-Encoding", "gzip")
	}
	wantStatus(t, send(compress([]byte(strings.Join(lines(300), "\n")))), http.StatusOK)
	if got := len(h.stored()); got != 300 {
		t.Errorf("%d stored", got)
	}
	bomb := compress([]byte(strings.Repeat(" \n", 1<<20)))
	checkProblem(t, send(bomb), http.StatusRequestEntityTooLarge, "too-large")
}

// TestImportBreaksOff: what was committed stays, the line that was cut is not taken, and a repeat is safe.
func TestImportBreaksOff(t *testing.T) {
	h := newHarness(t)
	all := lines(importBatch + 50)
	whole := strings.Join(all, "\n")
	r := httptest.NewRequest(http.MethodPost, importPath, io.MultiReader(strings.NewReader(whole[:len(whole)-20]), iotest.ErrReader(io.ErrUnexpectedEOF)))
	r.Header.Set("Content-Type", mediaNDJSON)
	r.Header.Set("Authorization", "Bearer "+importToken)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	p := checkProblem(t, w, http.StatusBadRequest, "malformed")
	if !strings.Contains(p.Detail, fmt.Sprintf("%d responses stored", importBatch)) {
		t.Errorf("detail %q", p.Detail)
	}
	if got := len(h.stored()); got != importBatch || lastImport(t, h.store) != "" {
		t.Errorf("%d stored, or the import is marked as finished", got)
	}
	got := decode[summary](t, h.importLines(all...))
	if got.Stored != 50 || got.Repeated != importBatch || lastImport(t, h.store) == "" {
		t.Errorf("the repeat: %+v", got)
	}
}

// TestImportWaitsForABusyStore: the store is busy a few times, in Append and in FinishImport.
func TestImportWaitsForABusyStore(t *testing.T) {
	h := newHarness(t)
	var appends, finishes int
	s := &stubStore{}
	s.append = func(ctx context.Context, responses []store.Response) ([]store.Result, error) {
		if appends++; appends <= 2 {
			return nil, store.ErrBusy
		}
		return h.store.Append(ctx, responses)
	}
	s.finish = func() error {
		if finishes++; finishes <= 1 {
			return store.ErrBusy
		}
		return nil
	}
	h.withStore(s)
	w := h.importLines(lines(10)...)
	wantStatus(t, w, http.StatusOK)
	if got := decode[summary](t, w); got.Stored != 10 || appends != 3 || finishes != 2 {
		t.Errorf("%+v after %d appends and %d finishes", got, appends, finishes)
	}
}

func TestImportWhileTheStoreFails(t *testing.T) {
	for name, s := range map[string]*stubStore{
		"append": {append: failing(errors.New("disk full"))},
		"finish": {finish: func() error { return errors.New("disk full") }},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.withStore(s)
			p := checkProblem(t, h.importLines(line(1)), http.StatusServiceUnavailable, "unavailable")
			if strings.Contains(p.Detail, "disk") {
				t.Errorf("the detail tells of the inside: %s", p.Detail)
			}
		})
	}
}

// TestImportEndsWithItsClient: a client that has gone ends the waiting for a busy store.
func TestImportEndsWithItsClient(t *testing.T) {
	h := newHarness(t)
	ctx, cancel := context.WithCancel(context.Background())
	h.withStore(&stubStore{append: func(context.Context, []store.Response) ([]store.Result, error) {
		cancel()
		return nil, store.ErrBusy
	}})
	r := httptest.NewRequest(http.MethodPost, importPath, strings.NewReader(line(1))).WithContext(ctx)
	r.Header.Set("Content-Type", mediaNDJSON)
	r.Header.Set("Authorization", "Bearer "+importToken)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	wantStatus(t, w, http.StatusServiceUnavailable)
}

func TestLineReader(t *testing.T) {
	in := "\ufeffone\r\n\n \ntoo long a line\nfive\n1234567890\n12345678\ufeff\nlast"
	l := newLineReader(iotest.OneByteReader(strings.NewReader(in)), 10)
	var got []string
	for {
		text, number, err := l.next()
		if errors.Is(err, io.EOF) {
			break
		}
		got = append(got, fmt.Sprintf("%d %s %v", number, text, err))
	}
	want := []string{
		"1 one <nil>", "4  the line is too long", "5 five <nil>", "6 1234567890 <nil>", "7  the line is too long", "8 last <nil>",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if _, _, err := newLineReader(io.MultiReader(strings.NewReader("part"), iotest.ErrReader(io.ErrUnexpectedEOF)), 10).next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a part of a line was taken: %v", err)
	}
}

// FuzzImport: no input makes it panic, every line is counted once, and what is stored is exactly what is said to be.
func FuzzImport(f *testing.F) {
	f.Add([]byte(line(1) + "\n" + line(2)))
	f.Add([]byte(line(1) + "\r\n\r\n{\n" + line(1) + "\n"))
	f.Add([]byte("\ufeff\n" + strings.Repeat("x", 500)))
	f.Add([]byte("\ufeff" + strings.Repeat(" ", 256) + "\r\n" + strings.Repeat(" ", 257) + "\r\n" + strings.Repeat(" ", 256)))
	f.Add([]byte(`{"id":"` + id1 + `","answers":{"comment":"\ud800","used":["wifi","wifi"]}}`))
	s := &stubStore{}
	server, err := New(NewRegistry(), Config{MaxImportLine: 256, Rand: &counter{}, Clock: func() time.Time { return now }})
	if err != nil {
		f.Fatal(err)
	}
	server.registry.Set(programKey, Program{Survey: testSurvey(), Store: s, Tokens: Tokens{Import: importToken}})
	f.Fuzz(func(t *testing.T, body []byte) {
		s.appended = nil
		r := httptest.NewRequest(http.MethodPost, importPath, bytes.NewReader(body))
		r.Header.Set("Content-Type", mediaNDJSON)
		r.Header.Set("Authorization", "Bearer "+importToken)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		var sum summary
		if err := json.Unmarshal(w.Body.Bytes(), &sum); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%d %v: %s", w.Code, err, w.Body)
		}
		want := 0
		for text := range bytes.SplitSeq(bytes.TrimPrefix(body, byteOrder), []byte("\n")) {
			if len(bytes.TrimSpace(text)) > 0 || len(bytes.TrimSuffix(text, []byte("\r"))) > 256 {
				want++
			}
		}
		if sum.Received != sum.Stored+sum.Repeated+sum.Rejected || sum.Stored != len(s.appended) || sum.Rejected != len(sum.Lines)+sum.Unlisted {
			t.Errorf("%q: %+v, stored %d", body, sum, len(s.appended))
		}
		if sum.Received != want {
			t.Errorf("%q: %d lines received, want %d", body, sum.Received, want)
		}
	})
}

// curl sends a form's media type with --data-binary, other clients none. The document says */*, which the library that
// checks requests against it reads by the type that was sent; hence no such check here.
func TestImportTakesAnyMediaType(t *testing.T) {
	for _, mediaType := range []string{"", "application/x-www-form-urlencoded", "text/plain", mediaJSON} {
		h := newHarness(t)
		r := httptest.NewRequest(http.MethodPost, importPath, strings.NewReader(line(1)))
		r.Header.Set("Content-Type", mediaType)
		r.Header.Set("Authorization", "Bearer "+importToken)
		w := httptest.NewRecorder()
		h.Server.ServeHTTP(w, r)
		if w.Code != http.StatusOK || len(h.stored()) != 1 {
			t.Errorf("%q: status %d, %d stored", mediaType, w.Code, len(h.stored()))
		}
	}
}
