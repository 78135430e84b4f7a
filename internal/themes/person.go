package themes

// writing is how a stem was written, by which names are told from other words.
type writing struct {
	// total of all times.
	total int64
	// small, and large within and at the beginning of sentences. What is in capitals throughout says nothing.
	small, large, begins int64
	// named is how often it stood beside an honorific, determined how often behind an article.
	named, determined int64
	// given means that it is a given name.
	given bool
}

// note takes note of how the token at i was written.
func (c *Counter) note(s scope, w word, tokens []token, i int) {
	k := key{s, w.stem, ""}
	n, ok := c.written[k]
	if !ok {
		if makeRoom(c.written, &c.writtenFull, func(n *writing) bool { return n.total < 2 }) {
			return
		}
		n = &writing{}
		c.written[k] = n
	}
	n.total++
	n.given = n.given || givenNames.has(w.text)
	n.form(w.token)
	if i > 0 && determiners.has(tokens[i-1].text) {
		n.determined++
	}
	if behindHonorific(w, tokens, i) || w.character && beforeHonorific(s.language, tokens, i) {
		n.named++
	}
}

// form counts how a token was written.
func (n *writing) form(t token) {
	switch {
	case t.shout, t.character:
	case !t.capital:
		n.small++
	case t.start:
		n.begins++
	default:
		n.large++
	}
}

// behindHonorific says whether a word follows one that stands before names, or a given name between the two.
func behindHonorific(w word, tokens []token, i int) bool {
	if i > 0 && honorifics.has(tokens[i-1].text) {
		return true
	}
	return i > 1 && honorifics.has(tokens[i-2].text) && tokens[i-1].capital && w.capital
}

// beforeHonorific says whether one of the next few characters begins what stands behind a name.
func beforeHonorific(language string, tokens []token, i int) bool {
	const longestName = 3
	for j := i + 1; j < len(tokens) && j <= i+longestName && tokens[j].joined; j++ {
		if isHonorific(language, tokens, j) {
			return true
		}
	}
	return false
}

// isHonorific says whether the token at i begins or ends what stands before or behind a name.
func isHonorific(language string, tokens []token, i int) bool {
	of := tokens[i].text
	if honorifics.has(of) {
		return true
	}
	after := afterNames[language]
	return after.has(of) || i+1 < len(tokens) && after.has(of+tokens[i+1].text) || i > 0 && after.has(tokens[i-1].text+of)
}

// isName says whether a stem looks like the name of a person. When in doubt it does: a theme that is lost costs less than a person
// who is found.
func (c *Counter) isName(s scope, stem string) bool {
	n := c.written[key{s, stem, ""}]
	switch {
	case n == nil: // it was forgotten for being rare
		return true
	case n.given, n.named*10 >= n.total && n.named > 0:
		return true
	case s.language == "de": // nouns are written large as well, but seldom without an article at all times
		return n.large+n.begins > n.small && n.determined*10 < n.total
	}
	return n.large > n.small || n.small == 0 && n.begins > 0
}
