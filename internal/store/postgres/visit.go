package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	// takeVisits locks those that are there, and puts rows without content in the place of those that are not. The update
	// is for the lock: it changes nothing.
	takeVisits = `INSERT INTO visit (program, id, touchpoint, unit, started_at, question, position)
		SELECT program, id, '', '', 'epoch', '', -1 FROM unnest($1::int[], $2::uuid[]) AS k (program, id)
		ON CONFLICT (program, id) DO UPDATE SET position = visit.position
		RETURNING program, id, touchpoint, unit, started_at, question, position`
	setVisits = `UPDATE visit AS v SET touchpoint = k.touchpoint, unit = k.unit, started_at = k.started_at, question = k.question, position = k.position
		FROM unnest($1::int[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::int[])
			AS k (program, id, touchpoint, unit, started_at, question, position)
		WHERE v.program = k.program AND v.id = k.id`
	dropVisits = `DELETE FROM visit AS v USING unnest($1::int[], $2::uuid[]) AS k (program, id) WHERE v.program = k.program AND v.id = k.id`
)

// Track implements store.Store.
func (s *Store) Track(ctx context.Context, visits []store.Visit) error {
	return s.loop.Track(ctx, visits)
}

// visit is what is stored of one. Its position is -1 where there is none.
type visit struct {
	touchpoint, unit string
	startedAt        time.Time
	question         string
	position         int32
	moved            bool
}

// visits are those of a transaction: the ones that it tracks, and the ones that its responses end.
type visits struct {
	*tx
	keys  keySet
	known map[identity]*visit
}

func newVisits(t *tx) *visits {
	return &visits{tx: t, keys: keySet{}, known: map[identity]*visit{}}
}

func (v *visits) take(b *pgx.Batch) {
	keys := v.keys.sorted()
	if len(keys) == 0 {
		return
	}
	b.Queue(takeVisits, programsOf(keys), idsOf(keys)).Query(func(rows pgx.Rows) error {
		var k identity
		var s visit
		_, err := pgx.ForEachRow(rows, []any{&k.program, &k.id, &s.touchpoint, &s.unit, &s.startedAt, &s.question, &s.position}, func() error {
			one := s
			v.known[k] = &one
			return nil
		})
		return err
	})
}

// move has a visit come to where it is said to be, if that is further.
func (v *visits) move(k identity, to *commit.Visit) {
	s := v.known[k]
	if s.position >= to.Position {
		return
	}
	if s.position < 0 {
		s.touchpoint, s.unit, s.startedAt = to.Touchpoint, to.Unit, instant(to.StartedAt)
	} else {
		v.count(k, s, -1)
	}
	s.question, s.position, s.moved = to.Question, to.Position, true
	v.count(k, s, 1)
}

// end takes a visit out that has a response now.
func (v *visits) end(k identity) {
	if s := v.known[k]; s.position >= 0 {
		v.count(k, s, -1)
		s.position = -1
	}
}

func (v *visits) count(k identity, s *visit, n int64) {
	key := commit.CountKey{Program: int64(k.program), Touchpoint: s.touchpoint, Unit: s.unit, Hour: store.HourOf(s.startedAt)}
	v.counts.AddPseudo(key, store.QuestionUnfinished, s.question, n)
}

// write changes those that moved, and deletes those that have ended or never were.
func (v *visits) write(b *pgx.Batch) {
	var moved, gone []identity
	for _, k := range v.keys.sorted() {
		switch s := v.known[k]; {
		case s.position < 0:
			gone = append(gone, k)
		case s.moved:
			moved = append(moved, k)
		}
	}
	if len(gone) > 0 {
		b.Queue(dropVisits, programsOf(gone), idsOf(gone))
	}
	if len(moved) > 0 {
		v.queueMoved(b, moved)
	}
}

func (v *visits) queueMoved(b *pgx.Batch, keys []identity) {
	var touchpoints, units, questions []string
	var times []time.Time
	var positions []int32
	for _, k := range keys {
		s := v.known[k]
		touchpoints, units, questions = append(touchpoints, s.touchpoint), append(units, s.unit), append(questions, s.question)
		times, positions = append(times, s.startedAt), append(positions, s.position)
	}
	b.Queue(setVisits, programsOf(keys), idsOf(keys), touchpoints, units, times, questions, positions)
}
