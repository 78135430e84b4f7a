package main

import (
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/test/perf/load"
)

// row is an answer as a database takes it.
type row struct {
	id                         uuid.UUID
	digest                     [32]byte
	receipt                    string
	at                         time.Time
	touchpoint, unit, language string
	passed                     string
	answers                    []answerRow
	counts                     []countKey
}

type answerRow struct {
	question   string
	revision   int32
	kind, vals string
}

// countKey is what answers are counted under.
type countKey struct {
	touchpoint, unit, question string
	revision                   int32
	hour                       int64
	value                      string
}

// rowPool is how many different answers take turns: each time, one has another identity.
const rowPool = 4096

// rows gives the rows of one answer after the other. It is for one goroutine.
type rows struct {
	pool  []row
	next  int
	rng   *rand.Rand
	batch []*row
}

// newRows makes the rows that answers of a kind leave.
func newRows(kind load.Kind) (*rows, error) {
	s, now := form(), time.Now()
	answers := load.NewAnswers(s, signToken, load.NewSeed())
	r := &rows{rng: rand.New(rand.NewChaCha8(load.NewSeed()))}
	for range rowPool {
		sub, err := survey.DecodeSubmission(answers.AppendJSON(nil))
		if err != nil {
			return nil, err
		}
		response, wrong := s.Accept(sub, survey.Rules{Now: now})
		if len(wrong) > 0 {
			return nil, errorOf(wrong)
		}
		if kind == load.Form {
			response.Passed = []string{"honeypot", "page"}
			response.StartedAt = now.Add(-time.Second - time.Duration(r.rng.Int64N(int64(10*time.Minute))))
		}
		made, err := newRow(response)
		if err != nil {
			return nil, err
		}
		r.pool = append(r.pool, made)
	}
	return r, nil
}

func newRow(from store.Response) (row, error) {
	r := row{digest: from.Digest, touchpoint: from.Touchpoint, unit: from.Unit, language: from.Language, passed: "[]"}
	count := func(question string, revision int32, hour store.Hour, value string) {
		r.counts = append(r.counts, countKey{r.touchpoint, r.unit, question, revision, int64(hour), value})
	}
	for _, a := range from.Answers {
		vals, err := json.Marshal(a.Values)
		if err != nil {
			return row{}, err
		}
		r.answers = append(r.answers, answerRow{a.Question, a.Revision, string(a.Kind), string(vals)})
		for _, value := range a.Counted() {
			count(a.Question, a.Revision, store.HourOf(from.SubmittedAt), value)
		}
	}
	if from.StartedAt.IsZero() {
		return r, nil
	}
	passed, err := json.Marshal(from.Passed)
	if err != nil {
		return row{}, err
	}
	r.passed = string(passed)
	count(store.QuestionCompleted, 1, store.HourOf(from.StartedAt), "")
	if bucket, ok := store.SecondsBucket(from.SubmittedAt.Sub(from.StartedAt)); ok {
		count(store.QuestionSeconds, 1, store.HourOf(from.StartedAt), bucket)
	}
	return r, nil
}

// take returns the next n rows, which are new. They are good until the next call.
func (r *rows) take(n int) []*row {
	now := time.Now()
	r.batch = r.batch[:0]
	for range n {
		one := &r.pool[r.next%len(r.pool)]
		r.next++
		binary.LittleEndian.PutUint64(one.id[:8], r.rng.Uint64())
		binary.LittleEndian.PutUint64(one.id[8:], r.rng.Uint64())
		one.id[6], one.id[8] = one.id[6]&0x0f|0x40, one.id[8]&0x3f|0x80
		one.receipt, one.at = r.receipt(), now
		r.batch = append(r.batch, one)
	}
	return r.batch
}

// receipt is as long, and as random, as a real one.
func (r *rows) receipt() string {
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var text [20]byte
	for i := range text {
		text[i] = letters[r.rng.IntN(len(letters))]
	}
	return string(text[:])
}

// countsOf adds up what rows count under.
func countsOf(batch []*row) map[countKey]int64 {
	counts := map[countKey]int64{}
	for _, r := range batch {
		for _, k := range r.counts {
			counts[k]++
		}
	}
	return counts
}
