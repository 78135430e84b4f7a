package themes

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// read counts each text so many times as is written before it: "12 the queue was long".
func read(t *testing.T, language string, lines ...string) []Theme {
	t.Helper()
	return count(t, New(Options{DefaultLanguage: language}), lines...)
}

func count(t *testing.T, c *Counter, lines ...string) []Theme {
	t.Helper()
	for _, line := range lines {
		var n int
		number, text, _ := strings.Cut(line, " ")
		if _, err := fmt.Sscan(number, &n); err != nil {
			t.Fatal(err)
		}
		for range n {
			c.Add(Comment{Question: "why", Text: text})
		}
	}
	return c.Themes()
}

func wordsOf(themes []Theme) []string {
	var all []string
	for _, t := range themes {
		all = append(all, fmt.Sprintf("%s %d", t.Words, t.Comments))
	}
	return all
}

func TestThemes(t *testing.T) {
	for name, c := range map[string]struct {
		language string
		lines    []string
		want     []string
	}{
		"nothing":                        {"en", nil, nil},
		"nine are no theme":              {"en", []string{"9 the queue was endless"}, nil},
		"ten are":                        {"en", []string{"10 a queue", "3 dirt"}, []string{"queue 10"}},
		"forms of one word":              {"en", []string{"6 waiting", "5 we waited", "3 waits"}, []string{"waiting 14"}},
		"once a comment":                 {"en", []string{"4 queue queue queue queue", "6 queue, queue"}, []string{"queue 10"}},
		"the most frequent first":        {"en", []string{"11 dirty", "30 slow", "20 noisy"}, []string{"slow 30", "noisy 20", "dirty 11"}},
		"two words that belong together": {"en", []string{"20 the boarding gate was far", "3 gate"}, []string{"boarding gate 20", "far 20"}},
		"a pair that is a small part of its words": {"en", []string{"10 security line", "40 security", "40 line"}, []string{"line 50", "security 50"}},
		"words across a full stop are no pair":     {"en", []string{"10 too loud. music"}, []string{"loud 10", "music 10"}},
		"German":                                   {"de", []string{"7 die Toilette war schmutzig", "5 schmutzige Toiletten", "4 unsere Toiletten"}, []string{"toiletten 16", "schmutzig 12"}},
		"French":                                   {"fr", []string{"8 l’attente", "4 une attente", "3 d'attente"}, []string{"attente 15"}},
		"Spanish":                                  {"es", []string{"6 el baño estaba sucio", "6 los baños sucios"}, []string{"baño 12", "sucio 12"}},
		"Polish, which has no stems":               {"pl", []string{"10 była długa kolejka", "9 długie kolejki"}, []string{"długa kolejka 10"}},
		"a language without a list":                {"fi", []string{"10 on se jono ja jono"}, []string{"jono 10"}},
		"Chinese":                                  {"zh", []string{"10 服务态度很差。", "5 服务好"}, []string{"服务 15", "态度 10"}},
		"Japanese":                                 {"ja", []string{"10 トイレが汚いです", "12 待ち時間"}, []string{"時間 12", "トイレ 10"}},
		"Arabic":                                   {"ar", []string{"10 الطابور طويل جدا"}, []string{"الطابور طويل 10"}},
		"Hindi":                                    {"hi", []string{"10 कतार बहुत लंबी थी"}, []string{"कतार 10", "लंबी 10"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := wordsOf(read(t, c.language, c.lines...)); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// Nobody is named: not by a given name, not beside an honorific, and not by being written like a name.
func TestNobodyIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		language string
		lines    []string
		want     []string
	}{
		"a given name":               {"en", []string{"20 maria was rude"}, []string{"rude 20"}},
		"in capitals":                {"en", []string{"20 MARIA WAS RUDE"}, []string{"rude 20"}},
		"beside an honorific":        {"en", []string{"3 mr okonkwo is rude", "17 okonkwo is rude"}, []string{"rude 20"}},
		"a given and a second name":  {"en", []string{"20 I was helped by Dr. Zelda Okonkwo at once"}, []string{"helped 20"}},
		"large within a sentence":    {"en", []string{"20 the clerk Okonkwo was rude"}, []string{"clerk 20", "rude 20"}},
		"always large":               {"en", []string{"20 Okonkwo. So rude"}, []string{"rude 20"}},
		"a word that begins some":    {"en", []string{"12 Queue was long", "8 a long queue"}, []string{"long 20", "queue 20"}},
		"a pair with a name":         {"en", []string{"20 rude Okonkwo"}, []string{"rude 20"}},
		"a German name":              {"de", []string{"20 Kowalczyk war unfreundlich"}, []string{"unfreundlich 20"}},
		"a German noun":              {"de", []string{"5 das Personal unfreundlich", "15 Personal unfreundlich"}, []string{"personal unfreundlich 20"}},
		"a German name after Frau":   {"de", []string{"20 die Frau Kowalczyk unfreundlich"}, []string{"unfreundlich 20"}},
		"before a Chinese honorific": {"zh", []string{"20 王小姐服务"}, []string{"服务 20"}},
		"an e-mail address":          {"en", []string{"20 write to okonkwo@example.com please"}, []string{"write 20"}},
		"an e-mail address in parts": {"en", []string{"20 write okonkwo @ example"}, []string{"write 20"}},
		"an at that is written wide": {"en", []string{"20 write okonkwo＠example.com"}, []string{"write 20"}},
		"a telephone number":         {"en", []string{"20 call +1-650-555-0199 or 6505550199 today"}, []string{"call 20", "today 20"}},
		"figures of other scripts":   {"en", []string{"20 call ٠١٢٣٤٥ or gate४२"}, []string{"call 20"}},
		"an account":                 {"en", []string{"20 follow @okonkwo #okonkwo"}, nil},
		"a web address":              {"en", []string{"20 see example.com/okonkwo or https://okonkwo slow"}, []string{"slow 20"}},
		"booking codes":              {"en", []string{"20 flight XY1234 delayed"}, []string{"delayed 20", "flight 20"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := wordsOf(read(t, c.language, c.lines...))
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// The period before is counted apart, and only shown from ten comments on.
func TestBefore(t *testing.T) {
	c := New(Options{DefaultLanguage: "en"})
	for i := range 12 {
		c.Add(Comment{Question: "why", Text: "slow"})
		c.Add(Comment{Question: "why", Text: "the slow staff", Before: true})
		if i < 9 {
			c.Add(Comment{Question: "why", Text: "dirty", Before: true})
		}
		c.Add(Comment{Question: "why", Text: "dirty"})
	}
	want := []Theme{{Words: "dirty", Question: "why", Comments: 12}, {Words: "slow", Question: "why", Comments: 12, Before: 12}}
	if got := c.Themes(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Languages and questions have themes of their own; a word of two languages is one theme.
func TestLanguagesAndQuestions(t *testing.T) {
	c := New(Options{DefaultLanguage: "en"})
	for range 10 {
		c.Add(Comment{Question: "a", Language: "fr-CA", Text: "le service"})
		c.Add(Comment{Question: "a", Language: "en_US", Text: "the service"})
		c.Add(Comment{Question: "b", Text: "the service"})
	}
	for range 9 {
		c.Add(Comment{Question: "a", Language: "de", Text: "der service"})
	}
	want := []Theme{{Words: "service", Question: "a", Comments: 20}, {Words: "service", Question: "b", Comments: 10}}
	if got := c.Themes(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestBounds(t *testing.T) {
	c := New(Options{DefaultLanguage: "en", Minimum: 3})
	var lines []string
	for i := range 30 {
		lines = append(lines, fmt.Sprintf("%d %s", 40-i, strings.Repeat(string(rune('a'+i%26)), 3+i/26)))
	}
	if got := count(t, c, lines...); len(got) != Most || got[0].Comments != 40 || got[Most-1].Comments != 21 {
		t.Errorf("%q", wordsOf(got))
	}
	if got := count(t, New(Options{DefaultLanguage: "en", Minimum: 25}), "24 slow", "25 dirty"); !slices.Equal(wordsOf(got), []string{"dirty 25"}) {
		t.Errorf("%q of at least 25", wordsOf(got))
	}
	long := strings.Repeat("slow ", 5000) + "dirty"
	if got := read(t, "en", "10 "+long); !slices.Equal(wordsOf(got), []string{"slow 10"}) {
		t.Errorf("%q of a text that is too long", wordsOf(got))
	}
}

// Rare words make room, and what recurs is still found.
func TestMemoryIsBounded(t *testing.T) {
	c := New(Options{DefaultLanguage: "xx"})
	for i := range 40_000 {
		c.Add(Comment{Question: "why", Text: fmt.Sprintf("queue. %s. %s. %s", letters(3*i), letters(3*i+1), letters(3*i+2))})
	}
	if len(c.terms) > maxTerms || len(c.written) > maxTerms {
		t.Errorf("%d terms, %d words", len(c.terms), len(c.written))
	}
	if got := wordsOf(c.Themes()); !slices.Equal(got, []string{"queue 40000"}) {
		t.Errorf("%q", got)
	}
	c.left = 0
	if c.Add(Comment{Question: "why", Text: "queue"}) || c.Themes()[0].Comments != 40_000 {
		t.Error("more is read than may be")
	}
}

// letters writes a number in letters.
func letters(n int) string {
	b := []byte("zzzz")
	for ; n > 0; n /= 26 {
		b = append(b, byte('a'+n%26))
	}
	return string(b)
}

// FuzzThemes: whatever is written, the same comments have the same themes in whatever order they come; and none has anything
// but letters.
func FuzzThemes(f *testing.F) {
	f.Add("en", "The queue at gate was long. mr x's bag!", "slow queue; slow bag")
	f.Add("de", "Die Toiletten waren schmutzig, Herr Müller", "unfreundliches Personal")
	f.Add("zh", "服务态度很差。王先生", "トイレが汚い wifi很慢")
	f.Add("ar", "الطابور طويل جدا", "\u200fالموظفون")
	f.Add("fr", "l’attente d'hier a@b.c", "\xff\x00 '' -- ''")
	f.Fuzz(func(t *testing.T, language, one, two string) {
		c, reversed := New(Options{}), New(Options{})
		for i := range 24 {
			text, other := one, two
			if i%2 == 1 {
				text, other = two, one
			}
			c.Add(Comment{Question: "q", Language: language, Text: text})
			reversed.Add(Comment{Question: "q", Language: language, Text: other})
		}
		got := c.Themes()
		if !reflect.DeepEqual(got, reversed.Themes()) {
			t.Fatalf("%+v, in another order %+v", got, reversed.Themes())
		}
		for _, theme := range got {
			n := utf8.RuneCountInString(theme.Words)
			if theme.Comments < Least || theme.Comments > 24 || n < 1 || n > 2*longest+1 || !utf8.ValidString(theme.Words) {
				t.Fatalf("%+v", theme)
			}
			for _, r := range theme.Words {
				if !unicode.IsLetter(r) && !unicode.IsMark(r) && r != ' ' {
					t.Fatalf("%q has %q", theme.Words, r)
				}
			}
		}
	})
}

func TestWithout(t *testing.T) {
	found := []Theme{{Words: "okonkwo"}, {Words: "rude zelda"}, {Words: "queue"}, {Words: "long queue"}}
	want := []Theme{{Words: "queue"}, {Words: "long queue"}}
	for _, names := range [][]string{{"Zelda Okonkwo"}, {"zelda-okonkwo", "Queues"}, {"OKONKWO", "", "Zelda's"}} {
		if got := Without(found, names); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v", names, got)
		}
	}
	if got := Without(found, nil); len(got) != len(found) {
		t.Errorf("%+v without any name", got)
	}
}

func TestWindow(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	for w, want := range map[Window]bool{
		{day(1), day(8), day(15)}: true, {day(8), day(8), day(15)}: true, {day(9), day(8), day(15)}: false, {day(1), day(8), day(8)}: false,
		{day(1), day(8), day(8).AddDate(3, 0, 0)}: false, {}: false,
	} {
		if err := w.Check(); (err == nil) != want {
			t.Errorf("%v: %v", w, err)
		}
	}
}

// source is a store whose responses are made up.
type source func(fn func(store.Response) error) error

func (s source) Export(_ context.Context, _ store.Key, fn func(store.Response) error) error {
	return s(fn)
}

// A read ends where the window does, with the context, or with the store's error; and does not begin where nobody is asked for text.
func TestReadEnds(t *testing.T) {
	begin := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	w := Window{Before: begin, From: begin, To: begin.AddDate(0, 0, 7)}
	s := &survey.Survey{DefaultLanguage: "en", Questions: []survey.Question{{Name: "why", Type: "Text", Revision: 1}}}
	passed := 0
	endless := source(func(fn func(store.Response) error) error {
		for at := begin.AddDate(0, 0, -7); ; at = at.Add(time.Hour) {
			passed++
			if err := fn(store.Response{SubmittedAt: at, Answers: []store.Answer{{Question: "why", Revision: 1, Kind: store.KindText, Values: []string{"queue"}}}}); err != nil {
				return err
			}
		}
	})
	found, err := Read(t.Context(), endless, s, w)
	if err != nil || len(found) != 1 || found[0].Comments != 7*24 || passed != 14*24+1 {
		t.Errorf("%+v, %v after %d responses", found, err, passed)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ended, endless, s, w); !errors.Is(err, context.Canceled) {
		t.Errorf("%v of a call that has ended", err)
	}
	broken := errors.New("the disk is gone")
	if _, err := Read(t.Context(), source(func(func(store.Response) error) error { return broken }), s, w); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	s.Questions = nil
	if found, err := Read(t.Context(), source(func(func(store.Response) error) error { return broken }), s, w); err != nil || found != nil {
		t.Errorf("%+v, %v where nobody is asked", found, err)
	}
}
