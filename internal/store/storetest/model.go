package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// testModel plays random sequences of calls on the store and on a model of it in memory. All of them share one store, each
// with a program of its own.
func testModel(t *testing.T, h Harness) {
	s := h.Open(t)
	defer func() { closeStore(t, s) }()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		m := &model{
			h: h, store: &s, picture: newPicture(), stored: map[string]store.Response{}, gone: map[string]bool{}, erased: map[string]bool{},
			program: store.Key{Namespace: "model", Name: fmt.Sprint(runs)},
		}
		rt.Repeat(map[string]func(*rapid.T){
			"append": m.append, "retire": m.retire, "erase": m.erase, "import": m.finishImport, "read": m.read, "reopen": m.reopen,
		})
		m.check(rt)
	})
}

type model struct {
	h       Harness
	store   *store.Store
	program store.Key
	picture *picture
	stored  map[string]store.Response // everything that ever was, by identity
	gone    map[string]bool           // identities of what retention deleted
	erased  map[string]bool           // identities of what was erased before retention deleted it
	imports string
}

// drawResponse draws from few identities, times and bodies, so that repeats and conflicts are common.
func (m *model) drawResponse(t *rapid.T) store.Response {
	r := respond(m.program, "model", rapid.IntRange(0, 30).Draw(t, "identity"))
	r.Touchpoint = rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "touchpoint")
	r.SubmittedAt = noon.Add(time.Duration(rapid.IntRange(-90, 90).Draw(t, "minute")) * time.Minute)
	r.Digest = sha256.Sum256(fmt.Append(nil, rapid.IntRange(0, 2).Draw(t, "body")))
	r.Answers = rapid.SampledFrom([][]store.Answer{r.Answers, r.Answers[:1], r.Answers[1:]}).Draw(t, "answers")
	return r
}

func (m *model) append(t *rapid.T) {
	responses := rapid.SliceOfN(rapid.Custom(m.drawResponse), 1, 12).Draw(t, "responses")
	var want []store.Result
	for _, r := range responses {
		old, ok := m.stored[r.ID]
		switch {
		case !ok:
			m.stored[r.ID] = r
			want = append(want, store.Result{Outcome: store.Stored, Receipt: r.Receipt})
		case old.Digest == r.Digest:
			want = append(want, store.Result{Outcome: store.Repeated, Receipt: old.Receipt})
		default:
			want = append(want, store.Result{Outcome: store.Conflict})
		}
	}
	wantResults(t, appendAll(t, *m.store, responses...), want...)
}

func (m *model) retire(t *rapid.T) {
	before := noon.Add(time.Duration(rapid.IntRange(-90, 90).Draw(t, "before")) * time.Minute)
	n := 0
	for id, r := range m.stored {
		if !m.gone[id] && !m.erased[id] && r.SubmittedAt.Before(before) {
			m.gone[id] = true
			n++
		}
	}
	retire(t, *m.store, m.program, before, n)
}

func (m *model) erase(t *rapid.T) {
	r := m.drawResponse(t)
	old, known := m.stored[r.ID]
	if known && !m.gone[r.ID] {
		m.erased[r.ID] = true
	}
	erase(t, *m.store, m.program, old.Receipt, known)
}

func (m *model) finishImport(t *rapid.T) { m.imports = finishImport(t, *m.store, m.program) }

func (m *model) read(t *rapid.T) { m.picture.read(t, *m.store, rapid.IntRange(1, 20).Draw(t, "limit")) }

func (m *model) reopen(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "opening is slow") > 0 {
		return
	}
	closeStore(t, *m.store)
	*m.store = m.h.Open(t)
}

func (m *model) check(t *rapid.T) {
	var ever, kept []store.Response
	for id, r := range m.stored {
		if m.erased[id] {
			continue
		}
		ever = append(ever, r)
		if !m.gone[id] {
			kept = append(kept, r)
		}
	}
	if diff := cmp.Diff(exported(kept), export(t, *m.store, m.program)); diff != "" {
		t.Errorf("export differs (-want +got):\n%s", diff)
	}
	wantRecount(t, *m.store, m.program, len(kept))
	m.picture.readAll(t, *m.store, 50)
	got := map[series]int64{}
	for key, n := range m.picture.counts {
		if key.Program == m.program {
			got[key] = n
		}
	}
	if diff := cmp.Diff(tally(ever), got); diff != "" {
		t.Errorf("counts differ (-want +got):\n%s", diff)
	}
	if got := m.picture.imports[m.program]; got != m.imports {
		t.Errorf("import %q, want %q", got, m.imports)
	}
	if check, err := (*m.store).Recount(context.Background(), m.program); err != nil || check.Responses != int64(len(kept)) {
		t.Errorf("Recount: %v, %v", check, err)
	}
}
