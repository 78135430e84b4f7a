package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// CoachingScore is what respondents said of the team in answer to one question. It has no target and no verdict: it is
// there to learn from.
type CoachingScore struct {
	// program that the answers were given to.
	// +required
	Program string `json:"program,omitempty"`
	// touchpoint that the answers were given at; empty for all together.
	// +optional
	Touchpoint string `json:"touchpoint,omitempty"`
	// objective that the figures are computed as; empty for a question that no objective is about.
	// +optional
	Objective string `json:"objective,omitempty"`
	// question that was answered.
	// +required
	Question string `json:"question,omitempty"`
	// metric: NPS, CSAT, CESMean, CESTopBox, CESNet or Mean.
	// +required
	Metric string `json:"metric,omitempty"`
	// windowDays is the length of the window in days. It ends with the program's last full day, and for programs that
	// release figures at once with the last hour.
	// +required
	WindowDays int32 `json:"windowDays,omitempty"`
	// state: Shown, or InsufficientData where there are fewer answers than the program asks for as evidence, or so few of
	// others that these could be told from them.
	// +required
	// +kubebuilder:validation:Enum=Shown;InsufficientData
	State string `json:"state,omitempty"`
	// score in the metric's unit with two decimals; absent without sufficient data.
	// +optional
	Score string `json:"score,omitempty"`
	// lower end of the confidence interval; absent without sufficient data.
	// +optional
	Lower string `json:"lower,omitempty"`
	// upper end of the confidence interval; absent without sufficient data.
	// +optional
	Upper string `json:"upper,omitempty"`
	// responses in the window; absent without sufficient data.
	// +optional
	Responses int64 `json:"responses,omitempty"`
}

// The states of a CoachingScore.
const (
	// CoachingShown has figures.
	CoachingShown = "Shown"
	// CoachingInsufficientData has none, since there are too few answers.
	CoachingInsufficientData = "InsufficientData"
)

// CoachingStatus is what respondents said of a team.
type CoachingStatus struct {
	// displayName of the team.
	// +optional
	DisplayName string `json:"displayName,omitempty"`
	// level of the team: Company, Department, Location or Person.
	// +optional
	Level string `json:"level,omitempty"`
	// use says what the figures may be used for.
	// +required
	Use string `json:"use,omitempty"`
	// asOf is when the figures were computed.
	// +optional
	AsOf metav1.Time `json:"asOf,omitempty,omitzero"`
	// scores by program, touchpoint, objective and question, never by score. A list of several teams leaves them out.
	// +optional
	// +listType=atomic
	Scores []CoachingScore `json:"scores,omitempty"`
}

// Coaching is what respondents said of one team, for the team and its lead: its name is the team's. It can be read only,
// and scores of several teams never stand in one answer.
// +kubebuilder:object:root=true
type Coaching struct {
	metav1.TypeMeta `json:",inline"`
	// metadata has the name and namespace of the team.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// status is what respondents said.
	// +optional
	Status CoachingStatus `json:"status,omitempty,omitzero"`
}

// CoachingList names the teams of a namespace, by name.
// +kubebuilder:object:root=true
type CoachingList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the teams.
	Items []Coaching `json:"items"`
}
