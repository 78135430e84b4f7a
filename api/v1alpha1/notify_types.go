package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// NoticeClass is what a message is about.
// +kubebuilder:validation:Enum=Breach;Case;Review;Recognition
type NoticeClass string

// The classes of messages.
const (
	// NoticeBreach is a breach that opened, closed or was escalated.
	NoticeBreach NoticeClass = "Breach"
	// NoticeCase is a case that opened or is overdue.
	NoticeCase NoticeClass = "Case"
	// NoticeReview is a review that was opened.
	NoticeReview NoticeClass = "Review"
	// NoticeRecognition is an objective that is Met.
	NoticeRecognition NoticeClass = "Recognition"
)

// WebhookChannel takes messages as CloudEvents (structured JSON), signed by the Standard Webhooks scheme.
// +kubebuilder:validation:XValidation:rule="has(self.url) != has(self.urlSecretRef)",message="exactly one of url and urlSecretRef must be set"
type WebhookChannel struct {
	// url that takes the messages by POST: https://...
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://.+`
	URL string `json:"url,omitempty"`
	// urlSecretRef names the key that holds the url, where it is secret itself.
	// +optional
	URLSecretRef *SecretKeyRef `json:"urlSecretRef,omitempty"`
	// signingSecretRef names the key that holds the signing secret: whsec_ and 24 to 64 bytes in base64. Without one the
	// messages are not signed.
	// +optional
	SigningSecretRef *SecretKeyRef `json:"signingSecretRef,omitempty"`
}

// SlackChannel takes messages by an incoming webhook that is compatible with Slack's.
type SlackChannel struct {
	// urlSecretRef names the key that holds the address of the incoming webhook.
	// +required
	URLSecretRef SecretKeyRef `json:"urlSecretRef"`
}

// EmailChannel takes messages by e-mail, through the SMTP server that the operator was given.
type EmailChannel struct {
	// to are the addresses, of functions rather than people: concessions@example.com.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=3
	// +kubebuilder:validation:items:MaxLength=254
	// +kubebuilder:validation:items:Pattern=`^[^@\s<>]+@[^@\s<>]+$`
	To []string `json:"to"`
}

// NotifyChannel is one way to tell a team something.
// +kubebuilder:validation:XValidation:rule="[has(self.webhook), has(self.slack), has(self.email)].exists_one(x, x)",message="exactly one of webhook, slack and email must be set"
type NotifyChannel struct {
	// name of the channel, unique within the team: lower-case letters, digits and '-'.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// audience: Team is told everything of the team; Lead what is escalated to its lead.
	// +optional
	// +default="Team"
	// +kubebuilder:validation:Enum=Team;Lead
	Audience string `json:"audience,omitempty"`
	// classes of messages that the channel takes; the default is all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=4
	Classes []NoticeClass `json:"classes,omitempty"`
	// webhook takes CloudEvents.
	// +optional
	Webhook *WebhookChannel `json:"webhook,omitempty"`
	// slack takes text by an incoming webhook.
	// +optional
	Slack *SlackChannel `json:"slack,omitempty"`
	// email takes text.
	// +optional
	Email *EmailChannel `json:"email,omitempty"`
}

// QuietHours are when nothing is sent. What comes up meanwhile is sent afterwards, as one digest.
type QuietHours struct {
	// from the time of day, 18:00.
	// +required
	// +kubebuilder:validation:MinLength=5
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:Pattern=`^([01][0-9]|2[0-3]):[0-5][0-9]$`
	From string `json:"from"`
	// to the time of day, 08:00; before from it is that of the next day.
	// +required
	// +kubebuilder:validation:MinLength=5
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:Pattern=`^([01][0-9]|2[0-3]):[0-5][0-9]$`
	To string `json:"to"`
	// days on which nothing is sent at all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=6
	// +kubebuilder:validation:items:Enum=Monday;Tuesday;Wednesday;Thursday;Friday;Saturday;Sunday
	Days []string `json:"days,omitempty"`
	// timeZone of the times: an IANA name.
	// +optional
	// +default="UTC"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TimeZone string `json:"timeZone,omitempty"`
}

// Notify says how a team is told.
type Notify struct {
	// channels of the team.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	Channels []NotifyChannel `json:"channels"`
	// quietHours are when nothing is sent.
	// +optional
	QuietHours *QuietHours `json:"quietHours,omitempty"`
	// digestAfter is how many messages that wait for one channel become one digest, 2 to 100.
	// +optional
	// +default=5
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=100
	DigestAfter int32 `json:"digestAfter,omitempty"`
	// messagesPerHour to one channel at the most, 1 to 1000.
	// +optional
	// +default=30
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MessagesPerHour int32 `json:"messagesPerHour,omitempty"`
}

// NoticeTransition is what happened.
// +kubebuilder:validation:Enum=Opened;Closed;Escalated;Overdue;Met
type NoticeTransition string

// The transitions that people are told of.
const (
	// NoticeOpened is a breach, case or review that opened.
	NoticeOpened NoticeTransition = "Opened"
	// NoticeClosed is a breach that closed.
	NoticeClosed NoticeTransition = "Closed"
	// NoticeEscalated is a breach that stayed open and goes one step up.
	NoticeEscalated NoticeTransition = "Escalated"
	// NoticeOverdue is a case whose promise has passed.
	NoticeOverdue NoticeTransition = "Overdue"
	// NoticeMet is an objective that is Met.
	NoticeMet NoticeTransition = "Met"
)

// DeliveryState is how far a delivery is.
// +kubebuilder:validation:Enum=Pending;Delivered;Dead
type DeliveryState string

// The states of deliveries.
const (
	// DeliveryPending is still to be sent, or to be sent again.
	DeliveryPending DeliveryState = "Pending"
	// DeliveryDelivered was taken by the receiver.
	DeliveryDelivered DeliveryState = "Delivered"
	// DeliveryDead was given up; it can be replayed.
	DeliveryDead DeliveryState = "Dead"
)

// Delivery is one message to one channel.
type Delivery struct {
	// channel of a team: "concessions/chat".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=127
	Channel string `json:"channel"`
	// state: Pending, Delivered or Dead.
	// +required
	State DeliveryState `json:"state"`
	// attempts so far.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Attempts int32 `json:"attempts,omitempty"`
	// time of the last attempt, or of the delivery.
	// +optional
	Time *metav1.Time `json:"time,omitempty"`
	// nextTime is when it is tried again.
	// +optional
	NextTime *metav1.Time `json:"nextTime,omitempty"`
	// problem of the last attempt, without anything secret.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Problem string `json:"problem,omitempty"`
	// message is the id of the message that carries the notice to the channel: its own, or that of a digest. It is noted
	// before the message is sent for the first time, so that a repeat is the same message.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Message string `json:"message,omitempty"`
}

// Notice is one transition that people are told of. It is written in the same status write as the transition itself, so
// neither is there without the other.
type Notice struct {
	// id of the message: a digest of object, breach, transition and time. It never changes, so a receiver can tell a repeat.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	ID string `json:"id"`
	// class: Breach, Case, Review or Recognition.
	// +required
	Class NoticeClass `json:"class"`
	// transition: Opened, Closed, Escalated, Overdue or Met.
	// +required
	Transition NoticeTransition `json:"transition"`
	// breach type, where the message is about one.
	// +optional
	Breach BreachType `json:"breach,omitempty"`
	// objective that it is about.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Objective string `json:"objective,omitempty"`
	// item within the object.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Item string `json:"item,omitempty"`
	// reason of the transition, as in the event.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Reason string `json:"reason,omitempty"`
	// to whom it is escalated; empty is the owner's team.
	// +optional
	To EscalationTarget `json:"to,omitempty"`
	// step of the escalation, from 1; 0 for none.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Step int32 `json:"step,omitempty"`
	// time of the transition.
	// +required
	Time metav1.Time `json:"time"`
	// deliveries of the message, once it was decided to whom it goes. Empty before, and where nobody wants it.
	// +optional
	// +listType=map
	// +listMapKey=channel
	// +kubebuilder:validation:MaxItems=20
	Deliveries []Delivery `json:"deliveries,omitempty"`
	// addressed is true once it was decided to whom the message goes.
	// +optional
	Addressed bool `json:"addressed,omitempty"`
	// merged counts transitions for which the outbox had no room, since a hundred were still to be sent: the message of this
	// one says that there were more. What is open stands in status.breaches in any case.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Merged int32 `json:"merged,omitempty"`
}
