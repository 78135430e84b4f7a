package operations

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/store"
)

const caseAddress = "ana.müller@example.org"

var promised = time.Date(2026, 3, 6, 6, 0, 0, 0, time.UTC)

func caseKeys(t *testing.T) desk.Keys {
	t.Helper()
	ring, err := desk.ParseKeys("case-key-of-the-test-0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	return desk.Keys{Cases: ring, Contact: []byte("contact key of the test")}
}

// openCase stores an answer that opens a case, and returns the case and the receipt.
func openCase(t *testing.T, s store.Store, keys desk.Keys, touchpoint string) (id, receipt string) {
	t.Helper()
	id, receipt = uuid.NewString(), strings.ToUpper(strings.ReplaceAll(uuid.NewString(), "-", ""))[:20]
	sealed, hash, err := keys.Seal(visits, id, caseAddress)
	if err != nil {
		t.Fatal(err)
	}
	response := uuid.NewString()
	if _, err := s.Append(t.Context(), []store.Response{{
		Program: visits, ID: response, Digest: sha256.Sum256([]byte(response)), Receipt: receipt, SubmittedAt: answered, Touchpoint: touchpoint,
		Language: "pt-BR",
		Answers: []store.Answer{
			{Question: "comment", Revision: 2, Kind: store.KindText, Values: []string{"Too slow.\nNobody\thelped."}},
			{Question: "ease", Revision: 1, Kind: store.KindScale, Values: []string{"1"}},
		},
		Case: &store.CaseOpening{
			ID: id, Reasons: []string{"ContactRequested", "LowScore"}, PromisedBy: promised, Contact: sealed, ContactHash: hash, RetentionDays: 30,
		},
	}}); err != nil {
		t.Fatal(err)
	}
	return id, receipt
}

// casePort is a port over a store with cases, and the desks on both sides of it.
func casePort(t *testing.T, log logr.Logger) (s store.Store, far, near desk.Desk, keys desk.Keys, p *port) {
	t.Helper()
	s, keys = openSQLite(t), caseKeys(t)
	near = desk.Of(s, keys)
	p = serve(t, s)
	p.address = listen(t, p.authority, NewHandler(Config{
		Program: visits, Ready: func() bool { return true }, Draining: p.draining, Log: log,
		Token: func() string { return token },
		Store: func() Opened { return Opened{Store: s} },
		Desk:  func() (desk.Desk, error) { return near, nil },
	}))
	p.client = p.newClient(p.address)
	return s, p.client.Desk(), near, keys, p
}

// TestDeskOverThePort: both desks say the same, and do the same.
func TestDeskOverThePort(t *testing.T) {
	ctx := t.Context()
	s, far, near, keys, _ := casePort(t, logr.Discard())
	first, _ := openCase(t, s, keys, "desk")
	for range 3 {
		openCase(t, s, keys, "")
	}
	one, err := far.Case(ctx, visits, first)
	want, _ := near.Case(ctx, visits, first)
	if diff := cmp.Diff(want, one); err != nil || diff != "" || len(one.Answers) != 2 || len(one.History) == 0 || one.Contact != nil || want.Contact != nil {
		t.Fatalf("%v (-near +far):\n%s", err, diff)
	}
	empty := ""
	for name, q := range map[string]store.CaseQuery{
		"all": {Limit: 500}, "two": {Limit: 2}, "open": {Limit: 9, States: []store.CaseState{store.CaseOpen, store.CaseContacted}},
		"closed": {Limit: 9, States: []store.CaseState{store.CaseInformed}}, "of none": {Limit: 9, Touchpoint: &empty},
		"overdue": {Limit: 9, OverdueAt: promised}, "not overdue": {Limit: 9, OverdueAt: promised.Add(-time.Nanosecond * 1000)},
	} {
		want, wantErr := near.ListCases(ctx, visits, q)
		got, err := far.ListCases(ctx, visits, q)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil || wantErr != nil {
			t.Errorf("%s: %v, %v (-near +far):\n%s", name, err, wantErr, diff)
		}
		if got.Next == "" {
			continue
		}
		q.After = got.Next
		if rest, err := far.ListCases(ctx, visits, q); err != nil || len(rest.Cases) != 2 || rest.Remaining != 0 || rest.Next != "" {
			t.Errorf("%s: the page after it: %+v, %v", name, rest, err)
		}
	}
	plan := "shorter-queues"
	change := store.CaseChange{ID: first, Version: one.Version, State: store.CaseContacted, Plan: &plan, Note: "Called: apologised.\nAll is well.", By: "rosa", At: promised.Add(-time.Hour)}
	changed, err := far.ChangeCase(ctx, visits, change)
	if err != nil || changed.State != store.CaseContacted || changed.Plan != plan || changed.Version != one.Version+1 || !changed.ContactedAt.Equal(change.At) {
		t.Fatalf("%+v, %v", changed, err)
	}
	if last := changed.History[len(changed.History)-1]; last.Note != change.Note || last.By != "rosa" {
		t.Errorf("history %+v", changed.History)
	}
	if contact, err := far.Contact(ctx, visits, first); err != nil || contact != caseAddress {
		t.Errorf("contact %q, %v", contact, err)
	}
}

func TestNoticesOverThePort(t *testing.T) {
	ctx := t.Context()
	s, far, _, keys, _ := casePort(t, logr.Discard())
	id, _ := openCase(t, s, keys, "desk")
	notices, err := far.Notices(ctx, visits, store.NoticePending, 0, 10, promised.Add(time.Hour))
	if err != nil || len(notices) != 2 || notices[0].CaseID != id || notices[0].Transition != store.NoticeOpened || notices[1].Transition != store.NoticeOverdue {
		t.Fatalf("%+v, %v", notices, err)
	}
	record := []byte{0, 1, 255}
	if err := far.SettleNotice(ctx, visits, notices[0].Seq, store.NoticeDead, record, promised); err != nil {
		t.Fatal(err)
	}
	dead, err := far.Notices(ctx, visits, store.NoticeDead, 0, 10, promised)
	if err != nil || len(dead) != 1 || !bytes.Equal(dead[0].Record, record) {
		t.Errorf("%+v, %v", dead, err)
	}
	if rest, err := far.Notices(ctx, visits, store.NoticePending, notices[0].Seq, 1, promised); err != nil || len(rest) != 1 || rest[0].Seq != notices[1].Seq {
		t.Errorf("%+v, %v", rest, err)
	}
}

func TestErasingOverThePort(t *testing.T) {
	ctx := t.Context()
	s, far, near, keys, _ := casePort(t, logr.Discard())
	byID, _ := openCase(t, s, keys, "desk")
	_, receipt := openCase(t, s, keys, "desk")
	openCase(t, s, keys, "desk")
	for _, c := range []struct {
		e    desk.Erasure
		want int64
	}{
		{desk.Erasure{ID: byID}, 1}, {desk.Erasure{ID: byID}, 0}, {desk.Erasure{Receipt: strings.ToLower(receipt[:5] + "-" + receipt[5:])}, 1},
		{desk.Erasure{Contact: "  " + strings.ToUpper(caseAddress)}, 1}, {desk.Erasure{Contact: caseAddress}, 0},
	} {
		if n, err := far.EraseContacts(ctx, visits, c.e, promised); err != nil || n != c.want {
			t.Errorf("%+v: %d, %v", c.e, n, err)
		}
	}
	for _, d := range []desk.Desk{far, near} {
		if contact, err := d.Contact(ctx, visits, byID); !errors.Is(err, desk.ErrErased) || contact != "" {
			t.Errorf("an erased contact: %q, %v", contact, err)
		}
		if c, err := d.Case(ctx, visits, byID); err != nil || !c.ContactErasedAt.Equal(promised) {
			t.Errorf("%+v, %v", c, err)
		}
	}
}

// TestDeskErrors: errors are the same on both sides of the port.
func TestDeskErrors(t *testing.T) {
	ctx := t.Context()
	s, far, near, keys, p := casePort(t, logr.Discard())
	id, _ := openCase(t, s, keys, "desk")
	at := promised
	if _, err := near.ChangeCase(ctx, visits, store.CaseChange{ID: id, Version: 1, State: store.CaseResolved, At: at}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		call func(d desk.Desk) error
		want error
	}{
		"no such case":      {func(d desk.Desk) error { _, err := d.Case(ctx, visits, uuid.NewString()); return err }, store.ErrNotFound},
		"no ID":             {func(d desk.Desk) error { _, err := d.Case(ctx, visits, "../store"); return err }, store.ErrNotFound},
		"no such contact":   {func(d desk.Desk) error { _, err := d.Contact(ctx, visits, uuid.NewString()); return err }, store.ErrNotFound},
		"changed":           {change(ctx, store.CaseChange{ID: id, Version: 1, State: store.CaseInformed, At: at}), store.ErrChanged},
		"backward":          {change(ctx, store.CaseChange{ID: id, Version: 2, State: store.CaseOpen, At: at}), store.ErrBackward},
		"change of nothing": {change(ctx, store.CaseChange{ID: uuid.NewString(), Version: 2, At: at}), store.ErrNotFound},
		"no page": {func(d desk.Desk) error {
			_, err := d.ListCases(ctx, visits, store.CaseQuery{Limit: 1, After: "x"})
			return err
		}, store.ErrBadPage},
		"two to erase": {func(d desk.Desk) error {
			_, err := d.EraseContacts(ctx, visits, desk.Erasure{ID: id, Contact: "x"}, at)
			return err
		}, desk.ErrInvalid},
		"none to erase": {func(d desk.Desk) error { _, err := d.EraseContacts(ctx, visits, desk.Erasure{}, at); return err }, desk.ErrInvalid},
	} {
		for side, d := range map[string]desk.Desk{"near": near, "far": far} {
			if err := c.call(d); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: %v, want %v", name, side, err, c.want)
			}
		}
	}
	for name, c := range map[string]struct {
		call func(d desk.Desk) error
		text string
	}{
		"note":   {change(ctx, store.CaseChange{ID: id, Version: 2, At: at, Note: strings.Repeat("é", 1001)}), "note: at most 2000 bytes"},
		"by":     {change(ctx, store.CaseChange{ID: id, Version: 2, At: at, By: strings.Repeat("x", 254)}), "by: at most 253 bytes"},
		"state":  {change(ctx, store.CaseChange{ID: id, Version: 2, At: at, State: "Done"}), "Informed are allowed"},
		"no at":  {change(ctx, store.CaseChange{ID: id, Version: 2}), "at: a time from the year 2000"},
		"limit":  {func(d desk.Desk) error { _, err := d.ListCases(ctx, visits, store.CaseQuery{Limit: 501}); return err }, "limit: a whole number"},
		"state?": {func(d desk.Desk) error { _, err := d.Notices(ctx, visits, "Lost", 0, 1, at); return err }, "Dead are allowed"},
		"record": {func(d desk.Desk) error {
			return d.SettleNotice(ctx, visits, 1, store.NoticeDead, make([]byte, 8193), at)
		}, "record: at most 8192 bytes"},
	} {
		if err := c.call(far); !errors.Is(err, desk.ErrInvalid) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := far.Case(ctx, others, id); !errors.Is(err, desk.ErrUnavailable) {
		t.Errorf("of another program: %v", err)
	}
	p.set(func() { p.shown = "another's" })
	if _, err := far.Contact(ctx, visits, id); !errors.Is(err, desk.ErrUnavailable) || !strings.Contains(err.Error(), "401") {
		t.Errorf("with another's token: %v", err)
	}
}

func change(ctx context.Context, c store.CaseChange) func(desk.Desk) error {
	return func(d desk.Desk) error { _, err := d.ChangeCase(ctx, visits, c); return err }
}

// TestCasesAreGuarded: every call about cases wants the program's own token, and the right method.
func TestCasesAreGuarded(t *testing.T) {
	_, _, _, _, p := casePort(t, logr.Discard())
	id := uuid.NewString()
	for path, methods := range map[string]string{
		pathCases: "GET", pathCases + "/" + id: "GET, PATCH", pathCases + "/" + id + "/contact": "GET", pathErase: "POST",
		pathNotices: "GET", pathNotices + "/1": "POST",
	} {
		for _, method := range []string{"GET", "PATCH", "POST", "PUT", "DELETE"} {
			for _, bearer := range []string{"", "Bearer " + scrape, "Bearer x"} {
				if got := p.get(method, path, bearer); got.status != http.StatusUnauthorized {
					t.Errorf("%s %s as %q: %d", method, path, bearer, got.status)
				}
			}
			got := p.get(method, path, "Bearer "+token)
			allowed := slices.Contains(strings.Split(methods, ", "), method)
			if (got.status != http.StatusMethodNotAllowed) != allowed || !allowed && got.header.Get("Allow") != methods {
				t.Errorf("%s %s: %d, Allow %q", method, path, got.status, got.header.Get("Allow"))
			}
			if got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s may be cached", method, path)
			}
		}
	}
	if got := serve(t, openSQLite(t)).get("GET", pathCases, "Bearer "+token); got.status != http.StatusServiceUnavailable {
		t.Errorf("where there is no desk: %d", got.status)
	}
}

// TestContactsAreNotLogged: not even where a call fails.
func TestContactsAreNotLogged(t *testing.T) {
	var log bytes.Buffer
	s, far, _, keys, _ := casePort(t, funcr.New(func(prefix, args string) { log.WriteString(prefix + args + "\n") }, funcr.Options{Verbosity: 10}))
	id, receipt := openCase(t, s, keys, "desk")
	ctx := t.Context()
	for range 2 {
		_, _ = far.Contact(ctx, visits, id)
		_, _ = far.EraseContacts(ctx, visits, desk.Erasure{Contact: caseAddress, Receipt: receipt}, promised)
		_, err := far.EraseContacts(ctx, visits, desk.Erasure{Contact: caseAddress + strings.Repeat("x", 2000)}, promised)
		if err == nil || strings.Contains(err.Error(), "example") {
			t.Errorf("the error tells of the contact: %v", err)
		}
		if err := s.Close(); err != nil { // from now on, everything fails
			t.Fatal(err)
		}
	}
	if _, err := far.EraseContacts(ctx, visits, desk.Erasure{Contact: caseAddress}, promised); !errors.Is(err, desk.ErrUnavailable) || strings.Contains(err.Error(), "example") {
		t.Errorf("over a closed store: %v", err)
	}
	if !strings.Contains(log.String(), "could not be read or changed") {
		t.Error("the log says nothing at all")
	}
	for _, part := range []string{"example", "ller@", receipt, token} {
		if strings.Contains(log.String(), part) {
			t.Errorf("the log has %q: %s", part, log.String())
		}
	}
}

// TestHostileEndpoint: what an endpoint that was broken into says is refused, or made harmless.
func TestHostileEndpoint(t *testing.T) {
	good := map[string]any{
		"id": "7d444840-9dc0-4ad1-b245-5ffdce74fad2", "reasons": []string{"Detractor"}, "state": "Open", "openedAt": answered, "promisedBy": promised, "version": 1,
	}
	with := func(field string, value any) string {
		c := map[string]any{}
		for k, v := range good {
			c[k] = v
		}
		c[field] = value
		data, err := json.Marshal(map[string]any{"program": visits.String(), "case": c})
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if _, err := decodeOne(visits, []byte(with("version", 1))); err != nil {
		t.Fatalf("the good case: %v", err)
	}
	many := make([]map[string]any, 101)
	for i := range many {
		many[i] = map[string]any{"at": answered, "state": "Open"}
	}
	for name, data := range map[string]string{
		"another program": strings.Replace(with("version", 1), "sfo/", "lax/", 1), "not JSON": "{", "nothing": "null", "an id": with("id", "../x"),
		"capitals": with("id", "7D444840-9DC0-4AD1-B245-5FFDCE74FAD2"), "a state": with("state", "Done"), "no version": with("version", 0),
		"no reason": with("reasons", []string{}), "reasons": with("reasons", strings.Split(strings.Repeat("x,", 9), ",")), "a reason": with("reasons", []string{"\x1b[31m"}),
		"a touchpoint": with("touchpoint", strings.Repeat("x", 254)), "a plan": with("plan", "a\nb"), "a language": with("language", strings.Repeat("x", 65)),
		"history": with("history", many), "a note": with("history", []map[string]any{{"at": answered, "state": "Open", "note": strings.Repeat("x", 2001)}}),
		"an actor":  with("history", []map[string]any{{"at": answered, "state": "Open", "by": "\x1b]0;x\x07"}}),
		"an answer": with("answers", []map[string]any{{"question": "q", "revision": 1, "kind": "text", "values": []string{strings.Repeat("x", 16<<10+1)}}}),
		"a kind":    with("answers", []map[string]any{{"question": "q", "revision": 1, "kind": "x", "values": []string{"x"}}}),
		"no time":   with("openedAt", time.Time{}), "a time": with("promisedBy", "tomorrow"),
	} {
		if c, err := decodeOne(visits, []byte(data)); err == nil {
			t.Errorf("%s: accepted %+v", name, c)
		} else if len(err.Error()) > 200 || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := decodeOne(visits, []byte(with("history", []map[string]any{{"at": answered, "state": "Open", "note": "a\x1b[31mb\u0085\nc\td"}})))
	if err != nil || c.History[0].Note != "a[31mb\nc\td" {
		t.Errorf("%+v, %v", c.History, err)
	}
	for name, contact := range map[string]string{"empty": "", "long": strings.Repeat("x", 1025), "control": "a\x1b[31m@b.example"} {
		data, _ := json.Marshal(wireContact{visits.String(), contact})
		if got, err := decodeContact(visits, data); err == nil {
			t.Errorf("%s: accepted %q", name, got)
		}
	}
	for _, data := range []string{`{"program":"sfo/visits","notices":[{"seq":1},{"seq":1}]}`, `{"program":"sfo/visits","notices":[{"seq":5,"case":"x"}]}`} {
		if got, err := decodeNotices(visits, []byte(data), 0, 500); err == nil {
			t.Errorf("accepted %+v", got)
		}
	}
}

// FuzzDecodeCases: what is accepted is within bounds, and is written as it was read.
func FuzzDecodeCases(f *testing.F) {
	f.Add([]byte(`{"program":"sfo/visits","cases":[{"id":"7d444840-9dc0-4ad1-b245-5ffdce74fad2","reasons":["Detractor"],"state":"Open","openedAt":"2026-03-04T05:06:07Z","promisedBy":"2026-03-06T06:00:00Z","version":1,"history":[{"at":"2026-03-04T05:06:07Z","state":"Open","note":"x"}],"answers":[{"question":"q","revision":1,"kind":"text","values":["a"]}]}],"next":"AAA","remaining":7}`))
	f.Add([]byte(`{"program":"sfo/visits","case":{"id":"7d444840-9dc0-4ad1-b245-5ffdce74fad2","reasons":["LowScore"],"state":"Informed","openedAt":"2026-03-04T05:06:07.123456Z","promisedBy":"2026-03-06T06:00:00+01:00","version":9,"contactErasedAt":"2026-03-06T06:00:00Z","plan":"p"},"contact":"a@b","erased":3}`))
	f.Add([]byte(`{"program":"sfo/visits","notices":[{"seq":1,"case":"7d444840-9dc0-4ad1-b245-5ffdce74fad2","transition":"Opened","at":"2026-03-04T05:06:07Z","state":"Pending","record":"AAE="}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if page, err := decodePage(visits, data, 10); err == nil && (len(page.Cases) > 10 || page.Remaining < 0) {
			t.Errorf("accepted %+v", page)
		}
		if contact, err := decodeContact(visits, data); err == nil && (contact == "" || len(contact) > maxContact || strings.ContainsAny(contact, "\x1b\n\x00")) {
			t.Errorf("accepted %q", contact)
		}
		if n, err := decodeErased(visits, data); err == nil && n < 0 {
			t.Errorf("accepted %d", n)
		}
		if notices, err := decodeNotices(visits, data, 3, 10); err == nil && len(notices) > 0 && notices[0].Seq <= 3 {
			t.Errorf("accepted %+v", notices)
		}
		c, err := decodeOne(visits, data)
		if err != nil {
			return
		}
		if c.Program != visits || c.Contact != nil || len(c.History) > maxHistory || len(c.Answers) > maxAnswers || c.Version < 1 {
			t.Errorf("accepted %+v", c)
		}
		again, err := json.Marshal(wireOne{visits.String(), encodeCase(c)})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeOne(visits, again); err != nil || !cmp.Equal(c, got) {
			t.Fatalf("%v:\n%s", err, cmp.Diff(c, got))
		}
	})
}

// FuzzCaseCalls: no body and no query makes a handler fail other than by an answer of the document.
func FuzzCaseCalls(f *testing.F) {
	f.Add("limit=5&state=Open&overdueAt=2026-03-06T06:00:00Z&touchpoint=", []byte(`{"version":1,"state":"Open","at":"2026-03-06T06:00:00Z"}`))
	f.Add("limit=-1&state=x&state=x&state=x&state=x&state=x", []byte(`{"receipt":"x","at":"9999-12-31T23:59:59Z"}`))
	f.Add("after=\x00", []byte(`{"state":"Dead","record":"!"}`))
	f.Fuzz(func(t *testing.T, query string, body []byte) {
		request, err := http.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.URL.RawQuery = query
		if q, err := parseCaseQuery(request.URL.Query()); err == nil && (q.Limit < 1 || q.Limit > maxCases || len(q.States) > 4) {
			t.Errorf("accepted %+v", q)
		}
		var change wireChange
		if err := readCall(request, &change); err == nil && change.check() == nil && (len(change.Note) > maxNote || change.At.Year() < 1999) {
			t.Errorf("accepted %+v", change)
		} else if err != nil && len(fmt.Sprint(err)) > 300 {
			t.Errorf("%v", err)
		}
	})
}
