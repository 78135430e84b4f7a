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
// with two programs in a namespace of its own.
func testModel(t *testing.T, h Harness) {
	s := h.Open(t)
	defer func() { closeStore(t, s) }()
	runs := 0
	var cursor store.Cursor
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		m := newModel(h, &s, fmt.Sprint("model-", runs))
		// What was before is not of its programs: read again each time, it would take most of the time.
		m.picture.cursor = cursor
		rt.Repeat(map[string]func(*rapid.T){
			"append": m.append, "retire": m.retire, "erase": m.erase, "import": m.finishImport, "read": m.read, "reopen": m.reopen,
			"invite": m.invite, "track": m.track, "set standing": m.setStanding, "forget": m.forget,
			"change case": m.changeCase, "erase contacts": m.eraseContacts, "expire contacts": m.expireContacts, "notices": m.notices,
		})
		m.check(rt)
		cursor = m.picture.cursor
	})
}

// identity is the key of a response, of an invitation or of a visit.
type identity struct {
	program store.Key
	id      string
}

type model struct {
	h        Harness
	store    *store.Store
	programs []store.Key
	picture  *picture
	imports  map[store.Key]string
	// stored is every response that ever was.
	stored      map[identity]*modelResponse
	invitations map[identity]*modelInvitation
	// visits are unfinished.
	visits map[identity]store.Visit
	cases  map[identity]*modelCase
	// counts of the pseudo-questions, but for those of suspects and cases.
	counts map[series]int64
}

// modelResponse is gone when retention deleted it, erased when it was erased before.
type modelResponse struct {
	store.Response
	gone, erased bool
}

func newModel(h Harness, s *store.Store, namespace string) *model {
	return &model{
		h: h, store: s, programs: []store.Key{{Namespace: namespace, Name: "a"}, {Namespace: namespace, Name: "b"}},
		picture: newPicture(), imports: map[store.Key]string{}, stored: map[identity]*modelResponse{},
		invitations: map[identity]*modelInvitation{}, visits: map[identity]store.Visit{}, cases: map[identity]*modelCase{}, counts: map[series]int64{},
	}
}

// drawProgram draws the first program mostly.
func (m *model) drawProgram(t *rapid.T) store.Key {
	return m.programs[rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "program")]
}

func drawMinute(t *rapid.T, name string) time.Duration {
	return time.Duration(rapid.IntRange(-90, 90).Draw(t, name)) * time.Minute
}

// drawResponse draws from few identities, times and bodies, so that repeats and conflicts are common.
func (m *model) drawResponse(t *rapid.T) store.Response {
	r := respond(m.drawProgram(t), "model", rapid.IntRange(0, 30).Draw(t, "identity"))
	r.Touchpoint = rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "touchpoint")
	r.SubmittedAt = noon.Add(drawMinute(t, "minute")).Add(time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "day")) * day)
	r.Digest = sha256.Sum256(fmt.Append(nil, rapid.IntRange(0, 2).Draw(t, "body")))
	r.Answers = rapid.SampledFrom([][]store.Answer{r.Answers, r.Answers[:1], r.Answers[1:]}).Draw(t, "answers")
	r.Standing = rapid.SampledFrom([]store.Standing{"", "", store.StandingCounted, store.StandingSuspect, store.StandingAnnulled}).Draw(t, "standing")
	r.Failed = rapid.SampledFrom([][]string{nil, {"time"}, {"page", "time"}}).Draw(t, "failed")
	if rapid.Bool().Draw(t, "invited") {
		r.Invitation = drawInvitationID(t)
		r.SingleUse = rapid.Bool().Draw(t, "single use")
	}
	if rapid.Bool().Draw(t, "started") {
		r.StartedAt = r.SubmittedAt.Add(-time.Duration(rapid.IntRange(-1, 90_000).Draw(t, "seconds")) * time.Second)
	}
	if rapid.Bool().Draw(t, "promising") {
		r.Case = drawOpening(t, r)
	}
	return r
}

func (m *model) append(t *rapid.T) {
	responses := rapid.SliceOfN(rapid.Custom(m.drawResponse), 1, 12).Draw(t, "responses")
	var want []store.Result
	for _, r := range responses {
		want = append(want, m.appendOne(r))
	}
	wantResults(t, appendAll(t, *m.store, responses...), want...)
}

func (m *model) appendOne(r store.Response) store.Result {
	key := identity{r.Program, r.ID}
	if old, ok := m.stored[key]; ok {
		if old.Digest != r.Digest {
			return store.Result{Outcome: store.Conflict}
		}
		return store.Result{Outcome: store.Repeated, Receipt: old.Receipt}
	}
	if r.Invitation != "" && !m.answer(r) {
		return store.Result{Outcome: store.Spent}
	}
	if v, ok := m.visits[key]; ok && !r.StartedAt.IsZero() {
		m.add(ofVisit(v, "@unfinished", v.Question), -1)
		delete(m.visits, key)
	}
	tallyVisit(r, m.counts)
	m.open(r)
	r.StartedAt, r.Case = time.Time{}, nil
	m.stored[key] = &modelResponse{Response: r}
	return store.Result{Outcome: store.Stored, Receipt: r.Receipt}
}

func (m *model) add(key series, n int64) { m.counts = sum(m.counts, map[series]int64{key: n}) }

func (m *model) retire(t *rapid.T) {
	program, before := m.drawProgram(t), noon.Add(drawMinute(t, "before"))
	n := 0
	for key, r := range m.stored {
		if key.program == program && !r.gone && !r.erased && r.SubmittedAt.Before(before) {
			m.leave(r.Response)
			if r.gone = true; r.Standing == store.StandingSuspect {
				r.Standing = store.StandingAnnulled // it is in no count any more
			}
			n++
		}
	}
	retire(t, *m.store, program, before, n)
}

func (m *model) erase(t *rapid.T) {
	r := m.drawResponse(t)
	old, known := m.stored[identity{r.Program, r.ID}]
	if known && !old.gone {
		old.erased = true
	}
	receipt := ""
	if known {
		receipt = old.Receipt
	}
	erase(t, *m.store, r.Program, receipt, known)
	if known {
		m.eraseCase(t, old.Response)
	}
}

func (m *model) setStanding(t *rapid.T) {
	program := m.drawProgram(t)
	to := rapid.SampledFrom([]store.Standing{store.StandingCounted, store.StandingAnnulled}).Draw(t, "to")
	sel := m.drawSelection(t)
	n := 0
	for key, r := range m.stored {
		is := exported([]store.Response{r.Response})[0].Standing
		if key.program == program && !r.gone && !r.erased && is != to && selects(sel, r.Response, is) {
			r.Standing = to
			n++
		}
	}
	for _, dry := range []bool{true, false} {
		if got, err := (*m.store).SetStanding(context.Background(), program, sel, to, dry); err != nil || got != int64(n) {
			t.Errorf("SetStanding to %s of %+v, dry run %t: %d, %v; want %d", to, sel, dry, got, err, n)
		}
	}
}

func (m *model) drawSelection(t *rapid.T) (sel store.Selection) {
	if rapid.Bool().Draw(t, "by id") {
		sel.IDs = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return ID("model", rapid.IntRange(0, 30).Draw(t, "identity")) }), 1, 20).Draw(t, "ids")
	}
	if rapid.Bool().Draw(t, "from") {
		sel.From = noon.Add(drawMinute(t, "from"))
	}
	if rapid.Bool().Draw(t, "to") {
		sel.To = noon.Add(drawMinute(t, "to"))
	}
	if rapid.Bool().Draw(t, "by touchpoint") {
		touchpoint := rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "touchpoint")
		sel.Touchpoint = &touchpoint
	}
	sel.Failed = rapid.SampledFrom([]string{"", "", "time", "page", "proof"}).Draw(t, "failed")
	sel.Standing = rapid.SampledFrom([]store.Standing{"", "", store.StandingCounted, store.StandingSuspect, store.StandingAnnulled}).Draw(t, "is")
	return sel
}

func (m *model) finishImport(t *rapid.T) {
	program := m.drawProgram(t)
	m.imports[program] = finishImport(t, *m.store, program)
}

func (m *model) read(t *rapid.T) { m.picture.read(t, *m.store, rapid.IntRange(1, 20).Draw(t, "limit")) }

func (m *model) reopen(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "opening is slow") > 0 {
		return
	}
	closeStore(t, *m.store)
	*m.store = m.h.Open(t)
}

func (m *model) check(t *rapid.T) {
	m.picture.readAll(t, *m.store, 50)
	for _, program := range m.programs {
		var ever, kept []store.Response
		for key, r := range m.stored {
			if key.program != program || r.erased {
				continue
			}
			ever = append(ever, r.Response)
			if !r.gone {
				kept = append(kept, r.Response)
			}
		}
		if diff := cmp.Diff(exported(kept), export(t, *m.store, program)); diff != "" {
			t.Errorf("export differs (-want +got):\n%s", diff)
		}
		wantRecount(t, *m.store, program, len(kept))
		counts := sum(tally(ever), ofProgram(m.counts, program), m.checkCases(t, program))
		if diff := cmp.Diff(counts, ofProgram(m.picture.counts, program)); diff != "" {
			t.Errorf("counts differ (-want +got):\n%s", diff)
		}
		if got := m.picture.imports[program]; got != m.imports[program] {
			t.Errorf("import %q, want %q", got, m.imports[program])
		}
	}
}
