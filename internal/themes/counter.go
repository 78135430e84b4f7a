package themes

import (
	"maps"
	"strings"
)

const (
	// maxTerms bounds how many stems and pairs are counted at once, and with them the memory, to some 30 MiB. What was seen once by
	// then makes room.
	maxTerms = 100_000
	// maxForms bounds the forms of one stem that are counted.
	maxForms = 16
)

// scope is what themes are counted within.
type scope struct{ question, language string }

// key is a stem, or a pair of them; second is "" for a single one.
type key struct {
	scope
	first, second string
}

// term is what is known of a stem or pair.
type term struct {
	now, before int64
	// forms in which it was written.
	forms []form
}

// form is one way in which a term was written, and how often.
type form struct {
	text string
	n    int64
}

func (t *term) note(text string) {
	for i := range t.forms {
		if t.forms[i].text == text {
			t.forms[i].n++
			return
		}
	}
	if len(t.forms) < maxForms {
		t.forms = append(t.forms, form{text, 1})
	}
}

// Counter counts the stems of comments. It holds no comment.
type Counter struct {
	options Options
	// left is how many comments of the period, and of the one before, may still be read.
	left, leftBefore int
	terms            map[key]*term
	written          map[key]*writing
	// full means that making room does not help any more.
	termsFull, writtenFull bool
}

// New returns a Counter that has read nothing.
func New(o Options) *Counter {
	o.Minimum = max(o.Minimum, Least)
	o.DefaultLanguage = base(o.DefaultLanguage)
	return &Counter{options: o, left: MaxComments, leftBefore: MaxComments, terms: map[key]*term{}, written: map[key]*writing{}}
}

// base returns the language of a tag, without script and region.
func base(tag string) string {
	language, _, _ := strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
	return strings.ToLower(language)
}

// Add reads a comment. It returns false where no more of its period are read.
func (c *Counter) Add(comment Comment) bool {
	left := &c.left
	if comment.Before {
		left = &c.leftBefore
	}
	if *left == 0 {
		return false
	}
	*left--
	s := scope{comment.Question, base(comment.Language)}
	if s.language == "" {
		s.language = c.options.DefaultLanguage
	}
	words := c.meaning(s, tokenise(s.language, comment.Text))
	seen := map[key]bool{}
	for i, w := range words {
		if w.stem == "" {
			continue
		}
		if !w.character {
			c.count(key{s, w.stem, ""}, w.text, comment.Before, seen)
		}
		if i == 0 || !w.joined || words[i-1].stem == "" || words[i-1].character != w.character || words[i-1].stem == w.stem {
			continue
		}
		between := " "
		if w.character {
			between = ""
			if stopWords[s.language].has(words[i-1].text + w.text) {
				continue
			}
		}
		c.count(key{s, words[i-1].stem, w.stem}, words[i-1].text+between+w.text, comment.Before, seen)
	}
	return true
}

// word is a token with its stem, "" where it says nothing by itself.
type word struct {
	token
	stem string
}

// meaning finds the stems of tokens, and notes how each was written.
func (c *Counter) meaning(s scope, tokens []token) []word {
	stop, known := stopWords[s.language]
	words := make([]word, len(tokens))
	for i, t := range tokens {
		words[i].token = t
		if stop.has(t.text) || isHonorific(s.language, tokens, i) || !known && !t.character && len([]rune(t.text)) < 4 {
			continue
		}
		words[i].stem = t.text
		if !t.character {
			words[i].stem = stem(s.language, t.text)
		}
		c.note(s, words[i], tokens, i)
	}
	return words
}

func (c *Counter) count(k key, text string, before bool, seen map[key]bool) {
	t, ok := c.terms[k]
	if !ok {
		if makeRoom(c.terms, &c.termsFull, func(t *term) bool { return t.now+t.before < 2 }) {
			return
		}
		t = &term{}
		c.terms[k] = t
	}
	t.note(text)
	if seen[k] {
		return
	}
	seen[k] = true
	if before {
		t.before++
	} else {
		t.now++
	}
}

// makeRoom forgets what is rare where a map has become too large, and says whether the map is full all the same.
func makeRoom[V any](m map[key]V, full *bool, rare func(V) bool) bool {
	if len(m) < maxTerms || *full {
		return *full
	}
	maps.DeleteFunc(m, func(_ key, v V) bool { return rare(v) })
	*full = len(m) > maxTerms/2 // else it would be tried for nearly every term that follows
	return *full
}
