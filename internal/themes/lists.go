package themes

import (
	"embed"
	"strings"
)

// The lists are one word a line. Words that say nothing by themselves are in stop_<language>.txt, names.txt holds given names,
// honorifics.txt what stands before a name, after_<language>.txt what stands behind one, and determiners_de.txt what stands before
// a noun, but seldom before a name.
//
//go:embed words/*.txt
var files embed.FS

// set of words.
type set map[string]struct{}

func (s set) has(word string) bool {
	_, ok := s[word]
	return ok
}

// list reads one list; a list that is not there is empty.
func list(name string) set {
	s := set{}
	data, err := files.ReadFile("words/" + name + ".txt")
	if err != nil {
		return s
	}
	for word := range strings.FieldsSeq(string(data)) {
		s[normal(word)] = struct{}{}
	}
	return s
}

var (
	stopWords   = lists("stop_", "ar", "de", "en", "es", "fr", "hi", "it", "ja", "nl", "pl", "pt", "zh")
	afterNames  = lists("after_", "ja", "zh")
	givenNames  = list("names")
	honorifics  = list("honorifics")
	determiners = list("determiners_de")
)

func lists(prefix string, languages ...string) map[string]set {
	all := map[string]set{}
	for _, l := range languages {
		all[l] = list(prefix + l)
	}
	return all
}
