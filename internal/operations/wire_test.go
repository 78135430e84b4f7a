package operations

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

var (
	visits = store.Key{Namespace: "sfo", Name: "visits"}
	others = store.Key{Namespace: "sfo", Name: "departures"}
)

func page(counts ...store.Count) store.Changes {
	return store.Changes{Counts: counts, Next: store.Cursor{Epoch: "e", Seq: 1}}
}

func count(change func(*store.Count)) store.Count {
	c := store.Count{Program: visits, Question: "ease", Revision: 1, Hour: 480_000, Value: "5", N: 3}
	change(&c)
	return c
}

func TestChangesRoundTrip(t *testing.T) {
	for name, c := range map[string]store.Changes{
		"nothing":           page(),
		"a reset":           {Reset: true, Next: store.Cursor{Epoch: "a.b/c d&e=é", Seq: 1<<63 - 1}},
		"more":              {More: true, Next: store.Cursor{Epoch: "e"}},
		"an import":         {Imports: map[store.Key]string{visits: "0e1f7c3a-1111-4111-8111-0123456789ab"}, Next: store.Cursor{Epoch: "e", Seq: 7}},
		"a count":           page(count(func(*store.Count) {})),
		"zero, blank":       page(count(func(c *store.Count) { c.N, c.Value = 0, "" })),
		"exact integers":    page(count(func(c *store.Count) { c.N, c.Revision, c.Hour = 1<<53+1, 1<<31-1, -1 })),
		"texts":             page(count(func(c *store.Count) { c.Touchpoint, c.Unit, c.Value = "desk", "gate-\"7\"", "<é\u2028\x00>" })),
		"a pseudo-question": page(count(func(c *store.Count) { c.Question = store.QuestionInvited })),
	} {
		t.Run(name, func(t *testing.T) {
			data, err := encodeChanges(visits, c)
			if err != nil {
				t.Fatal(err)
			}
			got, err := decodeChanges(visits, data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", data, diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	long := strings.Repeat("x", 2000)
	for name, text := range map[string]string{
		"no JSON":             `counts`,
		"something after":     `{"program":"sfo/visits","next":{"epoch":"e","seq":1}} x`,
		"another program":     `{"program":"sfo/departures","next":{"epoch":"e","seq":1}}`,
		"no epoch":            `{"program":"sfo/visits","next":{"seq":1}}`,
		"a long epoch":        `{"program":"sfo/visits","next":{"epoch":"` + long + `","seq":1}}`,
		"a negative cursor":   `{"program":"sfo/visits","next":{"epoch":"e","seq":-1}}`,
		"a fraction":          `{"program":"sfo/visits","next":{"epoch":"e","seq":1.5}}`,
		"too large a number":  `{"program":"sfo/visits","next":{"epoch":"e","seq":9223372036854775808}}`,
		"a long import":       `{"program":"sfo/visits","import":"` + long + `","next":{"epoch":"e","seq":1}}`,
		"no question":         `{"program":"sfo/visits","counts":[{"revision":1,"hour":1,"n":1}],"next":{"epoch":"e","seq":1}}`,
		"revision 0":          `{"program":"sfo/visits","counts":[{"question":"q","hour":1,"n":1}],"next":{"epoch":"e","seq":1}}`,
		"a negative count":    `{"program":"sfo/visits","counts":[{"question":"q","revision":1,"hour":1,"n":-1}],"next":{"epoch":"e","seq":1}}`,
		"an hour in no year":  `{"program":"sfo/visits","counts":[{"question":"q","revision":1,"hour":99999999999,"n":1}],"next":{"epoch":"e","seq":1}}`,
		"a long unit":         `{"program":"sfo/visits","counts":[{"question":"q","unit":"` + long + `","revision":1,"hour":1,"n":1}],"next":{"epoch":"e","seq":1}}`,
		"a long value":        `{"program":"sfo/visits","counts":[{"question":"q","value":"` + long + `","revision":1,"hour":1,"n":1}],"next":{"epoch":"e","seq":1}}`,
		"too large a revsion": `{"program":"sfo/visits","counts":[{"question":"q","revision":2147483648,"hour":1,"n":1}],"next":{"epoch":"e","seq":1}}`,
	} {
		if c, err := decodeChanges(visits, []byte(text)); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
	for name, text := range map[string]string{
		"no JSON": `SQLite`, "nothing": `{}`, "negative": `{"engine":"SQLite","schemaVersion":-1}`,
		"unprintable": `{"engine":"SQ\u0007Lite","schemaVersion":1}`, "long": `{"engine":"` + long + `"}`,
	} {
		if info, err := decodeInfo([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, info)
		}
	}
	if info, err := decodeInfo([]byte(`{"engine":"SQLite","schemaVersion":7,"new":true}`)); err != nil || info != (store.Info{Engine: "SQLite", SchemaVersion: 7}) {
		t.Errorf("%+v, %v", info, err)
	}
}

// What is accepted is what is sent on: it reads back the same.
func FuzzDecodeChanges(f *testing.F) {
	f.Add([]byte(`{"program":"sfo/visits","reset":true,"counts":[{"question":"q","revision":1,"hour":1,"n":1,"value":"é"}],"import":"x","next":{"epoch":"e","seq":1},"more":true}`))
	f.Add([]byte(`{"program":"sfo/visits","next":{"epoch":"e","seq":9007199254740993}}`))
	f.Add([]byte(`{"program":"sfo/visits","counts":[null],"next":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := decodeChanges(visits, data)
		if err != nil {
			return
		}
		if c.Next.Epoch == "" || c.Next.Seq < 0 || len(c.Imports) > 1 {
			t.Errorf("accepted %+v", c)
		}
		for _, n := range c.Counts {
			if n.Program != visits || n.N < 0 || n.Revision < 1 || n.Question == "" {
				t.Errorf("accepted %+v", n)
			}
		}
		again, err := encodeChanges(visits, c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeChanges(visits, again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if diff := cmp.Diff(c, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// Every count and cursor that a store can have arrives as it is.
func FuzzRoundTrip(f *testing.F) {
	f.Add("desk", "gate-7", "ease", int32(1), int64(480_000), "5", int64(3), "epoch", int64(1))
	f.Add("", "", "@invited", int32(1<<31-1), int64(-5), "", int64(1<<63-1), "a.b", int64(1<<63-1))
	f.Fuzz(func(t *testing.T, touchpoint, unit, question string, revision int32, hour int64, value string, n int64, epoch string, seq int64) {
		for _, text := range []string{touchpoint, unit, question, value, epoch} {
			if !utf8.ValidString(text) { // a store keeps nothing else
				return
			}
		}
		want := store.Changes{
			Counts: []store.Count{{
				Program: visits, Touchpoint: touchpoint, Unit: unit, Question: question, Revision: revision,
				Hour: store.Hour(hour), Value: value, N: n,
			}},
			Next: store.Cursor{Epoch: epoch, Seq: seq},
		}
		data, err := encodeChanges(visits, want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeChanges(visits, data)
		if err != nil {
			return
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func FuzzPrintable(f *testing.F) {
	f.Add("the store\x00 is ävay", 9)
	f.Add("a cut within four bytes \U0001F600", 26)
	f.Fuzz(func(t *testing.T, text string, longest int) {
		if longest < 0 || longest > 1000 {
			return
		}
		got := printable(text, longest)
		if len(got) > longest || !utf8.ValidString(got) || printable(got, longest) != got {
			t.Errorf("%q", got)
		}
	})
}
