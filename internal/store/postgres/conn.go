package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// connectTimeout bounds one attempt to connect, unless the DSN says otherwise.
	connectTimeout = 5 * time.Second
	// commitTimeout bounds a transaction of the writer as the writer sees it: longer than the server's own limits, which
	// tell more about what went wrong.
	commitTimeout = 30 * time.Second
	// oldestServer is what the tables and statements need, as in server_version_num.
	oldestServer = 130000
)

// session is what every connection sets, whatever the server's, database's or role's defaults are. Times are in
// milliseconds.
var session = map[string]string{
	// A commit is acknowledged when it is on disk, and on that of synchronous standbys.
	"synchronous_commit":                  "on",
	"statement_timeout":                   "20000",
	"lock_timeout":                        "10000",
	"idle_in_transaction_session_timeout": "30000",
	"timezone":                            "UTC",
	"application_name":                    "cx-operator",
	// Statements name their rows by keys: plans made once are right, and a slow just-in-time compiler only delays them.
	"jit": "off",
}

func parse(dsn string, o Options) (*pgxpool.Config, error) {
	read := pgxpool.ParseConfig
	if o.Untrusted {
		read = parseUntrusted
	}
	config, err := read(dsn)
	if err != nil {
		return nil, err
	}
	maps.Copy(config.ConnConfig.RuntimeParams, session)
	if o.Schema != "" {
		config.ConnConfig.RuntimeParams["search_path"] = pgx.Identifier{o.Schema}.Sanitize()
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	return config, nil
}

// prepareServer refuses a server on which the statements would not do what they should, and makes the schema where it is
// named and missing.
func prepareServer(ctx context.Context, config *pgx.ConnConfig, schema string) (err error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if err := checkServer(ctx, conn); err != nil {
		return err
	}
	if schema != "" {
		if err := makeSchema(ctx, conn, schema); err != nil {
			return err
		}
	}
	var current string
	if err := conn.QueryRow(ctx, `SELECT coalesce(current_schema(), '')`).Scan(&current); err != nil {
		return err
	}
	if current == "" {
		return refusal("there is no schema of the search_path's names that the user may use")
	}
	return nil
}

func checkServer(ctx context.Context, conn *pgx.Conn) error {
	var version int
	var name, encoding string
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_version'),
		current_setting('server_encoding')`).Scan(&version, &name, &encoding)
	if err != nil {
		return err
	}
	if version < oldestServer {
		return refusal("the server is PostgreSQL " + name + ", at least 13 is needed")
	}
	if encoding != "UTF8" {
		return refusal("the database's encoding is " + encoding + ", UTF8 is needed")
	}
	return nil
}

const findSchema = `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`

// makeSchema makes a schema that is missing. Who may use it but not make it is asked for nothing more.
func makeSchema(ctx context.Context, conn *pgx.Conn, name string) error {
	var there bool
	if err := conn.QueryRow(ctx, findSchema, name).Scan(&there); err != nil || there {
		return err
	}
	_, failed := conn.Exec(ctx, `CREATE SCHEMA `+pgx.Identifier{name}.Sanitize())
	if failed == nil {
		return nil
	}
	// Another process may have made it meanwhile.
	if err := conn.QueryRow(ctx, findSchema, name).Scan(&there); err != nil || !there {
		return fmt.Errorf("making schema %q: %w", name, errors.Join(failed, err))
	}
	return nil
}

// away tells whether an error says that the database cannot be written now, rather than that what was to be written is at
// fault: only the server can say the latter, and does so with these classes of codes.
func away(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) || missingPartition(err) {
		return true
	}
	for _, class := range []string{
		"22", // data exception
		"23", // integrity constraint violation
		"54", // program limit exceeded
	} {
		if strings.HasPrefix(e.Code, class) {
			return false
		}
	}
	return true
}

// missingPartition tells whether the partition of a row was dropped.
func missingPartition(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23514" && e.ConstraintName == ""
}

// lost tells whether the connection is at fault: another one may do.
func lost(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return true
	}
	return strings.HasPrefix(e.Code, "08") || strings.HasPrefix(e.Code, "57P") || e.Code == "25P03" || e.Code == "25006"
}

// clashed tells whether the server undid a transaction for another's sake.
func clashed(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}
