package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables up to date, unless they are newer already and this program may work with them all the same. It
// returns the number of the last migration of the database.
func migrate(ctx context.Context, config *pgx.ConnConfig) (version int64, err error) {
	config = config.Copy()
	config.RuntimeParams["statement_timeout"] = "0" // a migration takes the time it takes
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := newProvider(db)
	if err != nil {
		return 0, err
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the schema version: %w", err)
	}
	if current < target {
		if _, err := provider.Up(ctx); err != nil {
			return 0, fmt.Errorf("migrating: %w", err)
		}
		return target, nil
	}
	var oldest int64
	if err := db.QueryRowContext(ctx, `SELECT oldest FROM meta`).Scan(&oldest); err != nil {
		return 0, fmt.Errorf("reading which programs may use the tables: %w", err)
	}
	if oldest > target {
		return 0, refusal(fmt.Sprintf("the tables have schema version %d and need a program that knows version %d, this one "+
			"knows up to %d: use the newer program", current, oldest, target))
	}
	return current, nil
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	// Another process may be migrating: it is waited for, up to five minutes.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true),
		goose.WithSessionLocker(locker))
}
