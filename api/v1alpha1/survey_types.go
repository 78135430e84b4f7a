package v1alpha1

// QuestionType says how a question is answered.
// +kubebuilder:validation:Enum=NPS;CSAT;CES;Rating;SingleChoice;MultipleChoice;Text
type QuestionType string

// The types of questions.
const (
	// QuestionNPS is answered 0 to 10: how likely a recommendation is.
	QuestionNPS QuestionType = "NPS"
	// QuestionCSAT is answered 1 to 5: how satisfied.
	QuestionCSAT QuestionType = "CSAT"
	// QuestionCES is answered 1 to 7: how easy, 7 is easiest.
	QuestionCES QuestionType = "CES"
	// QuestionRating is answered minimum to maximum.
	QuestionRating QuestionType = "Rating"
	// QuestionSingleChoice is answered with the name of one choice.
	QuestionSingleChoice QuestionType = "SingleChoice"
	// QuestionMultipleChoice is answered with the names of one or more choices.
	QuestionMultipleChoice QuestionType = "MultipleChoice"
	// QuestionText is answered with free text.
	QuestionText QuestionType = "Text"
)

// Requirement says whether a question must be answered to finish a page. It never binds an import.
// +kubebuilder:validation:Enum=Required;Optional
type Requirement string

// The requirements.
const (
	// RequirementRequired refuses a submission of a page that shows the question unanswered.
	RequirementRequired Requirement = "Required"
	// RequirementOptional lets the question be left out.
	RequirementOptional Requirement = "Optional"
)

// Choice is one of the answers to choose from.
type Choice struct {
	// name of the choice, unique within the question; it is what is stored.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// label that the page shows, by language.
	// +required
	Label LocalizedText `json:"label"`
}

// Question is one question of a survey.
// +kubebuilder:validation:XValidation:rule="(self.type in ['SingleChoice', 'MultipleChoice']) == (has(self.choices) && self.choices.size() > 0)",message="choices are required for SingleChoice and MultipleChoice questions, and for these only",fieldPath=".choices"
// +kubebuilder:validation:XValidation:rule="self.type == 'Rating' || (!has(self.minimum) && !has(self.maximum))",message="minimum and maximum are for Rating questions only (NPS is 0-10, CSAT 1-5, CES 1-7)",fieldPath=".minimum"
// +kubebuilder:validation:XValidation:rule="self.type != 'Rating' || (has(self.minimum) ? self.minimum : 1) < (has(self.maximum) ? self.maximum : 5)",message="minimum (default 1) must be below maximum (default 5)",fieldPath=".maximum"
// +kubebuilder:validation:XValidation:rule="self.type == 'Text' || !has(self.maxLength)",message="maxLength is for Text questions only",fieldPath=".maxLength"
// +kubebuilder:validation:XValidation:rule="self.revision >= oldSelf.revision",message="revision must not go down",fieldPath=".revision"
// +kubebuilder:validation:XValidation:rule="self.revision > oldSelf.revision || (self.type == oldSelf.type && has(self.minimum) == has(oldSelf.minimum) && (!has(self.minimum) || self.minimum == oldSelf.minimum) && has(self.maximum) == has(oldSelf.maximum) && (!has(self.maximum) || self.maximum == oldSelf.maximum) && has(self.choices) == has(oldSelf.choices) && (!has(self.choices) || (self.choices.size() == oldSelf.choices.size() && self.choices.all(c, oldSelf.choices.exists(o, o.name == c.name)))))",message="type, minimum, maximum and choices change only with a higher revision, which starts a new series: raise revision",fieldPath=".revision"
type Question struct {
	// name of the question, unique within the survey: lower-case letters, digits and '-'.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// type of the question: NPS (0-10), CSAT (1-5), CES (1-7, 7 is easy), Rating (minimum to maximum), SingleChoice,
	// MultipleChoice or Text.
	// +required
	Type QuestionType `json:"type"`
	// revision of the question. Type, bounds, choices and the default language's text change only with a higher one,
	// which starts a new series; translations are free.
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	Revision int32 `json:"revision,omitempty"`
	// text of the question, by language; the survey's default language is required.
	// +required
	Text LocalizedText `json:"text"`
	// requirement: Required refuses a submitted page without an answer.
	// +optional
	// +default="Optional"
	Requirement Requirement `json:"requirement,omitempty"`
	// minimum of a Rating, 0 or 1; default 1.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1
	Minimum *int32 `json:"minimum,omitempty"`
	// maximum of a Rating, 2 to 10; default 5.
	// +optional
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=10
	Maximum *int32 `json:"maximum,omitempty"`
	// choices of a SingleChoice or MultipleChoice question.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=50
	Choices []Choice `json:"choices,omitempty"`
	// maxLength of a Text answer in characters, 1 to 4000; default 1000.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4000
	MaxLength *int32 `json:"maxLength,omitempty"`
	// showWhen asks the question only where this CEL expression over the answers to earlier questions is true:
	// "answers.recommend <= 6", "'app' in answers.channels", "has(answers.comment)", "answers['rental-cars'] < 3". A
	// question that was not answered is absent; a condition on an absent answer is not true. Hidden questions bind nobody.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=500
	ShowWhen string `json:"showWhen,omitempty"`
}

// Step is one page of a survey that is filled in step by step.
type Step struct {
	// name of the step, unique within the survey: lower-case letters, digits and '-'.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// title that the page shows above the step's questions, by language.
	// +optional
	Title LocalizedText `json:"title,omitempty"`
	// questions of the step, by name, in the survey's order.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	Questions []string `json:"questions"`
}

// FeedbackMetric says how a person's own answers become the score that is given back to them.
// +kubebuilder:validation:Enum=Mean;Sum
type FeedbackMetric string

// The metrics of feedback.
const (
	// FeedbackMean is the mean of the answers; the questions must have one scale.
	FeedbackMean FeedbackMetric = "Mean"
	// FeedbackSum is the sum of the answers.
	FeedbackSum FeedbackMetric = "Sum"
)

// Feedback is a score that the thank-you page gives back to the person who answered. It is computed from their own answers
// alone, shown with the lowest and highest value that it can have, and only where all its questions were answered.
type Feedback struct {
	// name of the score, unique within the survey: lower-case letters, digits and '-'.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// title that the page shows beside the score, by language; without one the page's own words for "your score".
	// +optional
	Title LocalizedText `json:"title,omitempty"`
	// metric: Mean or Sum of the answers.
	// +required
	Metric FeedbackMetric `json:"metric"`
	// questions that the score is computed from, by name: NPS, CSAT, CES or Rating questions.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	Questions []string `json:"questions"`
}

// Colors of a page. What is not given is the page's own, or follows from what is given.
type Colors struct {
	// accentColor of the button, links and focus, as #rrggbb; contrast to the background at least 4.5.
	// +optional
	// +kubebuilder:validation:MinLength=7
	// +kubebuilder:validation:MaxLength=7
	// +kubebuilder:validation:Pattern=`^#[0-9A-Fa-f]{6}$`
	AccentColor string `json:"accentColor,omitempty"`
	// backgroundColor of the page, as #rrggbb.
	// +optional
	// +kubebuilder:validation:MinLength=7
	// +kubebuilder:validation:MaxLength=7
	// +kubebuilder:validation:Pattern=`^#[0-9A-Fa-f]{6}$`
	BackgroundColor string `json:"backgroundColor,omitempty"`
	// textColor of the page, as #rrggbb; contrast to the background at least 7, so that what is quieter than it can be
	// read too.
	// +optional
	// +kubebuilder:validation:MinLength=7
	// +kubebuilder:validation:MaxLength=7
	// +kubebuilder:validation:Pattern=`^#[0-9A-Fa-f]{6}$`
	TextColor string `json:"textColor,omitempty"`
}

// Branding makes the page look like the sender's.
type Branding struct {
	// logo at the top of the page: a PNG, WebP or JPEG as a data URI, at most 6000 characters, so that the page with all
	// that it loads stays small. It is shown at most 48 pixels high.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=6000
	// +kubebuilder:validation:Pattern=`^data:image/(png|webp|jpeg);base64,[A-Za-z0-9+/]+={0,2}$`
	Logo string `json:"logo,omitempty"`
	// light colors, for readers whose device does not ask for a dark page.
	// +optional
	Light *Colors `json:"light,omitempty"`
	// dark colors, for readers whose device asks for a dark page.
	// +optional
	Dark *Colors `json:"dark,omitempty"`
}

// ContactForm offers a field for an address, and asks for consent.
type ContactForm struct {
	// text beside the field; the default says that somebody may get in touch about the answer.
	// +optional
	Text LocalizedText `json:"text,omitempty"`
	// consent beside the box that must be ticked; the default names the program and how long the address is kept.
	// +optional
	Consent LocalizedText `json:"consent,omitempty"`
}

// Survey is what is asked.
// +kubebuilder:validation:XValidation:rule="self.defaultLanguage in self.title",message="title must have a text in defaultLanguage",fieldPath=".title"
// +kubebuilder:validation:XValidation:rule="!has(self.privacyNotice) || self.defaultLanguage in self.privacyNotice",message="privacyNotice must have a text in defaultLanguage",fieldPath=".privacyNotice"
// +kubebuilder:validation:XValidation:rule="self.questions.all(q, self.defaultLanguage in q.text)",message="every question must have a text in defaultLanguage",fieldPath=".questions"
// +kubebuilder:validation:XValidation:rule="self.questions.all(q, !has(q.choices) || q.choices.all(c, self.defaultLanguage in c.label))",message="every choice must have a label in defaultLanguage",fieldPath=".questions"
// +kubebuilder:validation:XValidation:rule="self.questions.all(q, oldSelf.questions.all(o, o.name != q.name || q.revision > o.revision || (self.defaultLanguage in q.text && oldSelf.defaultLanguage in o.text && q.text[self.defaultLanguage] == o.text[oldSelf.defaultLanguage])))",message="a question's text in the default language changes only with a higher revision, which starts a new series: raise revision",fieldPath=".questions"
// +kubebuilder:validation:XValidation:rule="!has(self.thankYou) || self.defaultLanguage in self.thankYou",message="thankYou must have a text in defaultLanguage",fieldPath=".thankYou"
// +kubebuilder:validation:XValidation:rule="!has(self.steps) || self.steps.all(s, !has(s.title) || self.defaultLanguage in s.title)",message="every step's title must have a text in defaultLanguage",fieldPath=".steps"
// +kubebuilder:validation:XValidation:rule="!has(self.steps) || self.steps.size() == 0 || self.questions.all(q, self.steps.exists_one(s, q.name in s.questions))",message="every question must belong to exactly one step",fieldPath=".steps"
// +kubebuilder:validation:XValidation:rule="!has(self.steps) || self.steps.all(s, s.questions.all(n, self.questions.exists(q, q.name == n)))",message="every question of a step must be one of questions",fieldPath=".steps"
// +kubebuilder:validation:XValidation:rule="!has(self.feedback) || self.feedback.all(f, !has(f.title) || self.defaultLanguage in f.title)",message="the title of every feedback must have a text in defaultLanguage",fieldPath=".feedback"
// +kubebuilder:validation:XValidation:rule="!has(self.feedback) || self.feedback.all(f, f.questions.all(n, self.questions.exists(q, q.name == n && q.type in ['NPS', 'CSAT', 'CES', 'Rating'])))",message="every question of feedback must be one of questions, of type NPS, CSAT, CES or Rating",fieldPath=".feedback"
type Survey struct {
	// contact offers a field in which respondents can leave a way to be contacted about their answer. Without it nobody is
	// asked, and no answer opens a case.
	// +optional
	Contact *ContactForm `json:"contact,omitempty"`
	// defaultLanguage is the language that every text has: a BCP 47 tag such as en, es or pt-BR.
	// +required
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=35
	// +kubebuilder:validation:Pattern=`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`
	DefaultLanguage string `json:"defaultLanguage"`
	// title of the page, by language.
	// +required
	Title LocalizedText `json:"title"`
	// questions in the order in which they are asked, 1 to 50.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	Questions []Question `json:"questions"`
	// privacyNotice is added to what the page says of privacy, by language.
	// +optional
	PrivacyNotice LocalizedText `json:"privacyNotice,omitempty"`
	// thankYou is added to the page that follows, by language.
	// +optional
	ThankYou LocalizedText `json:"thankYou,omitempty"`
	// steps in which the page asks, at most 20; every question belongs to exactly one, in the survey's order. Without
	// steps the page asks all at once, but never a question beside one that its showWhen depends on.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=20
	Steps []Step `json:"steps,omitempty"`
	// feedback are the scores that the thank-you page gives back, at most 10.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=10
	Feedback []Feedback `json:"feedback,omitempty"`
	// branding makes the page look like the sender's.
	// +optional
	Branding *Branding `json:"branding,omitempty"`
}
