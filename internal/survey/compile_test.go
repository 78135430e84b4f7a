package survey

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

func TestCompile(t *testing.T) {
	s := newSurvey(t)

	if s.Program != (store.Key{Namespace: namespace, Name: "passengers"}) {
		t.Errorf("Program = %v", s.Program)
	}
	if s.Asker != "Team airport" {
		t.Errorf("Asker = %q, want the owner's display name", s.Asker)
	}
	if diff := cmp.Diff([]string{"en", "es", "pt-BR"}, s.Languages); diff != "" {
		t.Errorf("Languages (-want +got):\n%s", diff)
	}
	if s.Title["pt-BR"] != "Oi" {
		t.Errorf("Title = %v, want canonical tags", s.Title)
	}
	if diff := cmp.Diff(map[string]string{"airport": "Team airport", "area-g": "Team area-g"}, s.Units); diff != "" {
		t.Errorf("Units (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"food", "comment"}, s.Touchpoints["food"].Questions); diff != "" {
		t.Errorf("a page is not in the survey's order (-want +got):\n%s", diff)
	}
	if s.RetentionDays != 730 || s.MinimumCell != 5 || s.Closed {
		t.Errorf("RetentionDays %d, MinimumCell %d, Closed %v", s.RetentionDays, s.MinimumCell, s.Closed)
	}

	wantScale := map[string]score.Scale{"recommend": {Min: 0, Max: 10}, "food": {Min: 1, Max: 5}, "ease": {Min: 1, Max: 7}, "stars": {Min: 0, Max: 10}}
	for _, q := range s.Questions {
		if q.Scale != wantScale[q.Name] {
			t.Errorf("%s: Scale = %v, want %v", q.Name, q.Scale, wantScale[q.Name])
		}
		if q.Required != (q.Name == "recommend") {
			t.Errorf("%s: Required = %v", q.Name, q.Required)
		}
		if (q.MaxLength != 0) != (q.Name == "comment") {
			t.Errorf("%s: MaxLength = %d", q.Name, q.MaxLength)
		}
	}
	if s.Questions[1].Revision != 3 {
		t.Errorf("Revision = %d, want 3", s.Questions[1].Revision)
	}
}

func TestCompileLeavesOut(t *testing.T) {
	other := newTouchpoint("other-program", nil)
	other.Spec.ProgramRef.Name = "staff"
	foreign := newTouchpoint("foreign", nil)
	foreign.Namespace = "lax"
	foreignTeam := newTeam("lax-team")
	foreignTeam.Namespace = "lax"
	s, problems := Compile(newProgram(), []v1alpha1.Touchpoint{
		other, foreign,
		newTouchpoint("nothing-left", []string{"parking"}),
		newTouchpoint("one-left", []string{"parking", "food"}),
		newTouchpoint("bad-objective", []string{"food"}, objective("food", v1alpha1.MetricNPS, "30")),
	}, []v1alpha1.Team{foreignTeam})
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	want := map[string]Touchpoint{
		"one-left":      {DisplayName: "Touchpoint one-left", Questions: []string{"food"}},
		"bad-objective": {DisplayName: "Touchpoint bad-objective", Questions: []string{"food"}},
	}
	if diff := cmp.Diff(want, s.Touchpoints); diff != "" {
		t.Errorf("Touchpoints (-want +got):\n%s", diff)
	}
	if len(s.Units) > 0 {
		t.Errorf("Units = %v, want none of another namespace", s.Units)
	}
	if s.Asker != "Passenger experience" {
		t.Errorf("Asker = %q, want the program's name where the owner is missing", s.Asker)
	}
}

func TestCompileRefuses(t *testing.T) {
	p := newProgram()
	p.Spec.Survey.Questions[0].Text["klingonisch"] = "Qapla'"
	p.Spec.TimeZone = "Mars/Olympus" // is no matter of the page
	s, problems := Compile(p, nil, nil)
	if s != nil {
		t.Error("a survey with a wrong language tag was compiled")
	}
	if len(problems) != 1 || problems[0].Field != "spec.survey.questions[0].text" || problems[0].Reason != v1alpha1.ReasonInvalidSpec {
		t.Errorf("problems = %v", problems)
	}

	p = newProgram()
	p.Spec.TimeZone = "Mars/Olympus"
	p.Spec.Endpoint.Intake = v1alpha1.IntakeClosed
	if s, problems := Compile(p, nil, nil); s == nil || len(problems) > 0 || !s.Closed {
		t.Errorf("Compile with a wrong time zone = %v, %v; want a closed survey", s, problems)
	}
}

func TestCompileDefaults(t *testing.T) {
	p := newProgram()
	p.Spec.Survey.Questions[3].Minimum, p.Spec.Survey.Questions[3].Maximum = nil, nil
	p.Spec.Survey.Questions[6].MaxLength = nil
	s, _ := Compile(p, nil, nil)
	if got := s.Questions[3].Scale; got != (score.Scale{Min: 1, Max: 5}) {
		t.Errorf("a Rating without bounds has the scale %v, want 1 to 5", got)
	}
	if got := s.Questions[6].MaxLength; got != 1000 {
		t.Errorf("a Text without maxLength has %d, want 1000", got)
	}
}

// TestHash: equal input in another order gives an equal hash, anything that is served gives another.
func TestHash(t *testing.T) {
	want := newSurvey(t)
	rapid.Check(t, func(r *rapid.T) {
		touchpoints := rapid.Permutation([]v1alpha1.Touchpoint{
			newTouchpoint("all", nil), newTouchpoint("gate", []string{"comment", "recommend"}), newTouchpoint("food", []string{"food", "comment"}),
		}).Draw(r, "touchpoints")
		teams := rapid.Permutation([]v1alpha1.Team{newTeam("area-g"), newTeam("airport")}).Draw(r, "teams")
		if got, _ := Compile(newProgram(), touchpoints, teams); cmp.Diff(want, got) != "" {
			r.Errorf("order matters:\n%s", cmp.Diff(want, got))
		}
	})

	seen := map[string]string{want.Hash: "nothing"}
	for name, change := range map[string]func(*v1alpha1.SurveyProgram){
		"display name": func(p *v1alpha1.SurveyProgram) { p.Spec.DisplayName = "x" },
		"text":         func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Questions[0].Text["en"] = "x" },
		"translation":  func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Questions[0].Text["es"] = "x" },
		"revision":     func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Questions[0].Revision = 9 },
		"choice":       func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Questions[4].Choices[0].Name = "x" },
		"requirement":  func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Questions[0].Requirement = "Optional" },
		"bounds":       func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Questions[3].Minimum = ptr(int32(1)) },
		"length":       func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Questions[6].MaxLength = nil },
		"intake":       func(p *v1alpha1.SurveyProgram) { p.Spec.Endpoint.Intake = v1alpha1.IntakeClosed },
		"retention":    func(p *v1alpha1.SurveyProgram) { p.Spec.Privacy.RetentionDays = 1 },
		"order":        func(p *v1alpha1.SurveyProgram) { slices.Reverse(p.Spec.Survey.Questions) },
		"name":         func(p *v1alpha1.SurveyProgram) { p.Name = "x" },
		"access":       func(p *v1alpha1.SurveyProgram) { p.Spec.Access.Mode = v1alpha1.AccessSigned },
		"links":        func(p *v1alpha1.SurveyProgram) { p.Spec.Access.Invitations.ValidDays = 7 },
		"cooldown":     func(p *v1alpha1.SurveyProgram) { p.Spec.Access.Invitations.Cooldown.Program.AfterAnswerDays = 7 },
		"namespace": func(p *v1alpha1.SurveyProgram) {
			p.Spec.Access.Invitations.Cooldown.Namespace.AfterAnswerDays = 7
		},
		"robots": func(p *v1alpha1.SurveyProgram) { p.Spec.Access.Robots.ProofOfWorkBits = 8 },
	} {
		p := newProgram()
		change(p)
		s, problems := Compile(p, nil, nil)
		if s == nil {
			t.Fatalf("%s: %v", name, problems)
		}
		if other, ok := seen[s.Hash]; ok {
			t.Errorf("%s and %s have the same hash", name, other)
		}
		seen[s.Hash] = name
	}
}

// TestSurveyAsJSON: an endpoint in another process gets the survey as JSON and must serve the same.
func TestSurveyAsJSON(t *testing.T) {
	want := newSurvey(t)
	body, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Survey
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, &got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.digest() != want.Hash {
		t.Error("the hash of the survey that was read back is another")
	}
}

func TestPage(t *testing.T) {
	s := newSurvey(t)
	for touchpoint, want := range map[string]string{
		"":     "recommend food ease stars reason services comment",
		"all":  "recommend food ease stars reason services comment",
		"food": "food comment",
		"gate": "recommend comment",
	} {
		page, ok := s.Page(touchpoint)
		var names []string
		for _, q := range page {
			names = append(names, q.Name)
		}
		if got := strings.Join(names, " "); !ok || got != want {
			t.Errorf("Page(%q) = %q, %v; want %q", touchpoint, got, ok, want)
		}
	}
	if page, ok := s.Page("parking"); ok || page != nil {
		t.Errorf("Page of an unknown touchpoint = %v, %v", page, ok)
	}
}
