package validate

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/test/admission"
)

func TestSplit(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		want    []string // line, then the object or the error
	}{
		"one":                        {"a: 1\n", []string{"1 map[a:1]"}},
		"no line end":                {"a: 1", []string{"1 map[a:1]"}},
		"two":                        {"a: 1\n---\nb: 2\n", []string{"1 map[a:1]", "3 map[b:2]"}},
		"a separator first":          {"---\na: 1\n---\n", []string{"2 map[a:1]"}},
		"a separator with a comment": {"a: 1\n--- # next\nb: 2\n", []string{"1 map[a:1]", "3 map[b:2]"}},
		"line ends of Windows":       {"a: 1\r\n---\r\nb: 2\r\n", []string{"1 map[a:1]", "3 map[b:2]"}},
		"comments before":            {"# a\n\n# b\na: 1\n---\n# c\n\nb: 2\n", []string{"4 map[a:1]", "8 map[b:2]"}},
		"JSON":                       {`{"a": [1, 2.5, "x", null, true]}`, []string{"1 map[a:[1 2.5 x <nil> true]]"}},
		"a key twice":                {"x: 1\n---\na: 1\nb: 2\na: 3\n", []string{"1 map[x:1]", `3 yaml: unmarshal errors: line 5: key "a" already set in map`}},
		"a tab":                      {"x: 1\n---\na:\n\tb: 1\n", []string{"1 map[x:1]", "3 yaml: line 4: found character that cannot start any token"}},
		"a tab after strange ends":   {"x: 1\n---\n# \u2028\n# \u0085\r\n\ta: 1\n", []string{"1 map[x:1]", "3 yaml: line 5: found character that cannot start any token"}},
		"a template":                 {"a: {{ .Values.a }}\n", []string{"1 yaml: invalid map key: map[interface {}]interface {}{\".Values.a\":interface {}(nil)}"}},
		"a document after an end":    {"a: 1\n...\nb: 2\n", []string{`1 a second document follows: separate documents by a line of ---, kubectl reads nothing after "..."`}},
		"an end":                     {"a: 1\n...\n", []string{"1 map[a:1]"}},
		"a comment alone":            {"# nothing\n", []string{"1 map[]"}},
		"infinity":                   {"a: .inf\n", nil},
		"YAML 1.1 as kubectl has it": {"a: yes\nb: 012\n", []string{"1 map[a:true b:10]"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, doc := range split(Source{"x.yaml", []byte(c.content)}) {
				if doc.err != nil {
					got = append(got, fmt.Sprintf("%d %v", doc.line, doc.err))
				} else {
					got = append(got, fmt.Sprintf("%d %v", doc.line, doc.object))
				}
			}
			if c.want == nil {
				if len(got) != 1 || strings.Contains(got[0], "map[") {
					t.Errorf("%q, want an error", got)
				}
			} else if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLineOf(t *testing.T) {
	docs := split(Source{"x.yaml", []byte(`
# a comment
---
# another
kind: X
metadata: {name: x}
base: &base
  k: 1
spec:
  list:
  - name: a
    value: 1
  - {name: b, value: 2}
  alias: *base
  "quoted key": 3
`)})
	if len(docs) != 2 {
		t.Fatalf("%d documents", len(docs))
	}
	for field, want := range map[string]int{
		"": 5, "kind": 5, "metadata.name": 6, "spec": 9, "spec.list": 10, "spec.list[0]": 11, "spec.list[0].value": 12,
		"spec.list[1].value": 13, "spec.alias.k": 8, "spec.quoted key": 15,
		"spec.missing": 9, "spec.list[7].value": 10, "spec.list[0].missing.deeper": 11, "nothing": 5, "kind.deeper": 5, "spec.list[-1]": 10,
	} {
		if got := docs[1].lineOf(field); got != want {
			t.Errorf("lineOf(%q) = %d, want %d", field, got, want)
		}
	}
}

// A line of the file ends where it does for editors, whatever YAML takes for an end too.
func TestLineOfAmongStrangeEnds(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		want    map[string]int
	}{
		"Windows":             {"a: 1\r\n\r\nb:\r\n  c: 1\r\n", map[string]int{"": 1, "a": 1, "b": 3, "b.c": 4}},
		"a lone return":       {"\ra: 1\rb: 2\nc: 3\n", map[string]int{"": 1, "a": 1, "b": 1, "c": 2}},
		"from a word's text":  {"x: 1\n---\na: \"one\u2028two\u2029three\"\n# \u0085\nb: 2\n", map[string]int{"": 3, "a": 3, "b": 5}},
		"UTF-16":              {utf16("a: 1\r\nb: 2\r\n"), map[string]int{"": 1, "a": 1, "b": 2}},
		"UTF-16 with a break": {utf16("a: 1\u2028b: 2\u2028c: 3"), map[string]int{"": 1, "a": 1, "b": 1, "c": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			docs := split(Source{"x.yaml", []byte(c.content)})
			doc := docs[len(docs)-1]
			if doc.err != nil {
				t.Fatal(doc.err)
			}
			for field, want := range c.want {
				if got := doc.lineOf(field); got != want {
					t.Errorf("lineOf(%q) = %d, want %d", field, got, want)
				}
			}
		})
	}
}

// utf16 writes a text as PowerShell does.
func utf16(text string) string {
	encoded := []byte{0xff, 0xfe}
	for _, r := range text {
		encoded = append(encoded, byte(r), byte(r>>8))
	}
	return string(encoded)
}

// FuzzCheck: whatever a file holds, there is no panic, the same report each time, in UTF-8 if the file is, and lines within
// the file.
func FuzzCheck(f *testing.F) {
	for _, manifest := range admission.Bases() {
		f.Add([]byte(manifest))
	}
	for i, c := range admission.Refused() {
		if i%10 == 0 {
			f.Add([]byte(c.Manifest()))
		}
	}
	f.Add([]byte(strings.Join(admission.Bases(), "---\n")))
	f.Add([]byte("apiVersion: v1\nkind: List\nitems: [{apiVersion: cx-operator.io/v1alpha1, kind: Team, metadata: {name: 1}}, 2]\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("\r00"))
	f.Add([]byte(utf16("a: 1\r\nkind: x\u2028")))
	f.Add([]byte("apiVersion: cx-operator.io/v1alpha1\nkind: Team\nmetadata: []\nspec: {parentRef: 1}\nstatus: x\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		sources := []Source{{"x.yaml", content}}
		report, err := Check(sources, Options{})
		if err != nil {
			t.Fatal(err)
		}
		again, err := Check(sources, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if a, b := text(t, report), text(t, again); a != b {
			t.Fatalf("two reports differ:\n%s\n%s", a, b)
		} else if utf8.Valid(content) && !utf8.ValidString(a) {
			t.Fatalf("the report is not UTF-8: %q", a)
		}
		lines := strings.Count(string(content), "\n") + 1
		for _, p := range report.Problems {
			if p.Line < 1 || p.Line > lines || p.Message == "" {
				t.Fatalf("line %d of %d: %v", p.Line, lines, p)
			}
		}
	})
}
