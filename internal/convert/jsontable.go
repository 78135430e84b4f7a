package convert

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// jsonTable reads responses as Formbricks' API and JSON export give them: an array of objects, or an object with that
// array as data. Members of an object become columns; those of its members data and variables too.
type jsonTable struct {
	names   []string
	records []record
	at      int
}

// maxJSON is the size of the largest JSON file, in bytes: its columns are known only when it was read whole.
const maxJSON = 256 << 20

// flattened are the members whose own members are columns.
var flattened = []string{"data", "variables"}

// isJSON tells whether a file is JSON rather than CSV.
func isJSON(in *bufio.Reader) bool {
	head, _ := in.Peek(512)
	head = bytes.TrimLeft(head, " \t\r\n")
	return len(head) > 0 && (head[0] == '[' || head[0] == '{')
}

func openJSON(in io.Reader) (*jsonTable, error) {
	body, err := io.ReadAll(io.LimitReader(in, maxJSON+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxJSON {
		return nil, fmt.Errorf("a JSON file must have at most %d bytes", maxJSON)
	}
	items, base, err := jsonItems(body)
	if err != nil {
		return nil, err
	}
	t := &jsonTable{}
	column := map[string]int{}
	lines := lineCounter{text: body, line: 1}
	for _, item := range items {
		row := record{line: lines.at(base + item.offset)}
		var object map[string]any
		if err := decodeNumbers(item.raw, &object); err != nil || object == nil {
			row.problem = "must be an object"
			t.records = append(t.records, row)
			continue
		}
		cells := flatten(object)
		for _, name := range slices.Sorted(maps.Keys(cells)) {
			at, ok := column[name]
			if !ok {
				at = len(t.names)
				column[name] = at
				t.names = append(t.names, name)
			}
			for len(row.cells) <= at {
				row.cells = append(row.cells, "")
			}
			row.cells[at] = cells[name]
		}
		t.records = append(t.records, row)
	}
	for i, r := range t.records {
		for r.problem == "" && len(t.records[i].cells) < len(t.names) {
			t.records[i].cells = append(t.records[i].cells, "")
		}
	}
	return t, nil
}

type jsonItem struct {
	raw    json.RawMessage
	offset int
}

// jsonItems finds the array of responses, and where in the body it begins.
func jsonItems(body []byte) ([]jsonItem, int, error) {
	array, base := body, 0
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		var page struct {
			Data json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, 0, fmt.Errorf("malformed JSON: %w", err)
		}
		if len(page.Data) == 0 {
			return nil, 0, errors.New("must be an array of responses, or an object with that array as data")
		}
		array, base = page.Data, max(0, bytes.Index(body, page.Data))
	}
	d := json.NewDecoder(bytes.NewReader(array))
	if open, err := d.Token(); err != nil || open != json.Delim('[') {
		return nil, 0, errors.New("must be an array of responses, or an object with that array as data")
	}
	var items []jsonItem
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, 0, fmt.Errorf("malformed JSON at byte %d: %w", base+int(d.InputOffset()), err)
		}
		items = append(items, jsonItem{raw, int(d.InputOffset()) - len(raw)})
	}
	if _, err := d.Token(); err != nil {
		return nil, 0, fmt.Errorf("malformed JSON: the array is cut off: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, 0, errors.New("malformed JSON: something follows the array")
	}
	return items, base, nil
}

func decodeNumbers(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(into)
}

// flatten returns the columns of one response.
func flatten(object map[string]any) map[string]string {
	cells := map[string]string{}
	for name, value := range object {
		inner, ok := value.(map[string]any)
		if !ok {
			cells[name] = cellOf(value)
			continue
		}
		if !slices.Contains(flattened, name) {
			continue
		}
		for key, v := range inner {
			if _, taken := object[key]; taken {
				key = name + "/" + key
			}
			cells[key] = cellOf(v)
		}
	}
	return cells
}

// cellOf writes a JSON value as a cell: lists with "; " between their items, as Formbricks' CSV has them.
func cellOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case []any:
		parts := make([]string, 0, len(v))
		for _, item := range v {
			if text := cellOf(item); text != "" {
				parts = append(parts, text)
			}
		}
		return strings.Join(parts, "; ")
	}
	return ""
}

// lineCounter turns offsets, which must not fall, into lines.
type lineCounter struct {
	text       []byte
	seen, line int
}

func (l *lineCounter) at(offset int) int {
	offset = min(offset, len(l.text))
	l.line += bytes.Count(l.text[l.seen:offset], []byte("\n"))
	l.seen = offset
	return l.line
}

func (t *jsonTable) header() []string { return t.names }

func (t *jsonTable) next() (record, error) {
	if t.at == len(t.records) {
		return record{}, io.EOF
	}
	t.at++
	return t.records[t.at-1], nil
}
