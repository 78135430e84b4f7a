package notify

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// allBreaches are those that the API knows.
var allBreaches = []v1alpha1.BreachType{
	v1alpha1.BreachObjectiveMissed, v1alpha1.BreachPlanMissing, v1alpha1.BreachPlanUnacknowledged, v1alpha1.BreachPlanOverdue,
	v1alpha1.BreachActionOverdue, v1alpha1.BreachOwnerMissing, v1alpha1.BreachUnmeasured, v1alpha1.BreachSponsorMissing,
	v1alpha1.BreachFollowUpOverdue, v1alpha1.BreachReviewMissed, v1alpha1.BreachSponsorSilent, v1alpha1.BreachHandoffUncovered,
	v1alpha1.BreachConsistentlyLow, v1alpha1.BreachNoActionTaken,
}

func told(class v1alpha1.NoticeClass, transition v1alpha1.NoticeTransition, breach v1alpha1.BreachType) *Letter {
	n := &v1alpha1.Notice{
		ID: "0123abcd", Class: class, Transition: transition, Breach: breach, Objective: "easy", Reason: "Recovered",
		Time: metav1.NewTime(noon.Truncate(time.Second)), Addressed: true,
		Deliveries: []v1alpha1.Delivery{{Channel: chat, State: v1alpha1.DeliveryPending, Message: "0123abcd"}},
	}
	return &Letter{Notice: n, Delivery: &n.Deliveries[0], About: About{
		Namespace: "sfo", Kind: "Touchpoint", Name: "gate-a", DisplayName: "Boarding area A", Program: "visits", Touchpoint: "gate-a",
		Page: "https://survey.example.com/sfo/visits/gate-a",
	}}
}

func composed(l *Letter) Message {
	return Compose(Batch{Message: l.Delivery.Message, Letters: []*Letter{l}}, queue(&v1alpha1.Notify{QuietHours: &v1alpha1.QuietHours{
		From: "18:00", To: "08:00", TimeZone: "Europe/Madrid",
	}}))
}

func TestText(t *testing.T) {
	l := told(v1alpha1.NoticeBreach, v1alpha1.NoticeEscalated, v1alpha1.BreachPlanMissing)
	l.Notice.To, l.Notice.Step, l.Notice.Merged = v1alpha1.EscalateParentTeam, 2, 7
	l.About.Since = noon.Add(-48 * time.Hour)
	want := `Breach still open: PlanMissing of objective easy: touchpoint Boarding area A (sfo/gate-a)

A missed objective has no plan yet.
This is step 2 of the escalation, to the parent team.
Open since 2026-11-09 13:00 CET.
Time: 2026-11-11 13:00 CET
Program: visits
What to do: https://github.com/cx-operator/cx-operator/blob/main/docs/runbooks/CXPlanMissing.md
Survey page: https://survey.example.com/sfo/visits/gate-a
There were 7 further changes that the outbox had no room for: look at the status of the resource.
` + v1alpha1.CoachingText
	if diff := cmp.Diff(want, composed(l).Text()); diff != "" {
		t.Error(diff)
	}
}

// The SDK of CloudEvents reads every message, and every message says what scores may be used for.
func TestEvents(t *testing.T) {
	all := map[string]*Letter{
		"io.cx-operator.breach.closed":    told(v1alpha1.NoticeBreach, v1alpha1.NoticeClosed, v1alpha1.BreachPlanMissing),
		"io.cx-operator.breach.escalated": told(v1alpha1.NoticeBreach, v1alpha1.NoticeEscalated, v1alpha1.BreachPlanMissing),
		"io.cx-operator.case.opened":      told(v1alpha1.NoticeCase, v1alpha1.NoticeOpened, ""),
		"io.cx-operator.case.overdue":     told(v1alpha1.NoticeCase, v1alpha1.NoticeOverdue, ""),
		"io.cx-operator.review.opened":    told(v1alpha1.NoticeReview, v1alpha1.NoticeOpened, ""),
		"io.cx-operator.recognition.met":  told(v1alpha1.NoticeRecognition, v1alpha1.NoticeMet, ""),
		"io.cx-operator.digest":           told(v1alpha1.NoticeBreach, v1alpha1.NoticeOpened, v1alpha1.BreachPlanMissing),
	}
	all["io.cx-operator.digest"].Delivery.Message = "d1"
	for kind, l := range all {
		checkEvent(t, kind, composed(l))
	}
	for _, b := range allBreaches {
		m := composed(told(v1alpha1.NoticeBreach, v1alpha1.NoticeOpened, b))
		checkEvent(t, "io.cx-operator.breach.opened", m)
		if means[b] == "" || !strings.Contains(m.Text(), means[b]) {
			t.Errorf("%s: nothing is said of what it means", b)
		}
	}
}

func checkEvent(t *testing.T, kind string, m Message) {
	t.Helper()
	body, err := m.Event()
	if err != nil {
		t.Fatal(err)
	}
	e := cloudevents.NewEvent()
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatal(err)
	}
	if err := e.Validate(); err != nil {
		t.Errorf("%s: %v", kind, err)
	}
	var data Data
	if err := e.DataAs(&data); err != nil {
		t.Fatal(err)
	}
	if e.Type() != kind || !strings.HasSuffix(e.ID(), "_team_chat") || !strings.HasPrefix(e.Source(), "/namespaces/sfo") || !e.Time().Equal(noon.Truncate(time.Second)) {
		t.Errorf("%s: %v", kind, e)
	}
	if data.Use != v1alpha1.CoachingText || !strings.HasSuffix(data.Text, v1alpha1.CoachingText) {
		t.Errorf("%s does not say what scores may be used for: %q", kind, data.Text)
	}
	slack, err := m.Slack()
	if err != nil || !strings.Contains(string(slack), "never for pay, appraisal or dismissal") {
		t.Errorf("%s: %s, %v", kind, slack, err)
	}
}

// A digest spells out fifty and counts the rest; the latest time is its own.
func TestDigestText(t *testing.T) {
	all := letters(60, noon)
	all[59].Notice.Class, all[59].Notice.Transition = v1alpha1.NoticeRecognition, v1alpha1.NoticeMet
	all[59].Notice.Time = metav1.NewTime(noon.Add(time.Hour))
	m := Compose(Batch{Message: "d1", Letters: all}, queue(nil))
	if m.ID != "d1_team_chat" || m.Title != "60 messages: 1 recognition met, 59 breach opened" || !m.Time.Equal(noon.Add(time.Hour)) {
		t.Errorf("%q %q %v", m.ID, m.Title, m.Time)
	}
	if m.Data.Total != 60 || len(m.Data.Notices) != 50 || m.Data.Item != nil || !strings.Contains(m.Text(), "- and 10 more\n") || strings.Count(m.Text(), "\n- ") != 51 {
		t.Errorf("%+v", m.Text())
	}
}

// Every page that messages send people to exists.
func TestGuides(t *testing.T) {
	var pages []string
	for _, b := range allBreaches {
		pages = append(pages, guide(&v1alpha1.Notice{Class: v1alpha1.NoticeBreach, Breach: b}))
	}
	for _, c := range []v1alpha1.NoticeClass{v1alpha1.NoticeCase, v1alpha1.NoticeReview, v1alpha1.NoticeRecognition} {
		pages = append(pages, guide(&v1alpha1.Notice{Class: c}))
	}
	for _, p := range append(pages, docs+"notifications.md") {
		if _, err := os.Stat(filepath.Join("../../docs", strings.TrimPrefix(p, docs))); err != nil {
			t.Error(err)
		}
	}
}

// What is sent has room for names of the API's resources and nothing else: no answer, comment, contact or person.
func TestWhatIsSent(t *testing.T) {
	allowed := map[string]bool{}
	for _, f := range []string{
		"ID", "Class", "Transition", "Breach", "Objective", "Item", "Reason", "To", "Step", "Time", "Namespace", "Kind", "Name",
		"Program", "Touchpoint", "Case", "Guide", "Page", "Merged",
	} {
		allowed[f] = true
	}
	for f := range reflect.TypeFor[Item]().Fields() {
		if !allowed[f.Name] {
			t.Errorf("a message holds %s: say in docs/notifications.md why that may leave the cluster", f.Name)
		}
	}
}

// Whatever names hold, a message is plain text: one line for the title, no control characters, nothing that Slack reads as
// markup, and valid JSON.
func FuzzText(f *testing.F) {
	f.Add("Boarding\r\nBcc: all@example.com", "easy", "<!channel>")
	f.Add("a\u202eb\u2028c\x00\x1b[31m", "<https://x|y>", "\xff\xfe")
	f.Fuzz(func(t *testing.T, display, objective, item string) {
		l := told(v1alpha1.NoticeBreach, v1alpha1.NoticeOpened, v1alpha1.BreachActionOverdue)
		l.About.DisplayName, l.Notice.Objective, l.Notice.Item = display, objective, item
		lines := strings.Count(composed(told(v1alpha1.NoticeBreach, v1alpha1.NoticeOpened, v1alpha1.BreachActionOverdue)).Text(), "\n")
		m := composed(l)
		if strings.Count(m.Text(), "\n") != lines {
			t.Fatalf("a name made lines: %q", m.Text())
		}
		for _, r := range m.Text() {
			if r != '\n' && (!unicode.IsGraphic(r) || r == utf8.RuneError) {
				t.Fatalf("%q holds %U", m.Text(), r)
			}
		}
		body, err := m.Slack()
		if err != nil {
			t.Fatal(err)
		}
		var slack struct{ Text string }
		if err := json.Unmarshal(body, &slack); err != nil || strings.ContainsAny(slack.Text, "<>") {
			t.Fatalf("%s: %v", body, err)
		}
		mail, err := m.Mail("cx@example.com", []string{"a@example.com"}, noon)
		if err != nil {
			t.Fatal(err)
		}
		checkHeaders(t, mail)
	})
}

func FuzzClean(f *testing.F) {
	f.Add("a\tb", 10)
	f.Add("\xf0\x9f\x98\x80\xf0\x9f", 5)
	f.Fuzz(func(t *testing.T, s string, most int) {
		most = 3 + max(most, -most)%300
		got := cut(clean(s), max(most, 3))
		if len(got) > max(most, 3) || !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n\t") {
			t.Fatalf("%q of %q", got, s)
		}
	})
}
