package survey

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// minAddress is the length of the shortest address, in characters; the longest has maxContact.
const minAddress = 3

// Contact is the form in which respondents can leave a way to be contacted.
type Contact struct {
	// Text beside the field and Consent beside the box; nil for the page's own words.
	Text    Texts `json:"text,omitempty"`
	Consent Texts `json:"consent,omitempty"`
}

func compileContact(form *v1alpha1.ContactForm) *Contact {
	if form == nil {
		return nil
	}
	return &Contact{Text: texts(form.Text), Consent: texts(form.Consent)}
}

// FollowUp is the rule by which a page's answers open cases.
type FollowUp struct {
	// OpenOn are the reasons that open one, sorted.
	OpenOn []string `json:"openOn"`
	// NPSAtMost is the highest NPS answer of a detractor.
	NPSAtMost int32 `json:"npsAtMost"`
	// LowPercent is how far up another scale an answer is low, in percent of it.
	LowPercent int32 `json:"lowPercent"`
	// WithinHours is the promise: contact within so many hours.
	WithinHours int32 `json:"withinHours"`
	// RetentionDays is how long contacts are kept once the case was closed.
	RetentionDays int32 `json:"retentionDays"`
}

// Option is something that Compile takes beside the objects.
type Option func(*compileOptions)

type compileOptions struct {
	followUps map[string]v1alpha1.FollowUp
}

// WithFollowUps gives the rules by which answers open cases, by touchpoint, "" for the program's own page. Those of touchpoints
// that the survey does not serve are passed over, and all where it asks for no contact.
func WithFollowUps(rules map[string]v1alpha1.FollowUp) Option {
	return func(o *compileOptions) { o.followUps = rules }
}

// Defaults of a FollowUp, as the API server fills them in.
const (
	defaultNPSAtMost     = 6
	defaultLowPercent    = 25
	defaultContactWithin = 48
	defaultContactKept   = 90
)

// compileFollowUps keeps the rules of pages that are served.
func (s *Survey) compileFollowUps(rules map[string]v1alpha1.FollowUp) {
	if s.Contact == nil {
		return
	}
	for name, rule := range rules {
		if _, served := s.Touchpoints[name]; name != "" && !served {
			continue
		}
		if s.FollowUps == nil {
			s.FollowUps = map[string]FollowUp{}
		}
		s.FollowUps[name] = compileFollowUp(rule)
	}
}

// compileFollowUp fills in the API's defaults, so that a rule that no API server has seen compiles to the same.
func compileFollowUp(rule v1alpha1.FollowUp) FollowUp {
	reasons := rule.OpenOn
	if len(reasons) == 0 {
		reasons = []v1alpha1.CaseReason{v1alpha1.CaseDetractor, v1alpha1.CaseLowScore, v1alpha1.CaseContactRequested}
	}
	f := FollowUp{
		NPSAtMost:     int32(or(rule.NPSAtMost, defaultNPSAtMost)),
		LowPercent:    int32(or(rule.LowPercent, defaultLowPercent)),
		WithinHours:   cmp.Or(rule.ContactWithinHours, defaultContactWithin),
		RetentionDays: cmp.Or(rule.ContactRetentionDays, defaultContactKept),
	}
	for _, reason := range reasons {
		f.OpenOn = append(f.OpenOn, string(reason))
	}
	slices.Sort(f.OpenOn)
	return f
}

// Left is what a respondent left to be contacted by.
type Left struct {
	// Address of electronic mail, or phone number.
	Address string `json:"address"`
	// Consent that it is kept and used to get in touch about the answer.
	Consent bool `json:"consent"`
	// Requested says that the respondent asks for it.
	Requested bool `json:"requested,omitempty"`
}

// AsksContact says whether a touchpoint's page has a field for a contact: the survey has the form, and a rule says what becomes
// of it.
func (s *Survey) AsksContact(touchpoint string) bool {
	_, ruled := s.FollowUps[touchpoint]
	return s.Contact != nil && ruled
}

// CheckContact returns what is wrong with what the respondent of a touchpoint's page left, nil for nothing. Errors never repeat
// the address.
func (s *Survey) CheckContact(touchpoint string, left *Left) []FieldError {
	c := checker{survey: s}
	c.left(touchpoint, left)
	return c.errors
}

func (c *checker) left(touchpoint string, left *Left) {
	if left == nil {
		return
	}
	if !c.survey.AsksContact(touchpoint) {
		c.refuse("/contact", CodeUnknown, "this page asks for no contact, and none would be kept; leave it out")
		return
	}
	c.address(strings.TrimSpace(left.Address))
	if !left.Consent {
		c.refuse("/contact/consent", CodeRequired, "must be true: without consent no address is kept; leave contact out to answer without one")
	}
}

// address checks a trimmed address.
func (c *checker) address(address string) {
	const pointer = "/contact/address"
	switch length := utf8.RuneCountInString(address); {
	case address == "":
		c.refuse(pointer, CodeRequired, "must not be empty; leave contact out to answer without one")
	case length < minAddress || length > maxContact:
		c.refuse(pointer, CodeLength, "must have %d to %d characters", minAddress, maxContact)
	case !utf8.ValidString(address) || strings.ContainsFunc(address, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }):
		c.refuse(pointer, CodeFormat, "must have printable characters only")
	case !isMail(address) && !isPhone(address):
		c.refuse(pointer, CodeFormat, "must be an e-mail address such as ana@example.com, or a phone number such as +34 600 000 000")
	}
}

// isMail says whether a text looks like an address of electronic mail: whether it is one, only a message to it can tell.
func isMail(text string) bool {
	at := strings.LastIndexByte(text, '@')
	if at < 1 || strings.ContainsFunc(text, unicode.IsSpace) || strings.ContainsAny(text, `<>,;`) {
		return false
	}
	domain := text[at+1:]
	return domain != "" && domain[0] != '.' && domain[len(domain)-1] != '.' && !strings.Contains(domain, "..")
}

// minDigits and maxDigits of a phone number: an extension may follow the 15 digits that an international one has at the most.
const minDigits, maxDigits = 3, 20

// isPhone says whether a text looks like a phone number: digits, with what people write between them.
func isPhone(text string) bool {
	digits := 0
	for i, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '+' && i == 0:
		case strings.ContainsRune(" -./()", r):
		default:
			return false
		}
	}
	return digits >= minDigits && digits <= maxDigits
}

// ComparableContact returns an address in the form in which it is looked for: a phone number without what people write between
// its digits and with '+' for a leading 00, anything else as it is.
func ComparableContact(address string) string {
	address = strings.TrimSpace(address)
	if !isPhone(address) {
		return address
	}
	number := strings.Map(func(r rune) rune {
		if r == '+' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, address)
	if rest, ok := strings.CutPrefix(number, "00"); ok {
		return "+" + rest
	}
	return number
}

// Opening is why a case is to be opened, and what it promises.
type Opening struct {
	// Reasons, sorted, at least one: Detractor, LowScore, ContactRequested.
	Reasons []string
	// PromisedBy is the end of the hour by which the respondent is to be contacted.
	PromisedBy time.Time
	// RetentionDays after which the contact is erased once the case is closed.
	RetentionDays int32
}

// Opens says whether a response that Accept has taken opens a case, given what came with it: only one that counts, of a
// respondent who left an address and agreed, at a touchpoint with a rule.
func (s *Survey) Opens(r store.Response, left *Left) (Opening, bool) {
	rule, ruled := s.FollowUps[r.Touchpoint]
	counted := r.Standing == "" || r.Standing == store.StandingCounted
	if s.Contact == nil || !ruled || !counted || left == nil || !left.Consent || left.Address == "" {
		return Opening{}, false
	}
	var reasons []string
	for _, reason := range rule.OpenOn {
		if s.gives(v1alpha1.CaseReason(reason), rule, r, left) {
			reasons = append(reasons, reason)
		}
	}
	if len(reasons) == 0 {
		return Opening{}, false
	}
	return Opening{Reasons: reasons, PromisedBy: rule.promise(r.SubmittedAt), RetentionDays: rule.RetentionDays}, true
}

// promise is the end of the hour in which the promise runs out. The clock runs through weekends.
func (f FollowUp) promise(from time.Time) time.Time {
	end := from.UTC().Add(time.Duration(f.WithinHours) * time.Hour)
	if hour := end.Truncate(time.Hour); !hour.Equal(end) {
		return hour.Add(time.Hour)
	}
	return end
}

// gives says whether the response gives the reason.
func (s *Survey) gives(reason v1alpha1.CaseReason, rule FollowUp, r store.Response, left *Left) bool {
	switch reason {
	case v1alpha1.CaseContactRequested:
		return left.Requested
	case v1alpha1.CaseDetractor:
		return s.anyAnswer(r, func(q Question, value int) bool {
			return v1alpha1.QuestionType(q.Type) == v1alpha1.QuestionNPS && value <= int(rule.NPSAtMost)
		})
	case v1alpha1.CaseLowScore:
		return s.anyAnswer(r, func(q Question, value int) bool {
			return isScored(v1alpha1.QuestionType(q.Type)) && 100*(value-q.Scale.Min) <= int(rule.LowPercent)*(q.Scale.Max-q.Scale.Min)
		})
	}
	return false
}

func isScored(t v1alpha1.QuestionType) bool {
	return t == v1alpha1.QuestionCSAT || t == v1alpha1.QuestionCES || t == v1alpha1.QuestionRating
}

// anyAnswer says whether an answer on a scale is as wanted.
func (s *Survey) anyAnswer(r store.Response, wanted func(Question, int) bool) bool {
	return slices.ContainsFunc(r.Answers, func(a store.Answer) bool {
		i := slices.IndexFunc(s.Questions, func(q Question) bool { return q.Name == a.Question })
		if i < 0 || a.Kind != store.KindScale || len(a.Values) != 1 {
			return false
		}
		value, err := strconv.Atoi(a.Values[0])
		return err == nil && wanted(s.Questions[i], value)
	})
}
