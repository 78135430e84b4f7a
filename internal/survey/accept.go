package survey

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Limits on a submission.
const (
	// maxAnswers is the number of answers in one submission. A survey has no more questions.
	maxAnswers = 50
	// maxNameLength is the longest name of a question, touchpoint or team, in bytes.
	maxNameLength = 63
	// maxChecks is how many checks a response may have passed, and failed; maxCheckLength the longest name of one.
	maxChecks, maxCheckLength = 8, 16
	// maxFuture is how far ahead of the clock here an imported submittedAt may be.
	maxFuture = 5 * time.Minute
)

// earliest is the earliest imported submittedAt.
var earliest = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// rfc3339 is the shape of a time of RFC 3339. time.Parse takes more: an hour of one digit, a comma, any offset.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// Codes of a FieldError.
const (
	// CodeRequired means that the field must be given.
	CodeRequired = "required"
	// CodeUnknown means that there is no such question, touchpoint or team, or that it is not asked there.
	CodeUnknown = "unknown"
	// CodeType means that the value is of the wrong JSON type.
	CodeType = "type"
	// CodeRange means that a number or time is out of bounds.
	CodeRange = "range"
	// CodeChoice means that a value is none of the choices, or stands twice.
	CodeChoice = "choice"
	// CodeLength means that a text or list is too long.
	CodeLength = "length"
	// CodeFormat means that a string is not written as it must be.
	CodeFormat = "format"
	// CodeFuture means that a time lies in the future.
	CodeFuture = "future"
	// CodeHidden means that the question is not asked, given the other answers.
	CodeHidden = "hidden"
)

// Rules say how a submission came in.
type Rules struct {
	// Now is the time at which it came in.
	Now time.Time
	// Import marks a submission of an import: it may say when it was given, and neither Required nor ShowWhen bind it.
	Import bool
}

// Accept checks a submission against the survey. It returns the response to store, without its Receipt, or everything
// that is wrong, in a stable order. ID becomes lower case, Language canonical, texts are trimmed and NFC-normalised,
// Answers stand in the survey's order. The Digest covers touchpoint, team, language, submittedAt and answers in that
// form, whatever the order of members and of the choices of one answer: not what was passed and failed, so that a retry with
// other work to show is the same response. Nor does it cover the contact, which is not in the response: see Opens. Invitation
// and Proof are for the caller to judge.
func (s *Survey) Accept(sub Submission, r Rules) (store.Response, []FieldError) {
	c := checker{survey: s}
	response := store.Response{
		Program:    s.Program,
		ID:         c.id(sub.ID),
		Touchpoint: c.touchpoint(sub.Touchpoint),
		Unit:       c.team(sub.Team),
		Language:   c.language(sub.Language),
	}
	given := c.submittedAt(sub.SubmittedAt, r)
	response.SubmittedAt = given
	if given.IsZero() {
		response.SubmittedAt = microseconds(r.Now)
	}
	c.checks(&response, sub, r.Import)
	response.Answers = c.answers(sub, r.Import)
	if !r.Import {
		c.left(sub.Touchpoint, sub.Contact)
	}
	if len(c.errors) > 0 {
		return store.Response{}, c.errors
	}
	response.Digest = digestOf(response, given)
	return response, nil
}

// checker collects what is wrong with one submission.
type checker struct {
	survey *Survey
	errors []FieldError
	// space has the values of answers that have one.
	space []string
}

func (c *checker) refuse(pointer, code, format string, args ...any) {
	c.errors = append(c.errors, FieldError{Pointer: pointer, Code: code, Detail: fmt.Sprintf(format, args...)})
}

func (c *checker) id(id string) string {
	if id == "" {
		c.refuse("/id", CodeRequired, "an id is required: a UUID that the client makes, the same for a retry")
		return ""
	}
	parsed, err := uuid.Parse(id)
	if err != nil || len(id) != 36 || parsed == uuid.Nil {
		c.refuse("/id", CodeFormat, "must be a UUID such as 7d444840-9dc0-11d1-b245-5ffdce74fad2, not all zeros")
		return ""
	}
	return strings.ToLower(id) // 36 characters are the canonical form, but for the case
}

func (c *checker) touchpoint(name string) string {
	if name == "" {
		return ""
	}
	if _, ok := c.survey.Touchpoints[name]; !ok {
		c.refuse("/touchpoint", CodeUnknown, "the program has no such touchpoint; leave it out for the program as a whole")
	}
	return name
}

func (c *checker) team(name string) string {
	if name == "" {
		return ""
	}
	if _, ok := c.survey.Units[name]; !ok {
		c.refuse("/team", CodeUnknown, "there is no such team; leave it out if the answer speaks of none")
	}
	return name
}

func (c *checker) language(tag string) string {
	if tag == "" || slices.Contains(c.survey.Languages, tag) { // those are canonical
		return tag
	}
	parsed, err := parseLanguage(tag)
	if err != nil {
		c.refuse("/language", CodeFormat, "must be a BCP 47 language tag such as en, es or pt-BR")
	}
	return parsed
}

// submittedAt returns the time that was given, in UTC, or the zero time.
func (c *checker) submittedAt(text string, r Rules) time.Time {
	if text == "" {
		return time.Time{}
	}
	if !r.Import {
		c.refuse("/submittedAt", CodeUnknown, "submittedAt is for imports only")
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || !rfc3339.MatchString(text) {
		c.refuse("/submittedAt", CodeFormat, "must be a time as RFC 3339 writes it, such as 2026-11-20T09:00:00Z")
		return time.Time{}
	}
	if at.Before(earliest) {
		c.refuse("/submittedAt", CodeRange, "must not be before 2000-01-01T00:00:00Z")
	}
	if at.After(r.Now.Add(maxFuture)) {
		c.refuse("/submittedAt", CodeFuture, "must not be more than 5 minutes ahead of this server's clock")
	}
	return microseconds(at)
}

// checks takes what an export says of the checks against robots. Only imports may say it, and they show no work themselves.
func (c *checker) checks(response *store.Response, sub Submission, imported bool) {
	if !imported {
		for _, member := range []struct {
			name  string
			given bool
		}{{"standing", sub.Standing != ""}, {"passed", len(sub.Passed) > 0}, {"failed", len(sub.Failed) > 0}} {
			if member.given {
				c.refuse("/"+member.name, CodeUnknown, "%s is for imports only", member.name)
			}
		}
		return
	}
	if sub.Invitation != "" {
		c.refuse("/invitation", CodeUnknown, "an import has no invitation")
	}
	if sub.Proof != "" {
		c.refuse("/proof", CodeUnknown, "an import has no proof")
	}
	if sub.Contact != nil {
		c.refuse("/contact", CodeUnknown, "an import has no contact: nobody agreed to its use here")
	}
	response.Standing = store.Standing(sub.Standing)
	switch response.Standing {
	case "", store.StandingCounted, store.StandingSuspect, store.StandingAnnulled:
	default:
		c.refuse("/standing", CodeChoice, "must be counted, suspect or annulled")
	}
	response.Passed, response.Failed = c.checkNames("/passed", sub.Passed), c.checkNames("/failed", sub.Failed)
}

// checkNames returns the names sorted and without repeats.
func (c *checker) checkNames(pointer string, names []string) []string {
	if len(names) > maxChecks {
		c.refuse(pointer, CodeLength, "at most %d checks are allowed", maxChecks)
		return nil
	}
	for i, name := range names {
		if !IsCheck(name) {
			c.refuse(fmt.Sprintf("%s/%d", pointer, i), CodeFormat, "must have 1 to %d lower-case letters", maxCheckLength)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// IsCheck says whether the name could be one of a check against robots.
func IsCheck(name string) bool {
	return name != "" && len(name) <= maxCheckLength && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") == ""
}

// microseconds returns the time as the store keeps it.
func microseconds(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func (c *checker) answers(sub Submission, imported bool) []store.Answer {
	if len(sub.Answers) == 0 {
		c.refuse("/answers", CodeRequired, "at least one answer is required")
		return nil
	}
	if len(sub.Answers) > maxAnswers {
		c.refuse("/answers", CodeLength, "at most %d answers are allowed", maxAnswers)
		return nil
	}
	page, known := c.survey.served(sub.Touchpoint)
	if !known { // the touchpoint is refused already: say what can be said of the answers
		page.all = true
	}
	j := newJudge(c.survey)
	j.space = make([]string, 0, len(sub.Answers))
	answers := make([]store.Answer, 0, len(sub.Answers))
	for i := range c.survey.Questions {
		q := &c.survey.Questions[i]
		if !page.has(q.Name) {
			continue
		}
		value, given := sub.Answers[q.Name]
		asked := imported || j.asks(q)
		switch {
		case given && asked:
			answers = append(answers, j.take(q, value))
		case given:
			j.refuse(pointerTo(q.Name), CodeHidden, "this question is not asked, given the other answers: showWhen is %s", q.ShowWhen)
		case asked && q.Required && known && !imported:
			j.refuse(pointerTo(q.Name), CodeRequired, "an answer is required")
		}
	}
	c.errors = append(c.errors, j.errors...)
	if len(answers) < len(sub.Answers) {
		c.strangers(sub.Answers, page)
	}
	return answers
}

// strangers refuses answers to questions that the page does not ask.
func (c *checker) strangers(answers map[string]any, page served) {
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		known := slices.ContainsFunc(c.survey.Questions, func(q Question) bool { return q.Name == name })
		switch {
		case known && page.has(name):
		case len(name) > maxNameLength:
			c.refuse("/answers", CodeUnknown, "a question's name has at most %d characters", maxNameLength)
		case known:
			c.refuse(pointerTo(name), CodeUnknown, "this question is not asked at this touchpoint")
		default:
			c.refuse(pointerTo(name), CodeUnknown, "the survey has no such question")
		}
	}
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// pointerTo returns the JSON pointer of an answer.
func pointerTo(question string) string { return "/answers/" + pointerEscapes.Replace(question) }
