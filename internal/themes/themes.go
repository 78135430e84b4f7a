// Package themes finds what many comments have in common: words and pairs of words that recur. It is pure, but for Read, and
// deterministic. What
// leaves it are the themes with their counts, each of at least ten comments, never a comment, and never what looks like the name
// of a person, an address or a number.
//
// A comment goes through: split into words (token.go); drop what says nothing and reduce the rest to stems (lists.go, stem.go);
// count each stem and each pair of neighbours once (counter.go). At the end, what looks like a name is left out (person.go), themes
// that overlap become one, and the most frequent remain (merge.go).
package themes

const (
	// Least is the number of comments that a theme needs at least.
	Least = 10
	// Most is the number of themes that are found at the most.
	Most = 20
	// MaxComments is how many comments of each period are read; those after that are not.
	MaxComments = 200_000
)

// Comment is the answer to a question in free text.
type Comment struct {
	// Question that was answered.
	Question string
	// Language of the comment: a language tag such as pt-BR, or "" where it is not known.
	Language string
	// Text as it was written. Its first 16 KiB are read, and of these the first 1000 words.
	Text string
	// Before means that it is of the period before, which themes are compared with.
	Before bool
}

// Theme is a word, or a pair of words, of several comments.
type Theme struct {
	// Words of the theme in their most frequent form, in lower case, at most 81 characters.
	Words string
	// Question that was answered.
	Question string
	// Comments that have it, at least Least.
	Comments int64
	// Before is how many comments of the period before have it; 0 where that are fewer than Least.
	Before int64
}

// Options of a Counter.
type Options struct {
	// DefaultLanguage is that of comments whose own is not known.
	DefaultLanguage string
	// Minimum is how many comments a theme needs; less than Least counts as Least.
	Minimum int64
}
