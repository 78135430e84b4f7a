package convert

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// idSpace is the namespace of the ids that are made here. It must not change: ids of imports that were made before
// depend on it.
var idSpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://cx-operator.io/import"))

// identities gives the answers of one file their ids. What it gives for a row depends on the program, the source and the
// row alone (with an id column), or on how many equal rows stand before it (without), so the same file again gets the
// same ids.
type identities struct {
	program store.Key
	source  string
	// equal counts the answers of equal rows so far; lines has where an id stood first and what the row was.
	equal map[[16]byte]int
	lines map[string]seenRow
}

type seenRow struct {
	content [16]byte
	line    int
}

func newIdentities(program store.Key, source string) *identities {
	return &identities{program: program, source: source, equal: map[[16]byte]int{}, lines: map[string]seenRow{}}
}

// make returns an id for parts that identify an answer.
func (d *identities) make(parts ...any) string {
	encoded, err := json.Marshal(append([]any{d.program.String(), d.source}, parts...))
	if err != nil {
		panic("convert: strings and numbers cannot fail to be written as JSON: " + err.Error())
	}
	return uuid.NewSHA1(idSpace, encoded).String()
}

// of returns the ids of the n answers that a row without an id stands for.
func (d *identities) of(content [16]byte, n int) func(i int) string {
	before := d.equal[content]
	d.equal[content] = before + n
	return func(i int) string { return d.make("row", fmt.Sprintf("%x", content), before+i+1) }
}

// named returns the ids of the n answers of a row that has an id. counted says that rows stand for several answers.
func (d *identities) named(id string, counted bool) func(i int) string {
	if counted {
		return func(i int) string { return d.make("id", id, i+1) }
	}
	if parsed, err := uuid.Parse(id); err == nil && len(id) == 36 && parsed != uuid.Nil {
		return func(int) string { return parsed.String() }
	}
	return func(int) string { return d.make("id", id) }
}

// see notes where an id stands. It returns the line of an earlier row of that id, 0 if there is none, and whether that
// row was the same.
func (d *identities) see(id string, content [16]byte, line int) (earlier int, same bool) {
	if first, ok := d.lines[id]; ok {
		return first.line, first.content == content
	}
	d.lines[strings.Clone(id)] = seenRow{content, line}
	return 0, false
}

// contentOf returns a digest of a row's cells under their headers: of what is in it, in whatever order and however empty
// columns there are. The column that counts is left out, so that a row that later counts more adds the difference.
func contentOf(header, cells []string, count int) [16]byte {
	pairs := make([]string, 0, len(cells))
	for i, cell := range cells {
		if cell = tidy(plainValue(cell)); cell != "" && i != count && i < len(header) {
			pairs = append(pairs, tidy(header[i])+"\x00"+cell)
		}
	}
	slices.Sort(pairs)
	sum := sha256.Sum256([]byte(strings.Join(pairs, "\x01")))
	return [16]byte(sum[:16])
}

var decimalID = regexp.MustCompile(`^(\d+)[.,]0+$`)

// idOf reads the cell of an id column.
func idOf(cell string) (id, problem string) {
	id = tidy(plainValue(cell))
	switch {
	case id == "":
		return "", "is empty: every row needs an id; leave the id out of the mapping if the rows have none"
	case scientific.MatchString(id):
		return "", fmt.Sprintf("%s is in scientific notation: a spreadsheet has cut the id short, and it cannot be recovered; take the original export", quoted(id))
	case lostToSpreadsheet(id):
		return "", fmt.Sprintf("%s shows that a spreadsheet has lost the id; take the original export", quoted(id))
	case len(id) > 200:
		return "", "has more than 200 bytes"
	}
	if m := decimalID.FindStringSubmatch(id); m != nil {
		id = m[1]
	}
	return id, ""
}
