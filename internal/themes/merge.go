package themes

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// candidate is a term that may become a theme.
type candidate struct {
	key
	*term
}

// Themes returns what recurs, the most frequent first. It may be called at any time, and changes nothing.
func (c *Counter) Themes() []Theme {
	var found []Theme
	all := c.candidates()
	pairs := map[key][]candidate{} // by each of their stems
	for _, p := range all {
		if p.second != "" {
			pairs[key{p.scope, p.first, ""}] = append(pairs[key{p.scope, p.first, ""}], p)
			pairs[key{p.scope, p.second, ""}] = append(pairs[key{p.scope, p.second, ""}], p)
		}
	}
	taken := map[key]bool{}
	for _, next := range all {
		if overlaps(next, taken) {
			continue
		}
		if next.second == "" {
			next = moreTelling(next, pairs[next.key], taken)
		}
		taken[key{next.scope, next.first, ""}] = true
		if next.second != "" {
			taken[key{next.scope, next.second, ""}] = true
		}
		found = append(found, c.theme(next))
	}
	return first(joinLanguages(found))
}

// candidates are the terms of enough comments that look like nobody's name, the most frequent first, of equals pairs.
func (c *Counter) candidates() []candidate {
	var all []candidate
	for k, t := range c.terms {
		if t.now < c.options.Minimum || c.isName(k.scope, k.first) || k.second != "" && c.isName(k.scope, k.second) {
			continue
		}
		all = append(all, candidate{k, t})
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.now, a.now), -cmp.Compare(min(len(a.second), 1), min(len(b.second), 1)), cmp.Compare(a.question, b.question),
			cmp.Compare(a.language, b.language), cmp.Compare(a.first, b.first), cmp.Compare(a.second, b.second))
	})
	return all
}

func overlaps(c candidate, taken map[key]bool) bool {
	return taken[key{c.scope, c.first, ""}] || c.second != "" && taken[key{c.scope, c.second, ""}]
}

// moreTelling returns the pair that most comments with a word have it in, two thirds of them at least; else the word.
func moreTelling(word candidate, pairs []candidate, taken map[key]bool) candidate {
	for _, p := range pairs { // the most frequent first
		if 3*p.now >= 2*word.now && !overlaps(p, taken) {
			return p
		}
	}
	return word
}

func (c *Counter) theme(of candidate) Theme {
	t := Theme{Words: commonest(of.forms), Question: of.question, Comments: of.now}
	if of.before >= c.options.Minimum {
		t.Before = of.before
	}
	return t
}

// commonest returns the most frequent form, of equals the first by the alphabet.
func commonest(forms []form) string {
	best := forms[0]
	for _, f := range forms[1:] {
		if f.n > best.n || f.n == best.n && f.text < best.text {
			best = f
		}
	}
	return best.text
}

// joinLanguages adds up themes of several languages that are written alike.
func joinLanguages(all []Theme) []Theme {
	type name struct{ words, question string }
	sums := map[name]Theme{}
	for _, t := range all {
		n := name{t.Words, t.Question}
		sum := sums[n]
		sums[n] = Theme{Words: t.Words, Question: t.Question, Comments: sum.Comments + t.Comments, Before: sum.Before + t.Before}
	}
	return slices.Collect(maps.Values(sums))
}

func first(all []Theme) []Theme {
	slices.SortFunc(all, func(a, b Theme) int {
		return cmp.Or(cmp.Compare(b.Comments, a.Comments), cmp.Compare(a.Question, b.Question), cmp.Compare(a.Words, b.Words))
	})
	return all[:min(len(all), Most)]
}

// Without leaves out the themes that have a word of one of the names: "Maria Okonkwo" or "maria-okonkwo".
func Without(found []Theme, names []string) []Theme {
	known := set{}
	for _, name := range names {
		for _, word := range strings.FieldsFunc(normal(name), isNoLetter) {
			known[word] = struct{}{}
		}
	}
	return slices.DeleteFunc(slices.Clone(found), func(t Theme) bool {
		return slices.ContainsFunc(strings.Fields(t.Words), known.has)
	})
}
