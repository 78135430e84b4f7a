package survey

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Compile turns a program, its touchpoints and the teams of its namespace into what an endpoint serves. Objects of other
// namespaces and touchpoints of other programs are passed over, so all that a cache holds may be given.
//
// The Survey is nil where the survey as written cannot be served; the problems say why. A touchpoint of which no question
// is left to serve has no page; one that names unknown questions beside known ones serves the known. What is wrong with
// touchpoints is found by CheckTouchpoint, and with the program's time zone and objectives by CheckProgram: they keep no
// page from being served.
//
// Equal input in any order gives an equal Survey and Hash.
func Compile(program *v1alpha1.SurveyProgram, touchpoints []v1alpha1.Touchpoint, teams []v1alpha1.Team, opts ...Option) (*Survey, []Problem) {
	var options compileOptions
	for _, option := range opts {
		option(&options)
	}
	spec := &program.Spec
	if problems := checkSurvey(&spec.Survey); len(problems) > 0 {
		return nil, problems
	}
	s := &Survey{
		Program:         store.Key{Namespace: program.Namespace, Name: program.Name},
		DisplayName:     spec.DisplayName,
		Asker:           spec.DisplayName,
		DefaultLanguage: canonical(spec.Survey.DefaultLanguage),
		Title:           texts(spec.Survey.Title),
		PrivacyNotice:   texts(spec.Survey.PrivacyNotice),
		ThankYou:        texts(spec.Survey.ThankYou),
		Touchpoints:     map[string]Touchpoint{},
		Units:           map[string]string{},
		Closed:          spec.Endpoint.Intake == v1alpha1.IntakeClosed,
		RetentionDays:   spec.Privacy.RetentionDays,
		MinimumCell:     spec.Privacy.MinimumCell,
		Branding:        compileBranding(spec.Survey.Branding),
		FrameAncestors:  slices.Sorted(slices.Values(spec.Endpoint.FrameAncestors)),
		Access:          compileAccess(spec.Access),
		Contact:         compileContact(spec.Survey.Contact),
	}
	for _, step := range spec.Survey.Steps {
		s.Steps = append(s.Steps, Step{Title: texts(step.Title), Questions: step.Questions})
	}
	for _, f := range spec.Survey.Feedback {
		s.Feedback = append(s.Feedback, Feedback{Name: f.Name, Title: texts(f.Title), Metric: string(f.Metric), Questions: f.Questions})
	}
	s.Languages = languages(s.Title, s.DefaultLanguage)
	for _, q := range spec.Survey.Questions {
		compiled, err := compileQuestion(q)
		if err != nil { // checkSurvey has compiled it
			return nil, []Problem{{v1alpha1.ReasonInvalidSpec, "spec.survey.questions", err.Error()}}
		}
		s.Questions = append(s.Questions, compiled)
	}
	for i := range touchpoints {
		s.addTouchpoint(&touchpoints[i], program)
	}
	for i := range teams {
		s.addUnit(&teams[i], program)
	}
	s.compileFollowUps(options.followUps)
	s.Hash = s.digest()
	return s, nil
}

// compileAccess fills in the API's defaults, so that a spec that no API server has seen compiles to the same.
func compileAccess(a v1alpha1.Access) Access {
	cooldown := func(c v1alpha1.Cooldown) Cooldown {
		return Cooldown{AfterInvitation: c.AfterInvitationDays, AfterAnswer: c.AfterAnswerDays}
	}
	return Access{
		Signed:         a.Mode == v1alpha1.AccessSigned,
		LinkDays:       cmp.Or(a.Invitations.ValidDays, defaultLinkDays),
		Program:        cooldown(a.Invitations.Cooldown.Program),
		Namespace:      cooldown(a.Invitations.Cooldown.Namespace),
		MinimumSeconds: int32(or(a.Robots.MinimumSeconds, defaultMinimumSeconds)),
		ProofBits:      a.Robots.ProofOfWorkBits,
	}
}

func (s *Survey) addTouchpoint(tp *v1alpha1.Touchpoint, program *v1alpha1.SurveyProgram) {
	if tp.Namespace != program.Namespace || tp.Spec.ProgramRef.Name != program.Name || isReserved(tp.Name) {
		return
	}
	if served := ServedQuestions(tp, program); len(served) > 0 {
		s.Touchpoints[tp.Name] = Touchpoint{DisplayName: tp.Spec.DisplayName, Questions: served}
	}
}

func (s *Survey) addUnit(team *v1alpha1.Team, program *v1alpha1.SurveyProgram) {
	if team.Namespace != program.Namespace {
		return
	}
	s.Units[team.Name] = team.Spec.DisplayName
	if owner := program.Spec.OwnerRef; owner != nil && owner.Name == team.Name {
		s.Asker = team.Spec.DisplayName
	}
}

func compileQuestion(q v1alpha1.Question) (Question, error) {
	out := Question{
		Name:     q.Name,
		Type:     string(q.Type),
		Revision: max(1, q.Revision),
		Text:     texts(q.Text),
		Required: q.Requirement == v1alpha1.RequirementRequired,
	}
	out.Scale, _ = ScaleOf(q)
	for _, c := range q.Choices {
		out.Choices = append(out.Choices, Choice{Name: c.Name, Label: texts(c.Label)})
	}
	if q.Type == v1alpha1.QuestionText {
		out.MaxLength = int32(or(q.MaxLength, defaultTextMaxLength))
	}
	if q.ShowWhen == "" {
		return out, nil
	}
	condition, err := ParseCondition(q.ShowWhen)
	out.ShowWhen = condition
	return out, err
}

// texts returns a text under canonical language tags; checkText has found them valid and distinct.
func texts(text v1alpha1.LocalizedText) Texts {
	if len(text) == 0 {
		return nil
	}
	out := make(Texts, len(text))
	for tag, t := range text {
		out[canonical(tag)] = string(t)
	}
	return out
}

// canonical returns the canonical form of a tag that checkSurvey has found valid.
func canonical(tag string) string {
	c, err := parseLanguage(tag)
	if err != nil {
		return tag
	}
	return c
}

// languages returns the title's languages, the default first and the others in alphabetical order.
func languages(title Texts, first string) []string {
	var others []string
	for tag := range title {
		if tag != first {
			others = append(others, tag)
		}
	}
	slices.Sort(others)
	return append([]string{first}, others...)
}

// digest returns the SHA-256 of everything but the Hash, in hexadecimal. JSON writes maps in the order of their keys.
func (s *Survey) digest() string {
	plain := *s
	plain.Hash = ""
	body, err := json.Marshal(plain)
	if err != nil {
		panic("survey: strings, numbers and maps of them cannot fail to be written as JSON: " + err.Error())
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Page returns the questions that a touchpoint's page asks, in the survey's order. The touchpoint "" asks all. It is
// false where the survey has no such touchpoint.
func (s *Survey) Page(touchpoint string) (questions []Question, ok bool) {
	served, ok := s.served(touchpoint)
	if served.all {
		return s.Questions, true
	}
	if !ok {
		return nil, false
	}
	questions = make([]Question, 0, len(served.names))
	for i := range s.Questions {
		if served.has(s.Questions[i].Name) {
			questions = append(questions, s.Questions[i])
		}
	}
	return questions, true
}

// served are the questions that a page asks: all, or those of the names.
type served struct {
	all   bool
	names []string
}

func (p served) has(question string) bool { return p.all || slices.Contains(p.names, question) }

// served returns what a touchpoint's page asks; false where the survey has no such touchpoint.
func (s *Survey) served(touchpoint string) (served, bool) {
	if touchpoint == "" {
		return served{all: true}, true
	}
	tp, ok := s.Touchpoints[touchpoint]
	return served{names: tp.Questions}, ok
}
