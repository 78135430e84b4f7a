package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

const (
	typePrefix = "io.cx-operator."
	typeDigest = typePrefix + "digest"
	// maxListed is how many notices a digest spells out.
	maxListed = 50
)

// classes are the middle of the CloudEvents types of notices.
var classes = map[v1alpha1.NoticeClass]string{
	v1alpha1.NoticeBreach: "breach", v1alpha1.NoticeCase: "case", v1alpha1.NoticeReview: "review",
	v1alpha1.NoticeRecognition: "recognition",
}

// Message is what one channel is told, in no channel's form yet.
type Message struct {
	// ID is that of the message and the channel: id_team_channel. A repeat has the same one.
	ID string
	// Type is the CloudEvents type: io.cx-operator.breach.opened, or io.cx-operator.digest.
	Type string
	// Source is the resource, or of a digest the namespace: /namespaces/sfo/touchpoints/gate-a.
	Source string
	// Subject of the event: the objective, item or case; empty for none.
	Subject string
	// Time of the transition, of a digest the latest one.
	Time time.Time
	// Title in one line, and Lines behind it; plain text.
	Title string
	Lines []string
	// Data of the event.
	Data Data
}

// Data is what a program reads in an event: one notice, or the notices of a digest.
type Data struct {
	// Use says what the message may be used for: v1alpha1.CoachingText.
	Use string `json:"use"`
	// Text is the message for people.
	Text string `json:"text"`
	*Item
	// Notices of a digest, at most 50, and Total of how many.
	Notices []Item `json:"notices,omitempty"`
	Total   int    `json:"total,omitempty"`
}

// Item is one notice.
type Item struct {
	ID         string    `json:"id"`
	Class      string    `json:"class"`
	Transition string    `json:"transition"`
	Breach     string    `json:"breach,omitempty"`
	Objective  string    `json:"objective,omitempty"`
	Item       string    `json:"item,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	To         string    `json:"to,omitempty"`
	Step       int32     `json:"step,omitempty"`
	Time       time.Time `json:"time"`
	Namespace  string    `json:"namespace"`
	Kind       string    `json:"kind"`
	Name       string    `json:"name"`
	Program    string    `json:"program,omitempty"`
	Touchpoint string    `json:"touchpoint,omitempty"`
	Case       string    `json:"case,omitempty"`
	Guide      string    `json:"guide"`
	Page       string    `json:"page,omitempty"`
	Merged     int32     `json:"merged,omitempty"`
}

// Compose writes the message of a batch to a channel, with times in the zone of the team's quiet hours. A batch has at least
// one letter. Every message ends with what scores may be used for.
func Compose(b Batch, q *Queue) Message {
	location, err := zone(q.Quiet)
	if err != nil {
		location = time.UTC
	}
	m := Message{ID: b.Message + "_" + strings.ReplaceAll(q.Channel, "/", "_")}
	if len(b.Letters) == 1 && b.Message == b.Letters[0].Notice.ID {
		single(&m, b.Letters[0], location)
	} else {
		many(&m, b.Letters, location)
	}
	m.Lines = append(m.Lines, v1alpha1.CoachingText)
	m.Data.Use, m.Data.Text = v1alpha1.CoachingText, m.Text()
	return m
}

// Text is the whole message as plain text.
func (m Message) Text() string { return m.Title + "\n\n" + strings.Join(m.Lines, "\n") }

func single(m *Message, l *Letter, location *time.Location) {
	n, a := l.Notice, l.About
	m.Type = typePrefix + classes[n.Class] + "." + strings.ToLower(string(n.Transition))
	m.Source = "/namespaces/" + a.Namespace + "/" + plural(a.Kind) + "/" + a.Name
	m.Subject = firstOf(a.Case, n.Objective, n.Item)
	m.Time = n.Time.UTC()
	m.Title, m.Lines = title(n, a), lines(n, a, location)
	item := itemOf(l)
	m.Data.Item = &item
}

func many(m *Message, letters []*Letter, location *time.Location) {
	m.Type = typeDigest
	m.Source = "/namespaces/" + letters[0].About.Namespace
	counts := map[string]int{}
	for i, l := range letters {
		counts[countedAs(l.Notice)]++
		m.Time = later(m.Time, l.Notice.Time.UTC())
		if i < maxListed {
			m.Lines = append(m.Lines, "- "+clock(l.Notice.Time.Time, location)+": "+title(l.Notice, l.About))
			m.Data.Notices = append(m.Data.Notices, itemOf(l))
		}
	}
	if more := len(letters) - maxListed; more > 0 {
		m.Lines = append(m.Lines, fmt.Sprintf("- and %d more", more))
	}
	m.Lines = append(m.Lines, "What to do: "+docs+"notifications.md")
	m.Data.Total = len(letters)
	m.Title = fmt.Sprintf("%d messages: %s", len(letters), listed(counts))
}

// countedAs names a notice among others of its kind.
func countedAs(n *v1alpha1.Notice) string {
	return classes[n.Class] + " " + strings.ToLower(string(n.Transition))
}

func listed(counts map[string]int) string {
	var parts []string
	for what, n := range counts {
		parts = append(parts, fmt.Sprintf("%d %s", n, what))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func itemOf(l *Letter) Item {
	n, a := l.Notice, l.About
	return Item{
		ID: n.ID, Class: string(n.Class), Transition: string(n.Transition), Breach: string(n.Breach), Objective: n.Objective,
		Item: n.Item, Reason: n.Reason, To: string(n.To), Step: n.Step, Time: n.Time.UTC(), Namespace: a.Namespace, Kind: a.Kind,
		Name: a.Name, Program: a.Program, Touchpoint: a.Touchpoint, Case: a.Case, Guide: guide(n), Page: a.Page, Merged: n.Merged,
	}
}

// plural is the kind as addresses of the API write it.
func plural(kind string) string { return strings.ToLower(kind) + "s" }

func firstOf(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
