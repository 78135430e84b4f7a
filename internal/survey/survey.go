// Package survey compiles a SurveyProgram into what an endpoint serves, and checks submissions against it. It is pure:
// no clock, no client, no I/O.
package survey

import (
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Survey is a compiled survey: all that an endpoint needs to serve a program. It can be written as JSON. It is never
// changed after it was compiled, so it may be shared between goroutines.
type Survey struct {
	// Program that the survey belongs to.
	Program store.Key `json:"program"`
	// DisplayName of the program.
	DisplayName string `json:"displayName"`
	// Asker is the display name of the team that asks: the program's owner, else the program itself.
	Asker string `json:"asker"`
	// DefaultLanguage is the language that every text has; Languages are all languages of the title, default first,
	// the others in alphabetical order.
	DefaultLanguage string   `json:"defaultLanguage"`
	Languages       []string `json:"languages"`
	// Title, PrivacyNotice and ThankYou by language.
	Title         Texts `json:"title"`
	PrivacyNotice Texts `json:"privacyNotice,omitempty"`
	ThankYou      Texts `json:"thankYou,omitempty"`
	// Questions of the survey, in the order in which they are asked.
	Questions []Question `json:"questions"`
	// Touchpoints whose pages are served, by name.
	Touchpoints map[string]Touchpoint `json:"touchpoints"`
	// Units are the display names of the teams of the namespace that an answer may name, by name.
	Units map[string]string `json:"units"`
	// Closed says that answers are no longer taken.
	Closed bool `json:"closed"`
	// RetentionDays is how long answers are kept; MinimumCell the size below which no group is shown.
	RetentionDays int32 `json:"retentionDays"`
	MinimumCell   int32 `json:"minimumCell"`
	// Steps in which the page asks; none for all at once.
	Steps []Step `json:"steps,omitempty"`
	// Feedback are the scores that the thank-you page gives back.
	Feedback []Feedback `json:"feedback,omitempty"`
	// Branding of the page; nil for none.
	Branding *Branding `json:"branding,omitempty"`
	// FrameAncestors are the origins whose pages may show the survey in a frame.
	FrameAncestors []string `json:"frameAncestors,omitempty"`
	// Access says who may answer and how robots are told from people.
	Access Access `json:"access"`
	// Contact is the form for a way to be contacted; nil for none.
	Contact *Contact `json:"contact,omitempty"`
	// FollowUps are the rules by which answers open cases, by touchpoint, "" for the program's own page. A page without one
	// asks for no contact.
	FollowUps map[string]FollowUp `json:"followUps,omitempty"`
	// Hash is a digest of everything above.
	Hash string `json:"hash"`
}

// Texts is a text by language tag.
type Texts map[string]string

// Touchpoint is one page of a survey.
type Touchpoint struct {
	// DisplayName as customers see it.
	DisplayName string `json:"displayName"`
	// Questions that the page serves, by name, in the survey's order.
	Questions []string `json:"questions"`
}

// Question is one question.
type Question struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Revision int32  `json:"revision"`
	Text     Texts  `json:"text"`
	Required bool   `json:"required"`
	// Scale of NPS, CSAT, CES and Rating questions; zero for the others.
	Scale score.Scale `json:"scale"`
	// Choices of SingleChoice and MultipleChoice questions.
	Choices []Choice `json:"choices,omitempty"`
	// MaxLength of a Text answer in characters (Unicode code points); zero for the others.
	MaxLength int32 `json:"maxLength,omitempty"`
	// ShowWhen says where the question is asked; nil for always.
	ShowWhen *Condition `json:"showWhen,omitempty"`
}

// Step is a page of a survey that is filled in step by step.
type Step struct {
	Title     Texts    `json:"title,omitempty"`
	Questions []string `json:"questions"`
}

// Feedback is a score that is given back: Mean or Sum of the person's own answers.
type Feedback struct {
	Name      string   `json:"name"`
	Title     Texts    `json:"title,omitempty"`
	Metric    string   `json:"metric"`
	Questions []string `json:"questions"`
}

// Access says who may answer, who is invited how often, and how robots are told from people. The zero Access, of a survey
// that was compiled before there were links, is open to all, has no cooldown, and checks what needs no setting.
type Access struct {
	// Signed means that answers are taken through signed links only.
	Signed bool `json:"signed,omitempty"`
	// LinkDays is how long a link is good for, in days, 1 to 365. 0, in surveys compiled before there were links, means
	// the default: see Survey.LinkDays.
	LinkDays int32 `json:"linkDays,omitempty"`
	// Program and Namespace are how long somebody is left alone by the program, and by any of the namespace, in days.
	Program   Cooldown `json:"program"`
	Namespace Cooldown `json:"namespace"`
	// MinimumSeconds that a page takes at least; 0 for no check.
	MinimumSeconds int32 `json:"minimumSeconds,omitempty"`
	// ProofBits of work that an answer must show; 0 for none.
	ProofBits int32 `json:"proofBits,omitempty"`
}

// Cooldown is how long somebody is left alone, in days; 0 for no rule.
type Cooldown struct {
	AfterInvitation int32 `json:"afterInvitation,omitempty"`
	AfterAnswer     int32 `json:"afterAnswer,omitempty"`
}

// Choice is one of the answers to choose from.
type Choice struct {
	Name  string `json:"name"`
	Label Texts  `json:"label"`
}

// Problem is something in a spec that admission could not refuse, or that needs a second object.
type Problem struct {
	// Reason is one of the condition reasons of api/v1alpha1.
	Reason string
	// Field is the path of the field, such as spec.survey.questions[2].text.
	Field string
	// Message says what is wrong and what is allowed. It is stable from one pass to the next.
	Message string
}

// FieldError is what is wrong with one field of a submission.
type FieldError struct {
	// Pointer is the JSON pointer (RFC 6901) of the field, such as /answers/recommend.
	Pointer string `json:"pointer"`
	// Code is a stable word for the fault: required, unknown, type, range, choice, length, format, future, hidden.
	Code string `json:"code"`
	// Detail says in English what is wrong and what is allowed. It never repeats the answer.
	Detail string `json:"detail"`
}

// Submission is what a client sends.
type Submission struct {
	// ID is a UUID made by the client; the same ID again is the same submission.
	ID string `json:"id"`
	// Touchpoint, Team (a Team of the namespace) and Language may be empty.
	Touchpoint string `json:"touchpoint,omitempty"`
	Team       string `json:"team,omitempty"`
	Language   string `json:"language,omitempty"`
	// SubmittedAt (RFC 3339) is for imports only.
	SubmittedAt string `json:"submittedAt,omitempty"`
	// Answers by question: an integer, a choice's name, a list of names, or a text.
	Answers map[string]any `json:"answers"`
	// Invitation is the token of a signed link; not in imports.
	Invitation string `json:"invitation,omitempty"`
	// Proof of work, where the program asks for it; not in imports.
	Proof string `json:"proof,omitempty"`
	// Contact that the respondent left; nil for none; not in imports. No digest covers it: from that,
	// an address could be guessed. Of a repeat, the first one stands.
	Contact *Left `json:"contact,omitempty"`
	// Standing, Passed and Failed are for imports only: what an export says of a response, "counted" if empty.
	Standing string   `json:"standing,omitempty"`
	Passed   []string `json:"passed,omitempty"`
	Failed   []string `json:"failed,omitempty"`
}
