package themes

import (
	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/arabic"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/spanish"
)

// stemmers by language. The others have their words as they are.
var stemmers = map[string]func(*snowballstem.Env) bool{
	"ar": arabic.Stem, "de": german.Stem, "en": english.Stem, "es": spanish.Stem, "fr": french.Stem, "it": italian.Stem, "nl": dutch.Stem,
	"pt": portuguese.Stem,
}

// stem returns what the forms of a word have in common; the word itself where that is not known, or would be nothing.
func stem(language, word string) string {
	of, ok := stemmers[language]
	if !ok {
		return word
	}
	env := snowballstem.NewEnv(word)
	of(env)
	if s := env.Current(); s != "" {
		return s
	}
	return word
}
