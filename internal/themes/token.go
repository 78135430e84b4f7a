package themes

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"golang.org/x/text/unicode/norm"
)

const (
	// maxText bounds a comment, in bytes, and maxTokens its words; what follows is not read.
	maxText   = 16 << 10
	maxTokens = 1000
	// shortest and longest word, in characters.
	shortest = 2
	longest  = 40
)

// token is a word of a comment, or a character where words are not set apart.
type token struct {
	// text in lower case.
	text string
	// joined means that it follows the token before it directly, with nothing but a space or a hyphen between.
	joined bool
	// start means that it is the first of a sentence.
	start bool
	// capital means that only its first letter is written large; shout that all are.
	capital, shout bool
	// character means that it is a single one of a script that sets no words apart.
	character bool
}

func normal(word string) string { return strings.ToLower(norm.NFKC.String(word)) }

// tokenise splits a text into words by the rules of Unicode. Whatever has a digit or an @ in it, and all that looks like an
// address, is left out together with what it is part of.
func tokenise(language, text string) []token {
	if len(text) > maxText {
		text = text[:maxText]
	}
	text = norm.NFKC.String(strings.ToValidUTF8(text, " "))
	t := tokeniser{language: language, start: true}
	for line := range strings.Lines(text) {
		t.begin()
		t.line(line)
	}
	return t.tokens
}

type tokeniser struct {
	language string
	tokens   []token
	// joined and start are of the token to come.
	joined, start bool
}

// begin begins a sentence.
func (t *tokeniser) begin() { t.joined, t.start = false, true }

func (t *tokeniser) line(line string) {
	chunks := strings.Fields(line)
	for i, chunk := range chunks {
		// What stands alone beside an @ is a part of an address as well.
		if i > 0 && isAt(chunks[i-1]) || i+1 < len(chunks) && isAt(chunks[i+1]) {
			t.joined = false
			continue
		}
		for _, run := range runs(chunk) {
			t.run(run)
		}
	}
}

func isAt(chunk string) bool { return strings.HasPrefix(chunk, "@") || strings.HasSuffix(chunk, "@") }

// run is a part of a chunk in one kind of script.
type run struct {
	text string
	kind kind
}

type kind int

const (
	spaced   kind = iota // words are set apart
	ideogram             // each character is a word or a part of one
	hiragana             // endings and particles, which say nothing by themselves
)

func kindOf(r rune) kind {
	switch {
	case unicode.Is(unicode.Han, r):
		return ideogram
	case unicode.Is(unicode.Hiragana, r):
		return hiragana
	}
	return spaced
}

func runs(chunk string) []run {
	var all []run
	from, last := 0, spaced
	for i, r := range chunk {
		k := kindOf(r)
		if i > from && k != last {
			all = append(all, run{chunk[from:i], last})
			from = i
		}
		last = k
	}
	return append(all, run{chunk[from:], last})
}

func (t *tokeniser) run(r run) {
	switch {
	case r.kind == hiragana, r.kind == spaced && isAddress(r.text):
		t.joined = false
	case r.kind == ideogram:
		for _, c := range r.text {
			t.add(token{text: string(c), character: true})
		}
		// What follows in the same sentence stands apart from it.
		t.joined = false
	default:
		t.words(r.text)
	}
}

// isAddress says whether a text looks like a number, an e-mail address, an account or a web address.
func isAddress(text string) bool {
	if strings.ContainsFunc(text, unicode.IsNumber) || strings.ContainsAny(text, "@#\\") || strings.Contains(text, "://") || strings.Contains(text, "www.") {
		return true
	}
	before := rune(0)
	for i, r := range text {
		if (r == '.' || r == '_') && unicode.IsLetter(before) {
			if next, _ := utf8.DecodeRuneInString(text[i+1:]); unicode.IsLetter(next) {
				return true
			}
		}
		before = r
	}
	return false
}

func (t *tokeniser) words(text string) {
	state := -1
	var word string
	for text != "" {
		word, text, state = uniseg.FirstWordInString(text, state)
		switch {
		case strings.ContainsFunc(word, unicode.IsLetter):
			t.word(word)
		case strings.ContainsAny(word, ".!?…。！？؟।"):
			t.begin()
		case word != "-" && word != "'" && word != "’":
			t.joined = false
		}
	}
}

// word adds a word as it is written.
func (t *tokeniser) word(word string) {
	word = strings.ReplaceAll(word, "’", "'")
	if i := strings.LastIndexByte(word, '\''); i >= 0 {
		switch t.language {
		case "fr", "it": // l'attente
			word = word[i+1:]
		default: // the agent's; don't says nothing
			if strings.EqualFold(word[i:], "'t") {
				word = ""
			} else {
				word = word[:i]
			}
		}
	}
	n := utf8.RuneCountInString(word)
	if n < shortest || n > longest || strings.ContainsFunc(word, isNoLetter) {
		t.joined, t.start = false, false
		return
	}
	first, size := utf8.DecodeRuneInString(word)
	large, rest := unicode.IsUpper(first), word[size:]
	t.add(token{
		text: strings.ToLower(word), capital: large && strings.ToUpper(rest) != rest, shout: large && strings.ToUpper(rest) == rest,
	})
}

func isNoLetter(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }

func (t *tokeniser) add(w token) {
	if len(t.tokens) >= maxTokens {
		return
	}
	w.joined, w.start = t.joined, t.start
	t.tokens = append(t.tokens, w)
	t.joined, t.start = true, false
}
