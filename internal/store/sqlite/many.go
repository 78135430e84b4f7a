package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// manySizes are how many rows a statement for many takes at once: the fewest statements for any number of rows, without one
// being prepared for each number, but for those that a single response has. The halves of each are among them; more rows at once
// than the first are not faster.
var manySizes = [...]int{64, 32, 16, 8, 7, 6, 5, 4, 3, 2, 1}

// many is a statement about several rows, of so many columns each, between the two halves of its text. It is prepared at its
// first use, for each size.
type many struct {
	conn       *sql.Conn
	columns    int
	head, tail string
	statements [len(manySizes)]*sql.Stmt
}

// text returns the statement for a number of rows.
func (m *many) text(rows int) string {
	one := "(?" + strings.Repeat(", ?", m.columns-1) + ")"
	return m.head + " VALUES " + one + strings.Repeat(", "+one, rows-1) + m.tail
}

// each has use run the statement with all of the values, those of some rows at a time.
func (m *many) each(values []any, use func(stmt *sql.Stmt, values []any) error) error {
	for size, rows := range manySizes {
		for n := rows * m.columns; len(values) >= n; values = values[n:] {
			if m.statements[size] == nil {
				stmt, err := m.conn.PrepareContext(context.Background(), m.text(rows))
				if err != nil {
					return fmt.Errorf("preparing %q: %w", m.text(1), err)
				}
				m.statements[size] = stmt
			}
			if err := use(m.statements[size], values[:n]); err != nil {
				return err
			}
		}
	}
	return nil
}

// exec runs the statement.
func (m *many) exec(values []any) error {
	return m.each(values, func(stmt *sql.Stmt, values []any) error {
		_, err := stmt.Exec(values...)
		return err
	})
}

// query runs the statement and has scan take each row of what it returns.
func (m *many) query(values []any, scan func(*sql.Rows) error) error {
	return m.each(values, func(stmt *sql.Stmt, values []any) error {
		rows, err := stmt.Query(values...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}
