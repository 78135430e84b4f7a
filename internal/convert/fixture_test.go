package convert

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

var (
	programKey = store.Key{Namespace: "sfo", Name: "passenger"}
	now        = time.Date(2026, time.November, 21, 9, 30, 0, 0, time.UTC)
)

// testSurvey has every type of question.
func testSurvey() *survey.Survey {
	return &survey.Survey{
		Program: programKey, DefaultLanguage: "en", Languages: []string{"en", "es"},
		Questions: []survey.Question{
			{Name: "recommend", Type: "NPS", Revision: 1, Scale: score.Scale{Min: 0, Max: 10},
				Text: survey.Texts{"en": "How likely are you to recommend SFO?", "es": "¿Recomendaría SFO?"}},
			{Name: "experience", Type: "CSAT", Revision: 1, Scale: score.Scale{Min: 1, Max: 5}, Text: survey.Texts{"en": "Overall"}},
			{Name: "trip", Type: "SingleChoice", Revision: 1, Text: survey.Texts{"en": "Your trip", "es": "Su viaje"},
				Choices: []survey.Choice{
					{Name: "business", Label: survey.Texts{"en": "Business", "es": "Trabajo"}},
					{Name: "leisure", Label: survey.Texts{"en": "Leisure", "es": "Ocio"}},
				}},
			{Name: "used", Type: "MultipleChoice", Revision: 1, Text: survey.Texts{"en": "What did you use?"},
				Choices: []survey.Choice{
					{Name: "wifi", Label: survey.Texts{"en": "WiFi"}},
					{Name: "lounge", Label: survey.Texts{"en": "Lounge"}},
					{Name: "drinks", Label: survey.Texts{"en": "Food; drinks"}},
					{Name: "none", Label: survey.Texts{"en": "None of <these>"}},
				}},
			{Name: "comment", Type: "Text", Revision: 1, MaxLength: 200, Text: survey.Texts{"en": "What should we know?"}},
		},
		Touchpoints: map[string]survey.Touchpoint{"security": {DisplayName: "Security and screening", Questions: []string{"experience", "comment"}}},
		Units:       map[string]string{"area-a": "Boarding area A", "area-g": "Boarding area G"},
	}
}

func mustMap(t testing.TB, text string) Mapping {
	t.Helper()
	m, err := ParseMapping([]byte(text))
	if err != nil {
		t.Fatalf("mapping: %v", err)
	}
	return m
}

func sample(t testing.TB, name string) io.Reader {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(content)
}

// convert runs a file through a mapping and checks that every row went one way.
func convert(t testing.TB, j Job, in io.Reader) ([]survey.Submission, *Report, error) {
	t.Helper()
	r := NewReport()
	var subs []survey.Submission
	accepted := map[int]bool{}
	err := j.Convert("file", in, r, func(s survey.Submission, line int) error {
		subs = append(subs, s)
		accepted[line] = true
		return nil
	})
	checkReport(t, r, subs, accepted)
	return subs, r, err
}

func checkReport(t testing.TB, r *Report, subs []survey.Submission, accepted map[int]bool) {
	t.Helper()
	if r.Rows.Read != r.Rows.Accepted+r.Rows.Rejected+r.Rows.Skipped {
		t.Errorf("rows do not add up: %+v", r.Rows)
	}
	if r.Answers != len(subs) || r.Rows.Accepted != len(accepted) {
		t.Errorf("%d answers and %d rows were handed on, the report says %d and %d", len(subs), len(accepted), r.Answers, r.Rows.Accepted)
	}
	for _, p := range r.Problems {
		if accepted[p.Line] {
			t.Errorf("line %d is both accepted and rejected: %s", p.Line, p.Message)
		}
	}
	ids := map[string]bool{}
	for _, s := range subs {
		if ids[s.ID] {
			t.Errorf("id %s is given twice", s.ID)
		}
		ids[s.ID] = true
	}
}

func csvJob(t testing.TB, mapping string) Job {
	t.Helper()
	return Job{Program: programKey, Mapping: mustMap(t, mapping), Survey: testSurvey(), Now: now}
}

// lines joins what may be read more easily one below the other.
func lines(l ...string) string { return strings.Join(l, "\n") + "\n" }
