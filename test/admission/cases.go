package admission

import (
	"fmt"
	"strings"
)

// Case is a manifest that must be refused: Base with Old replaced by New.
type Case struct {
	Name string
	// Base is the valid manifest; Old stands in it exactly once.
	Base, Old, New string
	// Want are parts of the refusal: the field, and what is allowed.
	Want []string
}

// Manifest returns the changed manifest.
func (c Case) Manifest() string { return replaceOnce(c.Name, c.Base, c.Old, c.New) }

// Update is a change of an object that is refused, or taken if Want is empty.
type Update struct {
	Name string
	// Base is the object before; Old, which stands in it exactly once, becomes New.
	Base, Old, New string
	// Want are parts of the refusal.
	Want []string
}

// After returns the changed manifest.
func (u Update) After() string { return replaceOnce(u.Name, u.Base, u.Old, u.New) }

// replaceOnce panics on a case that does not change what it says, which would test nothing.
func replaceOnce(name, base, before, after string) string {
	if n := strings.Count(base, before); n != 1 {
		panic(fmt.Sprintf("case %q: %q stands %d times in its base", name, before, n))
	}
	return strings.Replace(base, before, after, 1)
}

// Refused are manifests that must be refused when they are created.
func Refused() []Case {
	var all []Case
	for _, cases := range [][]Case{teams(), stores(), volumes(), programs(), endpoints(), surveys(), questionnaires(), touchpoints(), objectives(), plans(), policies(), reviews(), channels(), costs()} {
		all = append(all, cases...)
	}
	return all
}

const (
	name52 = "metadata.name must be at most 52 lower-case letters, digits and '-'"
	name63 = "metadata.name must be at most 63 lower-case letters, digits and '-'"
)

func long(n int) string { return strings.Repeat("a", n) }

func teams() []Case {
	return []Case{
		{"team is its own parent", Team, "parentRef: {name: airport}", "parentRef: {name: concessions}",
			[]string{"spec.parentRef.name must not be the team itself"}},
		{"company has a parent", Team, "level: Department", "level: Company",
			[]string{"spec.parentRef", "a team of level Company has no parentRef"}},
		{"unknown level", Team, "level: Department", "level: Division",
			[]string{"spec.level", `"Company", "Department", "Location", "Person"`}},
		{"unknown function", Team, "function: Operations", "function: Catering", []string{"spec.function", `"Operations"`}},
		{"no display name", Team, "displayName: Food and retail concessions", "displayName: \"\"",
			[]string{"spec.displayName", "at least 1 chars long"}},
		{"display name is missing", Team, "  displayName: Food and retail concessions\n", "", []string{"spec.displayName", "Required value"}},
		{"display name is too long", Team, "Food and retail concessions", long(121), []string{"spec.displayName", "120"}},
		{"lead is no person", Team, "lead: {displayName: Head of Concessions}", "lead: Head of Concessions",
			[]string{"spec.lead", "must be of type object"}},
		{"unknown field", Team, "function: Operations", "funktion: Operations", []string{"spec.funktion", "unknown field"}},
		{"team name is too long", Team, "{name: concessions}", "{name: " + long(64) + "}", []string{name63}},
		{"team name with a dot", Team, "{name: concessions}", "{name: food.retail}", []string{name63}},
		{"parent of another namespace", Team, "{name: airport}", "{name: sfo/airport}", []string{"spec.parentRef.name", "should match"}},
	}
}

func stores() []Case {
	const engines = "exactly one of sqlite and postgres must be set"
	const postgres = "postgres: {connectionSecretRef: {name: responses-db, key: uri}}"
	return []Case{
		{"sqlite and postgres", ResponseStore, "sqlite: {}", "sqlite: {}\n  " + postgres, []string{"spec", engines}},
		{"neither sqlite nor postgres", ResponseStore, "spec:\n  sqlite: {}\n", "spec: {}\n", []string{"spec", engines}},
		{"postgres without a secret", ResponseStore, "sqlite: {}", "postgres: {}",
			[]string{"spec.postgres.connectionSecretRef", "Required value"}},
		{"postgres without a key", ResponseStore, "sqlite: {}", "postgres: {connectionSecretRef: {name: responses-db}}",
			[]string{"spec.postgres.connectionSecretRef.key", "Required value"}},
		{"sqlite with a path", ResponseStore, "sqlite: {}", "sqlite: {path: /tmp/x}", []string{"spec.sqlite.path", "unknown field"}},
		{"no spec", ResponseStore, "spec:\n  sqlite: {}\n", "", []string{"spec", "Required value"}},
		{"store name is too long", ResponseStore, "{name: responses}", "{name: " + long(53) + "}", []string{name52}},
	}
}

func programs() []Case {
	return []Case{
		{"program name is too long", SurveyProgram, "metadata: {name: passenger-experience}",
			"metadata: {name: " + long(53) + "}", []string{name52}},
		{"program name with a dot", SurveyProgram, "metadata: {name: passenger-experience}",
			"metadata: {name: passenger.experience}", []string{name52}},
		{"no purpose", SurveyProgram, "  purpose: Know whether we keep our promise.\n", "", []string{"spec.purpose", "Required value"}},
		{"no store", SurveyProgram, "  storeRef: {name: responses}\n", "", []string{"spec.storeRef", "Required value"}},
		{"time zone is no name", SurveyProgram, "timeZone: America/Los_Angeles", "timeZone: UTC+2 hours",
			[]string{"spec.timeZone", "should match"}},
		{"unknown access mode", SurveyProgram, "  survey:\n", "  access: {mode: Closed}\n  survey:\n",
			[]string{"spec.access.mode", `"Open", "Signed"`}},
		{"links that are good for no day", SurveyProgram, "  survey:\n", "  access: {invitations: {validDays: 0}}\n  survey:\n",
			[]string{"spec.access.invitations.validDays", "greater than or equal to 1"}},
		{"links that are good for more than a year", SurveyProgram, "  survey:\n", "  access: {invitations: {validDays: 366}}\n  survey:\n",
			[]string{"spec.access.invitations.validDays", "less than or equal to 365"}},
		{"cooldown below 0", SurveyProgram, "  survey:\n",
			"  access: {invitations: {cooldown: {program: {afterInvitationDays: -1}}}}\n  survey:\n",
			[]string{"spec.access.invitations.cooldown.program.afterInvitationDays", "greater than or equal to 0"}},
		{"cooldown of more than a year", SurveyProgram, "  survey:\n",
			"  access: {invitations: {cooldown: {program: {afterAnswerDays: 366}}}}\n  survey:\n",
			[]string{"spec.access.invitations.cooldown.program.afterAnswerDays", "less than or equal to 365"}},
		{"cooldown of the namespace below 0", SurveyProgram, "  survey:\n",
			"  access: {invitations: {cooldown: {namespace: {afterAnswerDays: -1}}}}\n  survey:\n",
			[]string{"spec.access.invitations.cooldown.namespace.afterAnswerDays", "greater than or equal to 0"}},
		{"cooldown of the namespace of more than a year", SurveyProgram, "  survey:\n",
			"  access: {invitations: {cooldown: {namespace: {afterInvitationDays: 366}}}}\n  survey:\n",
			[]string{"spec.access.invitations.cooldown.namespace.afterInvitationDays", "less than or equal to 365"}},
		{"cooldown of no known scope", SurveyProgram, "  survey:\n",
			"  access: {invitations: {cooldown: {cluster: {afterAnswerDays: 1}}}}\n  survey:\n",
			[]string{"spec.access.invitations.cooldown.cluster", "unknown field"}},
		{"a page that takes less than no time", SurveyProgram, "  survey:\n", "  access: {robots: {minimumSeconds: -1}}\n  survey:\n",
			[]string{"spec.access.robots.minimumSeconds", "greater than or equal to 0"}},
		{"a page that takes more than ten minutes", SurveyProgram, "  survey:\n", "  access: {robots: {minimumSeconds: 601}}\n  survey:\n",
			[]string{"spec.access.robots.minimumSeconds", "less than or equal to 600"}},
		{"proof of too little work", SurveyProgram, "  survey:\n", "  access: {robots: {proofOfWorkBits: 5}}\n  survey:\n",
			[]string{"spec.access.robots.proofOfWorkBits", "proofOfWorkBits must be 0 or 8 to 22: fewer bits are no work"}},
		{"proof of too much work", SurveyProgram, "  survey:\n", "  access: {robots: {proofOfWorkBits: 23}}\n  survey:\n",
			[]string{"spec.access.robots.proofOfWorkBits", "less than or equal to 22"}},
		{"proof of less than no work", SurveyProgram, "  survey:\n", "  access: {robots: {proofOfWorkBits: -1}}\n  survey:\n",
			[]string{"spec.access.robots.proofOfWorkBits", "greater than or equal to 0"}},
		{"unknown endpoint mode", SurveyProgram, "  survey:\n", "  endpoint: {mode: Shared}\n  survey:\n",
			[]string{"spec.endpoint.mode", `"Embedded", "Dedicated"`}},
		{"evidence below the privacy floor", SurveyProgram, "minimumResponses: 30", "minimumResponses: 9",
			[]string{"spec.evidence", "evidence.minimumResponses must be at least privacy.minimumCell"}},
		{"too little evidence", SurveyProgram, "minimumResponses: 30", "minimumResponses: 4",
			[]string{"spec.evidence.minimumResponses", "greater than or equal to 5"}},
		{"confidence is too high", SurveyProgram, "minimumResponses: 30", "confidencePercent: 100",
			[]string{"spec.evidence.confidencePercent", "less than or equal to 99"}},
		{"privacy floor is too low", SurveyProgram, "minimumCell: 10", "minimumCell: 4",
			[]string{"spec.privacy.minimumCell", "greater than or equal to 5"}},
		{"unknown release", SurveyProgram, "minimumCell: 10", "release: Never", []string{"spec.privacy.release", `"Guarded", "Immediate"`}},
		{"no retention", SurveyProgram, "minimumCell: 10", "retentionDays: 0",
			[]string{"spec.privacy.retentionDays", "greater than or equal to 1"}},
		{"objective on an unknown question", SurveyProgram, "{name: nps, question: recommend,", "{name: nps, question: recomend,",
			[]string{"spec.objectives", "every objective's question must be one of survey.questions"}},
		{"NPS on a 1-5 question", SurveyProgram, "question: recommend, metric: NPS", "question: food, metric: NPS",
			[]string{"spec.objectives", "an objective's metric must fit its question's type"}},
		{"CSAT on an NPS question", SurveyProgram, "question: recommend, metric: NPS", "question: recommend, metric: CSAT",
			[]string{"spec.objectives", "an objective's metric must fit its question's type"}},
		{"CES on a rating", SurveyProgram, "question: effort, metric: CESMean", "question: stars, metric: CESMean",
			[]string{"spec.objectives", "an objective's metric must fit its question's type"}},
		{"a mean of choices", SurveyProgram, "question: food, metric: Mean", "question: reason, metric: Mean",
			[]string{"spec.objectives", "an objective's metric must fit its question's type"}},
		{"two objectives of one name", SurveyProgram, "{name: food, question: food,", "{name: nps, question: food,",
			[]string{"spec.objectives[1]", "Duplicate value", "nps"}},
	}
}

func surveys() []Case {
	const choices = "choices are required for SingleChoice and MultipleChoice questions, and for these only"
	return []Case{
		{"two questions of one name", SurveyProgram, "- name: food\n", "- name: recommend\n",
			[]string{"spec.survey.questions[1]", "Duplicate value", "recommend"}},
		{"no questions", withoutQuestions(), "questions: [QUESTIONS]", "questions: []",
			[]string{"spec.survey.questions", "at least 1 items"}},
		{"title without the default language", SurveyProgram, "title: {en: How was your time at the airport, es:", "title: {es:",
			[]string{"spec.survey.title", "title must have a text in defaultLanguage"}},
		{"privacy notice without the default language", SurveyProgram, "privacyNotice: {en:", "privacyNotice: {es:",
			[]string{"spec.survey.privacyNotice", "privacyNotice must have a text in defaultLanguage"}},
		{"question without the default language", SurveyProgram, "text: {en: How many stars}", "text: {es: Cuántas estrellas}",
			[]string{"spec.survey.questions", "every question must have a text in defaultLanguage"}},
		{"choice without the default language", SurveyProgram, "label: {en: Leisure}", "label: {es: Ocio}",
			[]string{"spec.survey.questions", "every choice must have a label in defaultLanguage"}},
		{"default language is a name", SurveyProgram, "defaultLanguage: en", "defaultLanguage: English",
			[]string{"spec.survey.defaultLanguage", "should match"}},
		{"empty text", SurveyProgram, "text: {en: Restaurants, es: Restaurantes}", `text: {en: ""}`,
			[]string{"spec.survey.questions[1].text.en", "at least 1 chars long"}},
		{"no text at all", SurveyProgram, "text: {en: Restaurants, es: Restaurantes}", "text: {}",
			[]string{"spec.survey.questions[1].text", "at least 1 properties"}},
		{"unknown type of question", SurveyProgram, "type: CES\n", "type: Slider\n", []string{"spec.survey.questions[2].type", `"Rating"`}},
		{"choice question without choices", SurveyProgram,
			"      choices:\n      - {name: lounge, label: {en: Lounge}}\n      - {name: wifi, label: {en: WiFi}}\n", "",
			[]string{"spec.survey.questions[5].choices", choices}},
		{"choice question with empty choices", SurveyProgram,
			"      choices:\n      - {name: lounge, label: {en: Lounge}}\n      - {name: wifi, label: {en: WiFi}}\n", "      choices: []\n",
			[]string{"spec.survey.questions[5].choices", choices}},
		{"choices on a text question", SurveyProgram, "type: Text\n", "type: Text\n      choices: [{name: a, label: {en: A}}]\n",
			[]string{"spec.survey.questions[6].choices", choices}},
		{"two choices of one name", SurveyProgram, "{name: wifi, label: {en: WiFi}}", "{name: lounge, label: {en: WiFi}}",
			[]string{"spec.survey.questions[5].choices[1]", "Duplicate value", "lounge"}},
		{"bounds on an NPS question", SurveyProgram, "type: NPS\n", "type: NPS\n      maximum: 10\n",
			[]string{"spec.survey.questions[0].minimum", "minimum and maximum are for Rating questions only"}},
		{"rating is too wide", SurveyProgram, "maximum: 10", "maximum: 11",
			[]string{"spec.survey.questions[3].maximum", "less than or equal to 10"}},
		{"rating below its minimum", SurveyProgram, "maximum: 10", "maximum: 1",
			[]string{"spec.survey.questions[3].maximum", "minimum (default 1) must be below maximum (default 5)"}},
		{"length of a scale", SurveyProgram, "type: CES\n", "type: CES\n      maxLength: 10\n",
			[]string{"spec.survey.questions[2].maxLength", "maxLength is for Text questions only"}},
		{"text is too long", SurveyProgram, "maxLength: 500", "maxLength: 4001",
			[]string{"spec.survey.questions[6].maxLength", "less than or equal to 4000"}},
		{"revision 0", SurveyProgram, "revision: 2", "revision: 0",
			[]string{"spec.survey.questions[1].revision", "greater than or equal to 1"}},
		{"required is no boolean", SurveyProgram, "requirement: Required", "requirement: true",
			[]string{"spec.survey.questions[0].requirement", "must be of type string"}},
		{"name of a question with capitals", SurveyProgram, "- name: effort\n", "- name: Effort\n",
			[]string{"spec.survey.questions[2].name", "should match"}},
	}
}

// withoutQuestions returns a program whose questions stand as "questions: [QUESTIONS]", to be replaced as a whole.
func withoutQuestions() string {
	before, rest, _ := strings.Cut(SurveyProgram, "    questions:\n")
	_, after, _ := strings.Cut(rest, "  evidence:\n")
	after, _, _ = strings.Cut(after, "  objectives:\n")
	return before + "    questions: [QUESTIONS]\n  evidence:\n" + after
}

func questionnaires() []Case {
	const (
		steps    = "spec.survey.steps"
		feedback = "spec.survey.feedback"
		branding = "spec.survey.branding"
	)
	return []Case{
		{"thanks without the default language", Questionnaire, "thankYou: {en:", "thankYou: {es:",
			[]string{"spec.survey.thankYou", "thankYou must have a text in defaultLanguage"}},
		{"step without the default language", Questionnaire, "title: {en: The rest}", "title: {es: El resto}",
			[]string{steps, "every step's title must have a text in defaultLanguage"}},
		{"question in no step", Questionnaire, "questions: [recommend, why]", "questions: [recommend]",
			[]string{steps, "every question must belong to exactly one step"}},
		{"question in two steps", Questionnaire, "questions: [stars]", "questions: [why, stars]",
			[]string{steps, "every question must belong to exactly one step"}},
		{"step with an unknown question", Questionnaire, "questions: [stars]", "questions: [stars, planets]",
			[]string{steps, "every question of a step must be one of questions"}},
		{"step without questions", Questionnaire, "questions: [stars]", "questions: []", []string{steps + "[1].questions", "at least 1 items"}},
		{"step without a name", Questionnaire, "{name: last, ", "{name: The last, ", []string{steps + "[1].name", "should match"}},
		{"feedback without the default language", Questionnaire, "title: {en: Your total}", "title: {es: Su total}",
			[]string{feedback, "the title of every feedback must have a text in defaultLanguage"}},
		{"feedback on a text", Questionnaire, "questions: [recommend, stars]", "questions: [recommend, why]",
			[]string{feedback, "every question of feedback must be one of questions, of type NPS, CSAT, CES or Rating"}},
		{"feedback on an unknown question", Questionnaire, "questions: [recommend, stars]", "questions: [planets]",
			[]string{feedback, "every question of feedback must be one of questions"}},
		{"unknown feedback", Questionnaire, "metric: Sum", "metric: Rank", []string{feedback + "[0].metric", `"Mean", "Sum"`}},
		{"condition is too long", Questionnaire, "showWhen: answers.recommend <= 6", "showWhen: answers.recommend <= 6 || '" + long(500) + "' == ''",
			[]string{"spec.survey.questions[1].showWhen", "500"}},
		{"logo with scripts", Questionnaire, "data:image/png;", "data:image/svg+xml;", []string{branding + ".logo", "should match"}},
		{"logo elsewhere", Questionnaire, "data:image/png;base64,iVBORw0KGgo=", "https://example.org/logo.png", []string{branding + ".logo", "should match"}},
		{"logo is too large", Questionnaire, "iVBORw0KGgo=", "iVBORw0KGgo" + long(6000), []string{branding + ".logo", "6000"}},
		{"accent by name", Questionnaire, `accentColor: "#ffd166"`, "accentColor: yellow1", []string{branding + ".dark.accentColor", "should match"}},
		{"background is too short", Questionnaire, `backgroundColor: "#fff8f0"`, `backgroundColor: "#fff"`, []string{branding + ".light.backgroundColor", "at least 7"}},
		{"text colour with alpha", Questionnaire, `textColor: "#201020"`, `textColor: "#20102080"`, []string{branding + ".light.textColor", "7"}},
		{"every page may be the frame", Questionnaire, `["https://www.example.org",`, `["*",`, []string{"spec.endpoint.frameAncestors[0]", "should match"}},
		{"frame with a path", Questionnaire, "https://www.example.org", "https://www.example.org/page", []string{"spec.endpoint.frameAncestors[0]", "should match"}},
		{"frame that is another policy", Questionnaire, "https://www.example.org", "https://a.example; script-src *",
			[]string{"spec.endpoint.frameAncestors[0]", "should match"}},
	}
}

func touchpoints() []Case {
	return []Case{
		{"touchpoint name is too long", Touchpoint, "metadata: {name: food}", "metadata: {name: " + long(64) + "}", []string{name63}},
		{"handoff to itself", Touchpoint, "toRef: {name: gate}", "toRef: {name: food}",
			[]string{"spec.handoff.toRef.name must not be the touchpoint itself"}},
		{"no program", Touchpoint, "  programRef: {name: passenger-experience}\n", "", []string{"spec.programRef", "Required value"}},
		{"unknown stage", Touchpoint, "stage: During", "stage: Meanwhile", []string{"spec.stage", `"Before", "During", "After"`}},
		{"unknown importance", Touchpoint, "importance: Critical", "importance: High", []string{"spec.importance", `"Critical", "Standard"`}},
		{"unknown channel", Touchpoint, "channel: OnSite", "channel: Fax", []string{"spec.channel", `"OnSite"`}},
		{"one question twice", Touchpoint, "questions: [food, comment]", "questions: [food, food]",
			[]string{"spec.questions[1]", "Duplicate value"}},
		{"one supporting team twice", Touchpoint, "[{name: airport}]", "[{name: airport}, {name: airport}]",
			[]string{"spec.supportingTeamRefs[1]", "Duplicate value"}},
		{"two objectives of one name at a touchpoint", Touchpoint, "    windowDays: 90\n",
			"    windowDays: 90\n  - {name: satisfaction, question: food, metric: Mean, target: 4}\n",
			[]string{"spec.objectives[1]", "Duplicate value", "satisfaction"}},
		{"unknown plan mode", Touchpoint, "mode: Create", "mode: Always", []string{"spec.onMissed.actionPlan.mode", `"Create", "None"`}},
		{"no time to acknowledge", Touchpoint, "acknowledgeWithinHours: 48", "acknowledgeWithinHours: 0",
			[]string{"spec.onMissed.actionPlan.acknowledgeWithinHours", "greater than or equal to 1"}},
		{"plan is due after years", Touchpoint, "dueWithinDays: 30", "dueWithinDays: 367",
			[]string{"spec.onMissed.actionPlan.dueWithinDays", "less than or equal to 366"}},
		{"plan may be missing for long", Touchpoint, "missingAfterHours: 24", "missingAfterHours: 721",
			[]string{"spec.onMissed.actionPlan.missingAfterHours", "less than or equal to 720"}},
		{"duration with a unit", Touchpoint, "dueWithinDays: 30", "dueWithinDays: 30d",
			[]string{"spec.onMissed.actionPlan.dueWithinDays", "must be of type integer"}},
	}
}

func objectives() []Case {
	const (
		target      = "spec.objectives[0].target"
		percent     = "target of metrics CSAT and CESTopBox must be from 0 to 100 (percent)"
		csat        = "metric: CSAT\n    target: 65"
		programNPS  = "metric: NPS, target: 35"
		programNet  = "metric: CESNet, target: -20"
		programEasy = "metric: CESTopBox, target: 70"
		programEase = `metric: CESMean, target: "5.5"`
	)
	return []Case{
		{"NPS target above 100", SurveyProgram, programNPS, "metric: NPS, target: 101",
			[]string{target, "target of metric NPS must be from -100 to 100"}},
		{"NPS target below -100", SurveyProgram, programNPS, `metric: NPS, target: "-100.5"`,
			[]string{target, "target of metric NPS must be from -100 to 100"}},
		{"CSAT target above 100", Touchpoint, csat, "metric: CSAT\n    target: 101", []string{target, percent}},
		{"CSAT target below 0", Touchpoint, csat, "metric: CSAT\n    target: -1", []string{target, percent}},
		{"CESTopBox target above 100", SurveyProgram, programEasy, `metric: CESTopBox, target: "100.01"`,
			[]string{"spec.objectives[4].target", percent}},
		{"CESNet target below -100", SurveyProgram, programNet, "metric: CESNet, target: -101",
			[]string{"spec.objectives[5].target", "target of metric CESNet must be from -100 to 100"}},
		{"CESMean target above 7", SurveyProgram, programEase, `metric: CESMean, target: "7.1"`,
			[]string{"spec.objectives[3].target", "target of metric CESMean must be from 1 to 7"}},
		{"target is a YAML float", Touchpoint, "target: 65", "target: 62.5", []string{target, "integer,string"}},
		{"target with three decimals", Touchpoint, "target: 65", `target: "62.555"`, []string{target, "should match"}},
		{"target is a word", Touchpoint, "target: 65", "target: high", []string{target, "should match"}},
		{"target in percent", Touchpoint, "target: 65", "target: 65%", []string{target, "should match"}},
		{"no target", Touchpoint, "    target: 65\n", "", []string{target, "Required value"}},
		{"unknown metric", Touchpoint, "metric: CSAT", "metric: Stars", []string{"spec.objectives[0].metric", `"CSAT"`}},
		{"window of 0 days", Touchpoint, "windowDays: 90", "windowDays: 0",
			[]string{"spec.objectives[0].windowDays", "greater than or equal to 1"}},
		{"window of more than 400 days", Touchpoint, "windowDays: 90", "windowDays: 401",
			[]string{"spec.objectives[0].windowDays", "less than or equal to 400"}},
		{"satisfied values of a mean", Touchpoint, csat, "metric: Mean\n    satisfiedValues: [5]\n    target: 4",
			[]string{"spec.objectives[0].satisfiedValues", "satisfiedValues is for metric CSAT only"}},
		{"one satisfied value twice", Touchpoint, "target: 65", "target: 65\n    satisfiedValues: [5, 5]",
			[]string{"spec.objectives[0].satisfiedValues[1]", "Duplicate value"}},
		{"satisfied value above every scale", Touchpoint, "target: 65", "target: 65\n    satisfiedValues: [11]",
			[]string{"spec.objectives[0].satisfiedValues[0]", "less than or equal to 10"}},
		{"name of an objective with a blank", Touchpoint, "name: satisfaction", "name: how satisfied",
			[]string{"spec.objectives[0].name", "should match"}},
	}
}

func plans() []Case {
	const references = "exactly one of touchpointRef and programRef must be set"
	return []Case{
		{"both references", ActionPlan, "touchpointRef: {name: food}",
			"touchpointRef: {name: food}\n  programRef: {name: passenger-experience}", []string{"spec", references}},
		{"no reference", ActionPlan, "  touchpointRef: {name: food}\n", "", []string{"spec", references}},
		{"due date is no date", ActionPlan, `dueDate: "2026-12-31"`, `dueDate: "2026-02-30"`, []string{"spec.dueDate", "must be of type date"}},
		{"due date is a word", ActionPlan, `dueDate: "2026-12-31"`, "dueDate: tomorrow", []string{"spec.dueDate", "should match"}},
		{"due date with a time", ActionPlan, `dueDate: "2026-12-31"`, `dueDate: "2026-12-31T10:00:00Z"`, []string{"spec.dueDate"}},
		{"no due date", ActionPlan, "  dueDate: \"2026-12-31\"\n", "", []string{"spec.dueDate", "Required value"}},
		{"unknown state", ActionPlan, "\n  state: InProgress\n  ack", "\n  state: Done\n  ack", []string{"spec.state", `"Complete"`}},
		{"acknowledged at no time", ActionPlan, "2026-11-20T09:00:00Z", "yesterday",
			[]string{"spec.acknowledgement.time", "must be of type date-time"}},
		{"acknowledged by nobody", ActionPlan, "{by: Head of Concessions, time:", "{time:",
			[]string{"spec.acknowledgement.by", "Required value"}},
		{"two actions of one name", ActionPlan, "  expected:", "  - {name: late-hours, description: Again.}\n  expected:",
			[]string{"spec.actions[1]", "Duplicate value", "late-hours"}},
		{"action's due date is no date", ActionPlan, "2026-12-15", "2026-13-15", []string{"spec.actions[0].dueDate", "must be of type date"}},
		{"unknown category", ActionPlan, "category: Process", "category: Procurement", []string{"spec.actions[0].category", `"Training"`}},
		{"expected target is a YAML float", ActionPlan, "expected: {target: 65}", "expected: {target: 62.5}",
			[]string{"spec.expected.target", "integer,string"}},
		{"no problem in words", ActionPlan, "problem: Passengers rate the restaurants far below the rest of the airport.", `problem: ""`,
			[]string{"spec.problem", "at least 1 chars long"}},
	}
}
