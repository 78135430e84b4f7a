package operations

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cx-operator/cx-operator/internal/store"
)

// wireChanges is a store.Changes of one program. Integers are exact in both directions. Texts are, as long as they are UTF-8,
// as everything is that a store keeps.
type wireChanges struct {
	// Program whose counts these are, so that a wrong address is noticed.
	Program string      `json:"program"`
	Reset   bool        `json:"reset,omitempty"`
	Counts  []wireCount `json:"counts,omitempty"`
	// Import is the identity of the program's last finished import, empty where there is no news of it.
	Import string     `json:"import,omitempty"`
	Next   wireCursor `json:"next"`
	More   bool       `json:"more,omitempty"`
}

type wireCount struct {
	Touchpoint string     `json:"touchpoint,omitempty"`
	Unit       string     `json:"unit,omitempty"`
	Question   string     `json:"question"`
	Revision   int32      `json:"revision"`
	Hour       store.Hour `json:"hour"`
	Value      string     `json:"value,omitempty"`
	N          int64      `json:"n"`
}

type wireCursor struct {
	Epoch string `json:"epoch"`
	Seq   int64  `json:"seq"`
}

type wireInfo struct {
	Engine        string `json:"engine"`
	SchemaVersion int64  `json:"schemaVersion"`
}

// What an endpoint may say, so that one that was broken into cannot fill the operator's memory or status at will.
const (
	maxName     = 253
	maxText     = 1024
	maxEpoch    = 256
	maxImport   = 64
	maxEngine   = 63
	latestHour  = store.Hour(24 * 366 * 10000)
	earliest    = -latestHour
	maxChanges  = 64 << 20 // bytes of a page; one of 5000 counts is about 1 MiB, and a page ends with a commit
	maxAnything = 16 << 10 // bytes of any other answer
)

// encodeChanges writes a page that has nothing but the program's.
func encodeChanges(program store.Key, c store.Changes) ([]byte, error) {
	w := wireChanges{
		Program: program.String(), Reset: c.Reset, Import: c.Imports[program], Next: wireCursor(c.Next), More: c.More,
	}
	if len(c.Counts) > 0 {
		w.Counts = make([]wireCount, len(c.Counts))
	}
	for i := range c.Counts {
		n := &c.Counts[i]
		w.Counts[i] = wireCount{n.Touchpoint, n.Unit, n.Question, n.Revision, n.Hour, n.Value, n.N}
	}
	return json.Marshal(w)
}

// decodeChanges reads a page of the program's, and refuses what no store says.
func decodeChanges(program store.Key, data []byte) (store.Changes, error) {
	var w wireChanges
	if err := json.Unmarshal(data, &w); err != nil {
		return store.Changes{}, errors.New("the counts are not written as they should be")
	}
	switch {
	case w.Program != program.String():
		return store.Changes{}, errors.New("the endpoint at the program's address serves another program")
	case w.Next.Seq < 0, w.Next.Epoch == "", len(w.Next.Epoch) > maxEpoch:
		return store.Changes{}, errors.New("the cursor of the counts is out of range")
	case len(w.Import) > maxImport:
		return store.Changes{}, errors.New("the identity of an import is out of range")
	}
	c := store.Changes{Reset: w.Reset, Next: store.Cursor(w.Next), More: w.More}
	if w.Import != "" {
		c.Imports = map[store.Key]string{program: w.Import}
	}
	if len(w.Counts) > 0 {
		c.Counts = make([]store.Count, len(w.Counts))
	}
	for i, n := range w.Counts {
		if err := n.check(); err != nil {
			return store.Changes{}, err
		}
		c.Counts[i] = store.Count{
			Program: program, Touchpoint: n.Touchpoint, Unit: n.Unit, Question: n.Question, Revision: n.Revision,
			Hour: n.Hour, Value: n.Value, N: n.N,
		}
	}
	return c, nil
}

func (n wireCount) check() error {
	switch {
	case n.Question == "", max(len(n.Question), len(n.Touchpoint), len(n.Unit)) > maxName, len(n.Value) > maxText:
		return errors.New("a name in the counts is out of range")
	case n.Revision < 1, n.N < 0, n.Hour < earliest, n.Hour > latestHour:
		return errors.New("a figure in the counts is out of range")
	}
	return nil
}

func decodeInfo(data []byte) (store.Info, error) {
	var w wireInfo
	if err := json.Unmarshal(data, &w); err != nil {
		return store.Info{}, errors.New("what it says of its store is not written as it should be")
	}
	if w.Engine == "" || len(w.Engine) > maxEngine || printable(w.Engine, maxEngine) != w.Engine || w.SchemaVersion < 0 {
		return store.Info{}, fmt.Errorf("what it says of its store is out of range")
	}
	return store.Info(w), nil
}
