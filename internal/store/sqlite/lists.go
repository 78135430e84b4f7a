package sqlite

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// listOf returns a JSON array, which a statement takes apart with json_each.
func listOf(numbers []int64) string {
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = strconv.FormatInt(n, 10)
	}
	return "[" + strings.Join(out, ",") + "]"
}

// hexListOf returns a JSON array of hexadecimal texts, for json_each and unhex: JSON has no bytes.
func hexListOf(ids []uuid.UUID) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = `"` + hex.EncodeToString(id[:]) + `"`
	}
	return "[" + strings.Join(out, ",") + "]"
}
