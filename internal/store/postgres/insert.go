package postgres

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// How processes neither deadlock nor miss what others do at the same moment: a transaction that stores takes what others
// could change too, in this order, and of each kind in the order of its key, before it decides anything: the locks of
// contacts, the rows of invitations, those of submissions, those of visits. What is not there yet it inserts, so that
// another one that wants the same waits, and then finds it. In one round trip, so that nobody waits for this process's sake.
// What deletes locks its program first, which nothing that stores does, and then rows in the same order.

const (
	addPrograms  = `INSERT INTO program (namespace, name) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING`
	findPrograms = `SELECT id, namespace, name FROM program JOIN unnest($1::text[], $2::text[]) AS k (namespace, name)
		USING (namespace, name)`

	addResponses = `INSERT INTO response (program, submitted_at, submission, touchpoint, unit, language, standing, passed, failed)
		SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::json[], $9::json[])`
	addAnswers = `INSERT INTO answer (program, submitted_at, submission, question, revision, kind, vals)
		SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::uuid[], $4::text[], $5::int[], $6::text[], $7::json[])`
)

// identity is the key of a submission, an invitation or a visit.
type identity struct {
	program int32
	id      uuid.UUID
}

func compareIdentities(a, b identity) int {
	return cmp.Or(cmp.Compare(a.program, b.program), bytes.Compare(a.id[:], b.id[:]))
}

// keySet is a set of identities.
type keySet map[identity]bool

func (s keySet) sorted() []identity { return slices.SortedFunc(maps.Keys(s), compareIdentities) }

// insert commits the refs and sets their results.
func (w *writer) insert(refs []ref) error {
	prepare := func(ctx context.Context) error {
		if err := w.addPrograms(ctx, refs); err != nil {
			return err
		}
		return w.addMonths(ctx, refs)
	}
	var i *intake
	err := w.transact(prepare, func(t *tx) (*pgx.Batch, error) {
		i = newIntake(t, refs)
		return i.store()
	})
	if err != nil {
		return err
	}
	i.report()
	return nil
}

// addPrograms learns the numbers of programs, and gives them one where they are new. It does so before the transaction, so
// that no process waits for another's.
func (w *writer) addPrograms(ctx context.Context, refs []ref) error {
	missing := map[store.Key]bool{}
	for _, r := range refs {
		if len(r.Invitations) == 0 {
			missing[r.program()] = true
		}
		for _, v := range r.Invitations {
			missing[v.Program] = true
		}
	}
	maps.DeleteFunc(missing, func(k store.Key, _ bool) bool { return w.programs[k] != 0 })
	return w.numberPrograms(ctx, slices.SortedFunc(maps.Keys(missing), compareKeys))
}

func (w *writer) numberPrograms(ctx context.Context, keys []store.Key) error {
	if len(keys) == 0 {
		return nil
	}
	var namespaces, names []string
	for _, key := range keys {
		namespaces, names = append(namespaces, key.Namespace), append(names, key.Name)
	}
	if _, err := w.conn.Exec(ctx, addPrograms, namespaces, names); err != nil {
		return err
	}
	rows, err := w.conn.Query(ctx, findPrograms, namespaces, names)
	if err != nil {
		return err
	}
	var id int32
	var key store.Key
	_, err = pgx.ForEachRow(rows, []any{&id, &key.Namespace, &key.Name}, func() error {
		w.programs[key] = id
		return nil
	})
	return err
}

func compareKeys(a, b store.Key) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// intake is what one transaction stores of several calls: the invitations first, then the responses, then the visits, of
// each kind in the order in which they came.
type intake struct {
	*tx
	calls, rows, visitors []ref
	invited               [][]store.InviteResult
	results               []store.Result
	// fresh are the responses to be stored.
	fresh []*commit.Row

	submissions *submissions
	links       *links
	visits      *visits
}

func newIntake(t *tx, refs []ref) *intake {
	i := &intake{tx: t, submissions: newSubmissions(), links: newLinks(t), visits: newVisits(t)}
	for _, r := range refs {
		switch {
		case len(r.Rows) > 0:
			i.rows = append(i.rows, r)
			i.want(r.row())
		case len(r.Visits) > 0:
			i.visitors = append(i.visitors, r)
			i.visits.want(t.programs[r.program()], &r.Visits[r.i])
		default:
			i.calls = append(i.calls, r)
			i.links.want(r.Invitations)
		}
	}
	return i
}

// want names what a response needs.
func (i *intake) want(r *commit.Row) {
	k := i.identity(r)
	i.submissions.want(k, r)
	if r.Invitation != uuid.Nil {
		i.links.keys[identity{k.program, r.Invitation}] = true
	}
	if r.Started {
		i.visits.keys[k] = true
	}
}

func (t *tx) identity(r *commit.Row) identity { return identity{t.programs[r.Program], r.ID} }

// store takes what is needed, decides, and returns the statements that write what was decided.
func (i *intake) store() (*pgx.Batch, error) {
	b := i.batch()
	i.check(b)
	i.links.take(b)
	i.submissions.take(b)
	i.visits.take(b)
	if err := i.send(b); err != nil {
		return nil, err
	}
	if err := i.submissions.look(i.tx); err != nil {
		return nil, err
	}
	i.decide()
	b = i.batch()
	i.submissions.write(b)
	i.links.write(b)
	i.visits.write(b)
	if len(i.fresh) > 0 {
		i.queueResponses(b)
		i.queueCases(b)
	}
	return b, nil
}

func (i *intake) decide() {
	for _, call := range i.calls {
		results := make([]store.InviteResult, len(call.Invitations))
		for n := range call.Invitations {
			results[n] = i.links.invite(&call.Invitations[n], call.Fatigue)
		}
		i.invited = append(i.invited, results)
	}
	for _, r := range i.rows {
		i.results = append(i.results, i.accept(r.row()))
	}
	for _, r := range i.visitors {
		i.trackVisit(&r.Visits[r.i])
	}
}

// accept says what becomes of a response.
func (i *intake) accept(r *commit.Row) store.Result {
	k := i.identity(r)
	if old, ok := i.submissions.there[k]; ok {
		return old.compare(r)
	}
	if r.Invitation != uuid.Nil && !i.links.answer(k.program, r) {
		return store.Result{Outcome: store.Spent}
	}
	if r.Started {
		i.visits.end(k)
	}
	i.submissions.add(k, r)
	i.fresh = append(i.fresh, r)
	i.counts.Add(int64(k.program), r)
	return store.Result{Outcome: store.Stored, Receipt: r.Receipt}
}

// trackVisit moves a visit on, unless its response is stored.
func (i *intake) trackVisit(v *commit.Visit) {
	k := identity{i.programs[v.Program], v.ID}
	if i.submissions.stored[k] != nil || i.visits.finished[k] && !i.submissions.fresh[k] {
		return
	}
	i.visits.move(k, v)
}

// report tells the calls what became of what they wanted.
func (i *intake) report() {
	for n, r := range i.rows {
		r.Results[r.i] = i.results[n]
	}
	for n, call := range i.calls {
		copy(call.Invited, i.invited[n])
	}
}

// queueResponses adds responses with their answers.
func (i *intake) queueResponses(b *pgx.Batch) {
	var r struct {
		programs                      []int32
		times                         []time.Time
		ids                           []pgtype.UUID
		touchpoints, units, languages []string
		standings, passed, failed     []string
	}
	var a struct {
		programs               []int32
		times                  []time.Time
		ids                    []pgtype.UUID
		questions, kinds, vals []string
		revisions              []int32
	}
	for _, row := range i.fresh {
		program, at, id := i.programs[row.Program], instant(row.SubmittedAt), pgtype.UUID{Bytes: row.ID, Valid: true}
		r.programs, r.times, r.ids = append(r.programs, program), append(r.times, at), append(r.ids, id)
		r.touchpoints, r.units = append(r.touchpoints, row.Touchpoint), append(r.units, row.Unit)
		r.languages, r.standings = append(r.languages, row.Language), append(r.standings, string(row.Standing))
		r.passed, r.failed = append(r.passed, row.Passed), append(r.failed, row.Failed)
		for _, answer := range row.Answers {
			a.programs, a.times, a.ids = append(a.programs, program), append(a.times, at), append(a.ids, id)
			a.questions, a.revisions = append(a.questions, answer.Question), append(a.revisions, answer.Revision)
			a.kinds, a.vals = append(a.kinds, answer.Kind), append(a.vals, answer.Vals)
		}
	}
	b.Queue(addResponses, r.programs, r.times, r.ids, r.touchpoints, r.units, r.languages, r.standings, r.passed, r.failed)
	b.Queue(addAnswers, a.programs, a.times, a.ids, a.questions, a.revisions, a.kinds, a.vals)
}

func programsOf(keys []identity) []int32 {
	out := make([]int32, len(keys))
	for i, k := range keys {
		out[i] = k.program
	}
	return out
}

func idsOf(keys []identity) []pgtype.UUID {
	out := make([]pgtype.UUID, len(keys))
	for i, k := range keys {
		out[i] = pgtype.UUID{Bytes: k.id, Valid: true}
	}
	return out
}

// instant is what a row's SubmittedAt stands for.
func instant(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
