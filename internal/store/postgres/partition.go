package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Months from firstYear to before endYear have partitions of their own.
const (
	firstYear = 2000
	endYear   = 2100
)

// dropPatience bounds how long a partition's dropping waits for a lock, because others queue behind it meanwhile.
const dropPatience = "200ms"

// monthOf returns the name of the partitions' month that t lies in, ok false where it has none of its own.
func monthOf(t time.Time) (month string, ok bool) {
	t = t.UTC()
	return t.Format("2006_01"), t.Year() >= firstYear && t.Year() < endYear
}

// bounds returns the literals of the month's beginning and end.
func bounds(month string) (from, to string, err error) {
	begin, err := time.Parse("2006_01", month)
	if err != nil {
		return "", "", err
	}
	const literal = "2006-01-02 15:04-07"
	return begin.Format(literal), begin.AddDate(0, 1, 0).Format(literal), nil
}

// addMonths makes the partitions that the rows need and are not known to be there.
func (w *writer) addMonths(ctx context.Context, refs []ref) error {
	missing := map[string]bool{}
	last := store.Hour(math.MinInt64)
	for _, r := range refs {
		// Most are of the same hour as the one before.
		if len(r.Rows) == 0 || r.row().Hour == last {
			continue
		}
		last = r.row().Hour
		if month, ok := monthOf(instant(r.row().SubmittedAt)); ok && !w.months[month] {
			missing[month] = true
		}
	}
	for _, month := range slices.Sorted(maps.Keys(missing)) {
		err := pgx.BeginFunc(ctx, w.conn, func(t pgx.Tx) error { return addMonth(ctx, t, month) })
		if err != nil {
			return fmt.Errorf("partition of %s: %w", month, err)
		}
		w.months[month] = true
	}
	return nil
}

const (
	// One process at a time makes partitions, or drops them.
	lockPartitions = `SELECT pg_advisory_xact_lock('meta'::regclass::oid::int, 0)`
	isPartition    = `SELECT EXISTS (SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
		WHERE inhparent = 'response'::regclass AND relname = $1)`
	monthsBefore = `SELECT substr(relname, length('response_') + 1) FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
		WHERE inhparent = 'response'::regclass AND relname ~ '^response_\d{4}_\d\d$' AND relname < 'response_' || $1
		ORDER BY 1`
)

// addMonth makes the partitions of a month. A table that is made first and attached then takes no lock on the whole that
// would wait for readers or writers, or hold them up.
func addMonth(ctx context.Context, t pgx.Tx, month string) error {
	from, to, err := bounds(month)
	if err != nil {
		return err
	}
	if _, err := t.Exec(ctx, lockPartitions); err != nil {
		return err
	}
	var there bool
	if err := t.QueryRow(ctx, isPartition, "response_"+month).Scan(&there); err != nil || there {
		return err
	}
	for _, table := range []string{"response", "answer"} {
		// month is made of digits and an underscore: bounds has parsed it.
		for _, statement := range []string{
			fmt.Sprintf(`CREATE TABLE %[1]s_%[2]s (LIKE %[1]s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`, table, month),
			fmt.Sprintf(`ALTER TABLE %[1]s ATTACH PARTITION %[1]s_%[2]s FOR VALUES FROM ('%[3]s') TO ('%[4]s')`, table, month, from, to),
		} {
			if _, err := t.Exec(ctx, statement); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropMonths drops the partitions of the months before the one that t lies in which have become empty. It gives up on those
// that are in use, until the next time.
func (s *Store) dropMonths(ctx context.Context, t time.Time) error {
	if t.UTC().Year() < firstYear {
		return nil
	}
	month, ok := monthOf(t)
	if !ok {
		month = fmt.Sprint(endYear)
	}
	rows, err := s.pool.Query(ctx, monthsBefore, month)
	if err != nil {
		return err
	}
	months, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, month := range months {
		err := pgx.BeginFunc(ctx, s.pool, func(t pgx.Tx) error { return dropMonth(ctx, t, month) })
		if err != nil && !isBusy(err) {
			return fmt.Errorf("partition of %s: %w", month, err)
		}
	}
	return nil
}

func dropMonth(ctx context.Context, t pgx.Tx, month string) error {
	if _, _, err := bounds(month); err != nil {
		return err
	}
	empty := func() (bool, error) {
		var full bool
		err := t.QueryRow(ctx, fmt.Sprintf(`SELECT EXISTS (SELECT FROM response_%[1]s) OR EXISTS (SELECT FROM answer_%[1]s)`, month)).
			Scan(&full)
		return !full, err
	}
	// First without the locks, which all who write would have to wait for.
	if ok, err := empty(); !ok || err != nil {
		return err
	}
	for _, statement := range []string{
		`SET LOCAL lock_timeout = '` + dropPatience + `'`,
		lockPartitions,
		// In the order in which a writer takes them.
		`LOCK TABLE ONLY response, ONLY answer IN ACCESS EXCLUSIVE MODE`,
	} {
		if _, err := t.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if ok, err := empty(); !ok || err != nil {
		return err
	}
	_, err := t.Exec(ctx, fmt.Sprintf(`DROP TABLE response_%[1]s, answer_%[1]s`, month))
	return err
}

// isBusy tells whether a table was in use for too long, or is gone by now.
func isBusy(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "55P03" || e.Code == "42P01" || e.Code == "40P01")
}
