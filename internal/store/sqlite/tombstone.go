package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/google/uuid"
	"modernc.org/sqlite"

	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	// addTombstones puts tombstones beside the submissions of a list, dropSubmissions then deletes these.
	addTombstones = `
INSERT INTO erased (program, id, digest, receipt, retired)
SELECT program, tombstone_id(id), tombstone_digest(id, digest), receipt, ?3 FROM submission
WHERE program = ?1 AND id IN (SELECT unhex(value) FROM json_each(?2))`
	dropSubmissions = `DELETE FROM submission WHERE program = ?1 AND id IN (SELECT unhex(value) FROM json_each(?2))`
)

// bury puts tombstones in the place of submissions whose responses are deleted. Their cases stay, and know them no more.
func (t *tx) bury(program int64, ids []uuid.UUID, retired bool) error {
	list := hexListOf(ids)
	if err := t.execEach(program, list, leaveCases); err != nil {
		return err
	}
	if _, err := t.conn.ExecContext(context.Background(), addTombstones, program, list, retired); err != nil {
		return err
	}
	_, err := t.conn.ExecContext(context.Background(), dropSubmissions, program, list)
	return err
}

// The functions that statements and migrations make tombstones with.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("tombstone_id", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		t, err := tombstoneOf(args[0], make([]byte, 32))
		return t.ID[:], err
	})
	sqlite.MustRegisterDeterministicScalarFunction("tombstone_digest", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		t, err := tombstoneOf(args[0], args[1])
		return t.Digest[:], err
	})
}

func tombstoneOf(id, digest driver.Value) (commit.Tombstone, error) {
	i, _ := id.([]byte)
	d, _ := digest.([]byte)
	if len(i) != 16 || len(d) != 32 {
		return commit.Tombstone{}, errors.New("a tombstone needs an identity of 16 bytes and a digest of 32")
	}
	return commit.NewTombstone(uuid.UUID(i), [32]byte(d)), nil
}
