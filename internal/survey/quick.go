package survey

import "strings"

// quickly reads a submission that is written the way most are: members that a client of a page sends, each once, texts without
// escapes, integers, and lists of texts. It is false for anything else, also for what is wrong: DecodeStrict says of that what
// it is, in several times as long. The body must be UTF-8.
func quickly(body []byte) (Submission, bool) {
	// All texts are parts of this one copy.
	p := plainReader{rest: string(body)}
	var sub Submission
	texts := [...]struct {
		name  string
		field *string
		read  bool
	}{
		{name: "id", field: &sub.ID}, {name: "touchpoint", field: &sub.Touchpoint}, {name: "team", field: &sub.Team},
		{name: "language", field: &sub.Language}, {name: "submittedAt", field: &sub.SubmittedAt},
		{name: "invitation", field: &sub.Invitation}, {name: "proof", field: &sub.Proof},
	}
	ok := p.object(func(name string) bool {
		if name == "answers" && sub.Answers == nil {
			sub.Answers = map[string]any{}
			return p.object(func(question string) bool { return p.answer(sub.Answers, question) })
		}
		for i := range texts {
			if t := &texts[i]; t.name == name && !t.read {
				*t.field, t.read = p.text()
				return t.read
			}
		}
		return false
	})
	p.blanks()
	if !ok || p.rest != "" {
		return Submission{}, false
	}
	return sub, true
}

// plainReader goes through JSON. Its methods return false where it goes on in another way than they read; rest is then
// anywhere.
type plainReader struct{ rest string }

func (p *plainReader) blanks() {
	for p.rest != "" && (p.rest[0] == ' ' || p.rest[0] == '\n' || p.rest[0] == '\t' || p.rest[0] == '\r') {
		p.rest = p.rest[1:]
	}
}

// take reads one character after blanks.
func (p *plainReader) take(c byte) bool {
	p.blanks()
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// object reads an object, of which member reads each value.
func (p *plainReader) object(member func(name string) bool) bool {
	if !p.take('{') {
		return false
	}
	if p.take('}') {
		return true
	}
	for {
		name, ok := p.text()
		if !ok || !p.take(':') || !member(name) {
			return false
		}
		if !p.take(',') {
			return p.take('}')
		}
	}
}

// text reads a text without escapes.
func (p *plainReader) text() (string, bool) {
	if !p.take('"') {
		return "", false
	}
	end := strings.IndexByte(p.rest, '"')
	if end < 0 {
		return "", false
	}
	text := p.rest[:end]
	for i := range len(text) {
		if text[i] < ' ' || text[i] == '\\' {
			return "", false
		}
	}
	p.rest = p.rest[end+1:]
	return text, true
}

// answer reads the answer to a question that has none yet.
func (p *plainReader) answer(answers map[string]any, question string) bool {
	if _, twice := answers[question]; twice {
		return false
	}
	p.blanks()
	if p.rest == "" {
		return false
	}
	switch p.rest[0] {
	case '"':
		text, ok := p.text()
		answers[question] = text
		return ok
	case '[':
		list, ok := p.texts()
		answers[question] = list
		return ok
	default:
		n, ok := p.integer()
		answers[question] = n
		return ok
	}
}

// texts reads a list of texts that is not empty.
func (p *plainReader) texts() ([]any, bool) {
	p.take('[')
	list := make([]any, 0, 4)
	for {
		text, ok := p.text()
		if !ok {
			return nil, false
		}
		list = append(list, text)
		if !p.take(',') {
			return list, p.take(']')
		}
	}
}

// integer reads an integer from 0 on of at most 15 digits. No other number follows it: take sees to that.
func (p *plainReader) integer() (int64, bool) {
	n, digits := int64(0), 0
	for digits < len(p.rest) && p.rest[digits] >= '0' && p.rest[digits] <= '9' {
		n = 10*n + int64(p.rest[digits]-'0')
		digits++
		if digits > 15 {
			return 0, false
		}
	}
	if digits == 0 || digits > 1 && p.rest[0] == '0' {
		return 0, false
	}
	p.rest = p.rest[digits:]
	return n, true
}
