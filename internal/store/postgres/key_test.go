package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"testing"
)

// TestCountKey wants the keys of counts to stay what they were in the first version, whatever the texts, and PostgreSQL to
// compute them without a call.
func TestCountKey(t *testing.T) {
	dsn := newSchema(t, server)
	mustClose(t, mustOpen(t, dsn, Options{}))
	conn := connect(t, dsn)
	defer hangUp(t, conn)
	texts := []string{"", "a", "9", `\`, `\\`, `\x41`, `\101`, `a\`, `'`, `"`, "\x01\x7f", "\n", "ä", "東京", "🛫", "\u00a0", strings.Repeat(`\ü`, 3000)}
	for i, text := range texts {
		other, revision := texts[(i+5)%len(texts)], int32(i*12_345_678-100)
		for _, row := range [][]string{{text, other, "q", "v"}, {"t", text, other, ""}, {other, "", text, text}, {"", "u", "q", text}} {
			var got []byte
			err := conn.QueryRow(context.Background(), `SELECT count_key($1, $2, $3, $4, $5)`, row[0], row[1], row[2], revision, row[3]).Scan(&got)
			if err != nil {
				t.Fatalf("key of %.40q: %v", row, err)
			}
			data := []byte(row[0] + "\x00" + row[1] + "\x00" + row[2] + "\x00")
			want := sha256.Sum256(append(binary.BigEndian.AppendUint32(data, uint32(revision)), row[3]...))
			if !bytes.Equal(got, want[:16]) {
				t.Errorf("key of %.40q: %x, want %x", row, got, want[:16])
			}
		}
	}
	plan := ask(t, dsn, `EXPLAIN (VERBOSE, FORMAT JSON) SELECT count_key(touchpoint, unit, question, revision, value) FROM rollup`)
	if strings.Contains(plan, "count_key(") || !strings.Contains(plan, "sha256(") {
		t.Errorf("the key is called for: %s", plan)
	}
}
