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
	stored, unsure, err := w.insertNew(prepare, refs)
	if stored || unsure {
		defer w.store.changed()
	}
	if err != nil {
		return err
	}
	if stored {
		for _, r := range refs {
			r.Results[r.i] = store.Result{Outcome: store.Stored, Receipt: r.row().Receipt}
		}
		return nil
	}
	var i *intake
	err = w.transact(prepare, func(t *tx) (*pgx.Batch, error) {
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
	want := func(k store.Key) {
		if w.programs[k] == 0 {
			missing[k] = true
		}
	}
	for _, r := range refs {
		if len(r.Invitations) == 0 {
			want(r.program())
		}
		for _, v := range r.Invitations {
			want(v.Program)
		}
	}
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
			i.track(&r.Visits[r.i])
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

// track names what a visit needs. It also takes the identity of the response to come, for as long as the transaction lasts:
// whoever stores that one at the same moment waits, and then finds the visit; or this one waits, and then finds the response.
func (i *intake) track(v *commit.Visit) {
	k := identity{i.programs[v.Program], v.ID}
	i.visits.keys[k] = true
	i.submissions.want(k, &commit.Row{Digest: v.Erased, Erased: v.Erased, SubmittedAt: v.StartedAt})
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
		b.Queue(addResponses, i.responseColumns(i.fresh)...)
		b.Queue(addAnswers, i.answerColumns(i.fresh)...)
		i.queueCases(b, i.fresh)
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
	if _, finished := i.submissions.there[k]; finished {
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

// responseColumns returns the columns of addResponses.
func (w *writer) responseColumns(rows []*commit.Row) []any {
	n := len(rows)
	programs, times, ids := make([]int32, n), make([]time.Time, n), make([]pgtype.UUID, n)
	touchpoints, units, languages := make([]string, n), make([]string, n), make([]string, n)
	standings, passed, failed := make([]string, n), make([]string, n), make([]string, n)
	for i, r := range rows {
		programs[i], times[i], ids[i] = w.programs[r.Program], instant(r.SubmittedAt), uuidOf(r.ID)
		touchpoints[i], units[i], languages[i] = r.Touchpoint, r.Unit, r.Language
		standings[i], passed[i], failed[i] = string(r.Standing), r.Passed, r.Failed
	}
	return []any{programs, times, ids, touchpoints, units, languages, standings, passed, failed}
}

// answerColumns returns the columns of addAnswers.
func (w *writer) answerColumns(rows []*commit.Row) []any {
	n := 0
	for _, r := range rows {
		n += len(r.Answers)
	}
	programs, times, ids := make([]int32, 0, n), make([]time.Time, 0, n), make([]pgtype.UUID, 0, n)
	questions, kinds, vals := make([]string, 0, n), make([]string, 0, n), make([]string, 0, n)
	revisions := make([]int32, 0, n)
	for _, r := range rows {
		program, at, id := w.programs[r.Program], instant(r.SubmittedAt), uuidOf(r.ID)
		for _, a := range r.Answers {
			programs, times, ids = append(programs, program), append(times, at), append(ids, id)
			questions, revisions = append(questions, a.Question), append(revisions, a.Revision)
			kinds, vals = append(kinds, a.Kind), append(vals, a.Vals)
		}
	}
	return []any{programs, times, ids, questions, revisions, kinds, vals}
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
