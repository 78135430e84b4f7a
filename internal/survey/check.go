package survey

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
)

// maxLanguageLength is the length of the longest language tag that is looked at, in bytes. RFC 5646, section 4.4.1, asks
// for room for 35 characters.
const maxLanguageLength = 35

// CheckProgram returns what is wrong with a program beyond what admission refuses: language tags, the time zone, and
// objectives that do not fit their question. The program is one with the API's defaults filled in.
func CheckProgram(program *v1alpha1.SurveyProgram) []Problem {
	var problems []Problem
	if err := checkTimeZone(program.Spec.TimeZone); err != nil {
		problems = append(problems, Problem{v1alpha1.ReasonInvalidSpec, "spec.timeZone", err.Error()})
	}
	problems = append(problems, checkSurvey(&program.Spec.Survey)...)
	for i, o := range program.Spec.Objectives {
		problems = append(problems, checkObjective(objectiveField(i), o, program)...)
	}
	return problems
}

// CheckTouchpoint returns what is wrong with a touchpoint in the light of its program: questions that the program does
// not have (QuestionNotFound), objectives that do not fit their question or that the page does not ask for
// (ObjectiveInvalid).
func CheckTouchpoint(tp *v1alpha1.Touchpoint, program *v1alpha1.SurveyProgram) []Problem {
	var problems []Problem
	for i, name := range tp.Spec.Questions {
		if _, ok := question(program, name); !ok {
			problems = append(problems, questionNotFound(fmt.Sprintf("spec.questions[%d]", i), name, program))
		}
	}
	problems = append(problems, checkReserved(tp)...)
	served := ServedQuestions(tp, program)
	problems = append(problems, checkReachable(tp, served, program)...)
	for i, o := range tp.Spec.Objectives {
		field := objectiveField(i)
		problems = append(problems, checkObjective(field, o, program)...)
		if _, ok := question(program, o.Question); ok && !slices.Contains(served, o.Question) {
			problems = append(problems, Problem{v1alpha1.ReasonObjectiveInvalid, field + ".question",
				fmt.Sprintf("question %q is not asked at this touchpoint: add it to spec.questions", o.Question)})
		}
	}
	return problems
}

// The last parts of addresses at which no touchpoint's page can be.
const (
	// ErasePage is where answers are erased.
	ErasePage = "erase"
	// VisitsPage is where pages tell that somebody has begun to fill them in.
	VisitsPage = "visits"
)

// isReserved says whether a touchpoint's name is the address of something else.
func isReserved(name string) bool { return name == ErasePage || name == VisitsPage }

func checkReserved(tp *v1alpha1.Touchpoint) []Problem {
	if !isReserved(tp.Name) {
		return nil
	}
	return []Problem{{v1alpha1.ReasonInvalidSpec, "metadata.name",
		fmt.Sprintf("a touchpoint cannot be named %q: that address has another use", tp.Name)}}
}

// checkReachable refuses a page with a question that it can never ask, since the questions that its showWhen depends on
// are not asked there.
func checkReachable(tp *v1alpha1.Touchpoint, served []string, program *v1alpha1.SurveyProgram) []Problem {
	var problems []Problem
	for _, name := range served {
		q, _ := question(program, name)
		if q.ShowWhen == "" {
			continue
		}
		condition, err := ParseCondition(q.ShowWhen)
		if err != nil || slices.ContainsFunc(condition.Refers(), func(n string) bool { return slices.Contains(served, n) }) {
			continue
		}
		if !condition.Holds(nil) {
			field := "spec.questions"
			if i := slices.Index(tp.Spec.Questions, name); i >= 0 {
				field = fmt.Sprintf("%s[%d]", field, i)
			}
			problems = append(problems, Problem{v1alpha1.ReasonInvalidSpec, field,
				fmt.Sprintf("question %q is never asked here: its showWhen depends on %s, which this touchpoint does not ask", name, list(condition.Refers()))})
		}
	}
	return problems
}

// ServedQuestions returns the names of the questions that a touchpoint's page serves, in the survey's order: those that
// it names; if it names none, those of its objectives; with neither, all. Questions that the program does not have are
// left out.
func ServedQuestions(tp *v1alpha1.Touchpoint, program *v1alpha1.SurveyProgram) []string {
	wanted := slices.Clone(tp.Spec.Questions)
	if len(wanted) == 0 {
		for _, o := range tp.Spec.Objectives {
			wanted = append(wanted, o.Question)
		}
	}
	var served []string
	for _, q := range program.Spec.Survey.Questions {
		if len(wanted) == 0 || slices.Contains(wanted, q.Name) {
			served = append(served, q.Name)
		}
	}
	return served
}

func objectiveField(i int) string { return fmt.Sprintf("spec.objectives[%d]", i) }

func checkObjective(field string, o v1alpha1.Objective, program *v1alpha1.SurveyProgram) []Problem {
	q, ok := question(program, o.Question)
	if !ok {
		return []Problem{questionNotFound(field+".question", o.Question, program)}
	}
	if _, err := Definition(o, q, program.Spec.Evidence); err != nil {
		return []Problem{objectiveInvalid(field, err)}
	}
	scale, _ := ScaleOf(q)
	if err := checkTarget(o, scale); err != nil {
		return []Problem{objectiveInvalid(field, err)}
	}
	return nil
}

// objectiveInvalid turns an error that begins with the name of an objective's field into a problem of that field.
func objectiveInvalid(field string, err error) Problem {
	name, message, _ := strings.Cut(err.Error(), ": ")
	return Problem{v1alpha1.ReasonObjectiveInvalid, field + "." + name, message}
}

func questionNotFound(field, name string, program *v1alpha1.SurveyProgram) Problem {
	var names []string
	for _, q := range program.Spec.Survey.Questions {
		names = append(names, q.Name)
	}
	return Problem{v1alpha1.ReasonQuestionNotFound, field,
		fmt.Sprintf("SurveyProgram %q has no question %q, it has %s", program.Name, name, list(names))}
}

func question(program *v1alpha1.SurveyProgram, name string) (v1alpha1.Question, bool) {
	for _, q := range program.Spec.Survey.Questions {
		if q.Name == name {
			return q, true
		}
	}
	return v1alpha1.Question{}, false
}

// checkTimeZone refuses "Local" too: it would be another zone on each machine.
func checkTimeZone(name string) error {
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		return fmt.Errorf("%q is not a time zone, write an IANA name such as UTC or America/Los_Angeles", name)
	}
	return nil
}

// checkSurvey returns what keeps a survey from being compiled.
func checkSurvey(s *v1alpha1.Survey) []Problem {
	var problems []Problem
	check := func(field string, text v1alpha1.LocalizedText) {
		problems = append(problems, checkText(field, text, s.DefaultLanguage)...)
	}
	if _, err := parseLanguage(s.DefaultLanguage); err != nil {
		return []Problem{{v1alpha1.ReasonInvalidSpec, "spec.survey.defaultLanguage", err.Error()}}
	}
	check("spec.survey.title", s.Title)
	if len(s.PrivacyNotice) > 0 {
		check("spec.survey.privacyNotice", s.PrivacyNotice)
	}
	if len(s.ThankYou) > 0 {
		check("spec.survey.thankYou", s.ThankYou)
	}
	if s.Contact != nil && len(s.Contact.Text) > 0 {
		check("spec.survey.contact.text", s.Contact.Text)
	}
	if s.Contact != nil && len(s.Contact.Consent) > 0 {
		check("spec.survey.contact.consent", s.Contact.Consent)
	}
	for i, step := range s.Steps {
		if len(step.Title) > 0 {
			check(fmt.Sprintf("spec.survey.steps[%d].title", i), step.Title)
		}
	}
	for i, f := range s.Feedback {
		if len(f.Title) > 0 {
			check(fmt.Sprintf("spec.survey.feedback[%d].title", i), f.Title)
		}
	}
	for i, q := range s.Questions {
		field := fmt.Sprintf("spec.survey.questions[%d]", i)
		check(field+".text", q.Text)
		for j, c := range q.Choices {
			check(fmt.Sprintf("%s.choices[%d].label", field, j), c.Label)
		}
	}
	problems = append(problems, checkConditions(s.Questions)...)
	problems = append(problems, checkSteps(s)...)
	problems = append(problems, checkFeedback(s)...)
	return append(problems, checkBranding(s.Branding)...)
}

// checkSteps refuses steps that would ask in another order than the survey's: conditions look back.
func checkSteps(s *v1alpha1.Survey) []Problem {
	var asked []string
	for _, step := range s.Steps {
		asked = append(asked, step.Questions...)
	}
	for i, name := range asked {
		if i < len(s.Questions) && s.Questions[i].Name != name {
			return []Problem{{v1alpha1.ReasonInvalidSpec, "spec.survey.steps",
				fmt.Sprintf("steps must name the questions in the survey's order: %q stands where %q is due", name, s.Questions[i].Name)}}
		}
	}
	return nil
}

// checkText refuses keys that are no language tags, and two spellings of one language.
func checkText(field string, text v1alpha1.LocalizedText, defaultLanguage string) []Problem {
	var problems []Problem
	refuse := func(format string, args ...any) {
		problems = append(problems, Problem{v1alpha1.ReasonInvalidSpec, field, fmt.Sprintf(format, args...)})
	}
	spelled := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(text)) {
		tag, err := parseLanguage(key)
		if err != nil {
			refuse("%v", err)
			continue
		}
		if other, ok := spelled[tag]; ok {
			refuse("%q and %q are the same language, keep one", other, key)
		}
		spelled[tag] = key
	}
	if _, ok := text[defaultLanguage]; !ok {
		refuse("a text in the default language %q is required", defaultLanguage)
	}
	return problems
}

// parseLanguage returns the canonical form of a BCP 47 language tag.
func parseLanguage(s string) (string, error) {
	if len(s) <= maxLanguageLength {
		if tag, err := language.Parse(s); err == nil {
			return tag.String(), nil
		}
	} else {
		s = s[:maxLanguageLength] + "..."
	}
	return "", fmt.Errorf("%q is not a language tag, write a BCP 47 tag such as en, es or pt-BR", s)
}

// list writes names for a message, in the given order and at most 20 of them.
func list[S ~string](names []S) string {
	const most = 20
	var b strings.Builder
	for i, n := range names {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(names)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(n))
	}
	return b.String()
}
