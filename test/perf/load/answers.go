package load

import (
	crand "crypto/rand"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// How often, in percent, a question that may be left out is answered all the same: people choose more readily than they write.
const (
	chosenPercent  = 75
	writtenPercent = 33
)

// longestVisit bounds how long ago a form says that it was opened.
const longestVisit = 10 * time.Minute

// Answers makes up answers to a survey: each one new, of any touchpoint and team, with any values that its questions allow. It
// is for one goroutine.
type Answers struct {
	survey      *survey.Survey
	key         link.FormKey
	rng         *rand.Rand
	touchpoints []string
	units       []string
	questions   map[string][]survey.Question
	last        answer
}

// answer is one that was made up.
type answer struct {
	id               uuid.UUID
	touchpoint, unit string
	values           []value
}

// value answers one question: with a number, or with texts.
type value struct {
	question *survey.Question
	number   int64
	texts    []string
}

// NewAnswers returns a source of answers to a survey that asks all at once. Sign is the program's token of that name, by which
// its forms are known for its own. The same seed gives the same answers.
func NewAnswers(s *survey.Survey, sign string, seed [32]byte) *Answers {
	a := &Answers{
		survey: s, key: link.NewFormKey(sign, s.Program.Namespace, s.Program.Name), rng: rand.New(rand.NewChaCha8(seed)),
		touchpoints: slices.Sorted(maps.Keys(s.Touchpoints)), units: slices.Sorted(maps.Keys(s.Units)),
		questions: map[string][]survey.Question{"": s.Questions},
	}
	for name, t := range s.Touchpoints {
		for _, q := range s.Questions {
			if slices.Contains(t.Questions, q.Name) {
				a.questions[name] = append(a.questions[name], q)
			}
		}
	}
	return a
}

// next makes up another answer.
func (a *Answers) next() *answer {
	n := &a.last
	binary.LittleEndian.PutUint64(n.id[:8], a.rng.Uint64())
	binary.LittleEndian.PutUint64(n.id[8:], a.rng.Uint64())
	n.id[6], n.id[8] = n.id[6]&0x0f|0x40, n.id[8]&0x3f|0x80 // a random UUID, as RFC 9562 marks it
	n.touchpoint, n.unit = a.one(a.touchpoints), a.one(a.units)
	n.values = n.values[:0]
	questions := a.questions[n.touchpoint]
	for i := range questions {
		q := &questions[i]
		if !a.answered(q) && (i < len(questions)-1 || len(n.values) > 0) {
			continue
		}
		n.values = append(n.values, a.value(q))
	}
	return n
}

func (a *Answers) one(of []string) string {
	if len(of) == 0 {
		return ""
	}
	return of[a.rng.IntN(len(of))]
}

func (a *Answers) answered(q *survey.Question) bool {
	percent := chosenPercent
	if q.Type == string(v1alpha1.QuestionText) {
		percent = writtenPercent
	}
	return q.Required || a.rng.IntN(100) < percent
}

func (a *Answers) value(q *survey.Question) value {
	v := value{question: q}
	switch v1alpha1.QuestionType(q.Type) {
	case v1alpha1.QuestionText:
		v.texts = []string{a.text(int(q.MaxLength))}
	case v1alpha1.QuestionSingleChoice:
		v.texts = []string{q.Choices[a.rng.IntN(len(q.Choices))].Name}
	case v1alpha1.QuestionMultipleChoice:
		first := a.rng.IntN(len(q.Choices))
		for i := range 1 + a.rng.IntN(min(3, len(q.Choices))) {
			v.texts = append(v.texts, q.Choices[(first+i)%len(q.Choices)].Name)
		}
	default:
		v.number = int64(q.Scale.Min) + a.rng.Int64N(int64(q.Scale.Max-q.Scale.Min)+1)
	}
	return v
}

var vocabulary = strings.Fields("the queue at security was long but staff were kind and the signs are easy to read although " +
	"my gate changed twice which nobody told us please add more seats with power and keep coffee open after ten")

func (a *Answers) text(limit int) string {
	var b strings.Builder
	for range 3 + a.rng.IntN(18) {
		word := vocabulary[a.rng.IntN(len(vocabulary))]
		if b.Len()+len(word)+1 > limit {
			break
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

// AppendJSON appends the body of a JSON call with a new answer.
func (a *Answers) AppendJSON(b []byte) []byte {
	n := a.next()
	b = append(b, `{"id":"`...)
	b = appendID(b, n.id)
	if n.touchpoint != "" {
		b = append(append(b, `","touchpoint":"`...), n.touchpoint...)
	}
	if n.unit != "" {
		b = append(append(b, `","team":"`...), n.unit...)
	}
	b = append(append(append(b, `","language":"`...), a.survey.DefaultLanguage...), `","answers":{`...)
	for i, v := range n.values {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(strconv.AppendQuote(b, v.question.Name), ':')
		b = v.appendJSON(b)
	}
	return append(b, "}}"...)
}

func (v value) appendJSON(b []byte) []byte {
	switch {
	case v.texts == nil:
		return strconv.AppendInt(b, v.number, 10)
	case v.question.Type != string(v1alpha1.QuestionMultipleChoice):
		return strconv.AppendQuote(b, v.texts[0])
	}
	b = append(b, '[')
	for i, text := range v.texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(b, text)
	}
	return append(b, ']')
}

// AppendForm appends the body of a new form as its page sends it, opened up to ten minutes before now. It returns the path that
// the page sends it to, too.
func (a *Answers) AppendForm(b []byte, now time.Time) (body []byte, path string) {
	n := a.next()
	opened := now.Add(-time.Second - time.Duration(a.rng.Int64N(int64(longestVisit))))
	token := a.key.Sign(link.Form{ID: n.id.String(), Touchpoint: n.touchpoint, Team: n.unit}, opened)
	b = append(b, "_id="...)
	b = appendID(b, n.id)
	b = append(append(b, "&_language="...), a.survey.DefaultLanguage...)
	b = append(append(b, "&_form="...), token...)
	if n.unit != "" {
		b = append(append(b, "&_team="...), n.unit...)
	}
	for _, v := range n.values {
		if v.texts == nil {
			b = append(append(append(b, '&'), v.question.Name...), '=')
			b = strconv.AppendInt(b, v.number, 10)
		}
		for _, text := range v.texts {
			b = append(append(append(b, '&'), v.question.Name...), '=')
			b = append(b, url.QueryEscape(text)...)
		}
	}
	b = append(b, "&_website="...) // the trap for robots, which people leave empty
	return b, a.pagePath(n.touchpoint) + "?_sent"
}

func (a *Answers) pagePath(touchpoint string) string {
	path := "/s/" + a.survey.Program.Namespace + "/" + a.survey.Program.Name
	if touchpoint == "" {
		return path
	}
	return path + "/" + touchpoint
}

// ResponsesPath is where JSON calls go.
func ResponsesPath(s *survey.Survey) string {
	return fmt.Sprintf("/api/v1/namespaces/%s/programs/%s/responses", s.Program.Namespace, s.Program.Name)
}

func appendID(b []byte, id uuid.UUID) []byte {
	return append(b, id.String()...)
}

// NewSeed returns a seed that no other run has.
func NewSeed() (seed [32]byte) {
	_, _ = crand.Read(seed[:]) // it never fails
	return seed
}
