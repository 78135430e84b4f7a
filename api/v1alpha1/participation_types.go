package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Share is one number as a percentage of another, with its confidence interval.
type Share struct {
	// percent with two decimals, 0.00 to 100.00.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Percent string `json:"percent"`
	// lower end of the confidence interval, in percent with two decimals.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Lower string `json:"lower"`
	// upper end of the confidence interval, in percent with two decimals.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Upper string `json:"upper"`
}

// DropOff is how many people left the page after a question.
type DropOff struct {
	// question that was the last one answered, in the survey's order, or the first one asked where none was answered.
	// Empty for questions that the survey no longer has.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Question string `json:"question,omitempty"`
	// unfinished is how many answered this question last and have sent nothing so far.
	// +required
	// +kubebuilder:validation:Minimum=1
	Unfinished int64 `json:"unfinished"`
}

// SkippedInvitations is how many people were left alone for one reason.
type SkippedInvitations struct {
	// scope that the rule looked at: program or namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Scope string `json:"scope"`
	// reason: invited or answered, meaning recently.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Reason string `json:"reason"`
	// invitations that were not made.
	// +required
	// +kubebuilder:validation:Minimum=1
	Invitations int64 `json:"invitations"`
}

// SuspectResponses is how many responses failed one check against robots.
type SuspectResponses struct {
	// check that failed: honeypot, page, time, proof, or other for one that only an import told of. A response that
	// failed two is under both.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Check string `json:"check"`
	// responses that are kept apart, out of every score.
	// +required
	// +kubebuilder:validation:Minimum=1
	Responses int64 `json:"responses"`
}

// Participation is how many people began, finished and were invited. Its window is the last windowDays times 24 full
// hours, and it moves at most once an hour. Each visit counts in the hour in which the page was opened, each invitation in
// the hour in which it was made. Below privacy.minimumCell a group of figures is absent: those of visits by how many
// began, times by how many finished, invitations by how many were made, skips by how many were made or skipped.
type Participation struct {
	// windowDays is the length of the window in days of 24 hours.
	// +required
	// +kubebuilder:validation:Minimum=1
	WindowDays int32 `json:"windowDays"`
	// windowEnd is the full hour at which the window ended when the figures last moved. While they are the same, it stays.
	// +required
	WindowEnd metav1.Time `json:"windowEnd"`
	// started is how many people began to fill in a page. Opening it alone does not count.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Started *int64 `json:"started,omitempty"`
	// completed is how many of those sent their answers.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Completed *int64 `json:"completed,omitempty"`
	// completion is completed of started.
	// +optional
	Completion *Share `json:"completion,omitempty"`
	// medianSeconds is the time within which half of those who finished did, from opening the page, rounded up.
	// +optional
	// +kubebuilder:validation:Minimum=1
	MedianSeconds *int64 `json:"medianSeconds,omitempty"`
	// p90Seconds is the time within which nine of ten of those who finished did, from opening the page, rounded up.
	// +optional
	// +kubebuilder:validation:Minimum=1
	P90Seconds *int64 `json:"p90Seconds,omitempty"`
	// dropOff is where those who began and did not finish stopped, in the survey's order. It adds up to started less
	// completed.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=51
	DropOff []DropOff `json:"dropOff,omitempty"`
	// invited is how many invitations were made.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Invited *int64 `json:"invited,omitempty"`
	// answered is how many of those were answered, each once.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Answered *int64 `json:"answered,omitempty"`
	// responseRate is answered of invited. Answers without an invitation have none.
	// +optional
	ResponseRate *Share `json:"responseRate,omitempty"`
	// skipped are the invitations that were not made, so that nobody is asked too often.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4
	Skipped []SkippedInvitations `json:"skipped,omitempty"`
	// suspect are the responses that failed a check against robots, in the hour in which they came.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	Suspect []SuspectResponses `json:"suspect,omitempty"`
}
