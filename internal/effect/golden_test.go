package effect

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
)

// The NPS changes of the project's statistics, told by a plan. The interval is that of the adjusted difference.
func TestGoldenNPS(t *testing.T) {
	for name, c := range map[string]struct {
		before, after        [3]int64
		verdict              v1alpha1.EffectVerdict
		change, lower, upper string
		p                    string
	}{
		"20 points less of 100 answers are no evidence": {
			[3]int64{60, 20, 20}, [3]int64{50, 20, 30}, v1alpha1.EffectNoEvidence, "-19.42", "-42.22", "3.38", "0.0951"},
		"16 points less of 500 are": {
			[3]int64{300, 100, 100}, [3]int64{260, 100, 140}, v1alpha1.EffectWorsened, "-15.90", "-26.18", "-5.63", "0.0024"},
		"16 points more of 500 are": {
			[3]int64{260, 100, 140}, [3]int64{300, 100, 100}, v1alpha1.EffectImproved, "15.90", "5.63", "26.18", "0.0024"},
		"30 answers": {
			[3]int64{15, 10, 5}, [3]int64{10, 10, 10}, v1alpha1.EffectNoEvidence, "-30.30", "-67.85", "7.25", "0.1137"},
	} {
		t.Run(name, func(t *testing.T) {
			e := told(npsMeasure(), nps(c.before[0], c.before[1], c.before[2]), nps(c.after[0], c.after[1], c.after[2]))
			if e.Verdict != c.verdict || e.Change != c.change || e.ChangeLower != c.lower || e.ChangeUpper != c.upper || e.PValue != c.p {
				t.Errorf("%s %s [%s %s] p %s", e.Verdict, e.Change, e.ChangeLower, e.ChangeUpper, e.PValue)
			}
			if e.JudgedTime == nil || !e.JudgedTime.Time.Equal(begin.Add(47*day)) {
				t.Errorf("judged at %v", e.JudgedTime)
			}
		})
	}
	e := told(npsMeasure(), nps(60, 20, 20), nps(50, 20, 30))
	if b := e.Baseline; b.Score != "40.00" || b.Lower != "23.38" || b.Upper != "54.29" || b.Responses != 100 {
		t.Errorf("baseline %+v", b)
	}
	if c := e.Baseline.Counts; c["promoters"] != 60 || c["passives"] != 20 || c["detractors"] != 20 || len(c) != 3 {
		t.Errorf("classes %v", c)
	}
	if e.Outcome.Counts != nil {
		t.Errorf("the outcome tells %v, which nothing needs", e.Outcome.Counts)
	}
}

// The first half of May 2017 against the second at San Francisco airport, as if a plan had been carried out on the 16th.
// The figures were computed independently, from the textbook forms.
func TestGoldenAirport(t *testing.T) {
	for question, want := range map[string]string{
		"recommend":     "Improved 9.20 [3.87 14.53] p 0.0007",
		"screens":       "Improved 3.64 [0.45 6.88] p 0.0250",
		"getting-here":  "Worsened -4.62 [-8.01 -1.13] p 0.0097",
		"food":          "NoEvidenceOfChange 3.77 [-0.25 7.79] p 0.0661",
		"shops":         "NoEvidenceOfChange 3.20 [-0.86 7.26] p 0.1228",
		"security":      "NoEvidenceOfChange 1.17 [-1.94 4.37] p 0.4643",
		"parking":       "NoEvidenceOfChange 0.49 [-4.77 5.85] p 0.8567",
		"overall":       "NoEvidenceOfChange 1.71 [-1.22 4.72] p 0.2557",
		"boarding-area": "NoEvidenceOfChange -0.71 [-3.18 1.85] p 0.5818",
	} {
		m := csatMeasure()
		if question == "recommend" {
			m = npsMeasure()
		}
		m.WindowDays = 15
		middle := time.Date(2017, time.May, 16, 0, 0, 0, 0, time.UTC)
		e := Evaluate(Input{
			Now: middle.Add(15 * day), State: v1alpha1.WorkComplete, Started: middle, Completed: middle,
			Rule: v1alpha1.EffectRule{WashoutDays: new(int32)}, Measure: m, Rules: Rules{MinimumResponses: 30, MinimumCell: 5},
			Count: airport(t, question).count, ReadThrough: middle.Add(15 * day),
		}).Effect
		got := string(e.Verdict) + " " + e.Change + " [" + e.ChangeLower + " " + e.ChangeUpper + "] p " + e.PValue
		if got != want {
			t.Errorf("%s: %s, want %s", question, got, want)
		}
		if question == "food" && (e.Baseline.Responses != 989 || e.Outcome.Responses != 1432 || e.Baseline.Counts["satisfied"] != 529) {
			t.Errorf("food: %+v, %+v", e.Baseline, e.Outcome)
		}
	}
}

// The surgeries' friends-and-family test: from February 2024 everybody was asked, and 20 times as many answered.
func TestGoldenFriendsAndFamily(t *testing.T) {
	file, err := os.Open("../score/testdata/gp-fft-counts.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]int{
		"Don't know": 0, "Extremely unlikely": 1, "Unlikely": 2, "Neither likely nor unlikely": 3, "Likely": 4, "Extremely likely": 5,
	}
	a := answers{}
	for _, r := range rows[1:] {
		at, err := time.Parse(time.DateOnly, r[0])
		if err != nil {
			t.Fatal(err)
		}
		a.give(at, score.Counts{labels[r[2]]: int64(number(t, r[3]))})
	}
	m := measureOf(score.CSAT, score.Scale{Min: 0, Max: 5})
	m.Definition.Satisfied = []int{4, 5}
	m.WindowDays = 60
	start := time.Date(2024, time.February, 1, 0, 0, 0, 0, time.UTC)
	e := Evaluate(Input{
		Now: start.Add(60 * day), State: v1alpha1.WorkComplete, Started: start, Completed: start,
		Rule: v1alpha1.EffectRule{WashoutDays: new(int32)}, Measure: m, Rules: Rules{MinimumResponses: 30, MinimumCell: 5},
		Count: a.count, ReadThrough: start.Add(60 * day),
	}).Effect
	got := string(e.Verdict) + " " + e.Change + " [" + e.ChangeLower + " " + e.ChangeUpper + "] p " + e.PValue
	if want := "Improved 4.61 [0.13 10.47] p 0.0433"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if e.Baseline.Responses != 186 || e.Outcome.Responses != 3139 {
		t.Errorf("%d and %d answers", e.Baseline.Responses, e.Outcome.Responses)
	}
}

func TestGoldenMean(t *testing.T) {
	// Welch's t of 3 (sd 1.0171) and 4 (sd 1.0171) of 30 answers each: t 3.8079 with 58 degrees.
	m := measureOf(score.Mean, score.Scale{Min: 1, Max: 5})
	e := told(m, score.Counts{2: 15, 4: 15}, score.Counts{3: 15, 5: 15})
	if e.Verdict != v1alpha1.EffectImproved || e.Change != "1.00" || e.ChangeLower != "0.47" || e.ChangeUpper != "1.53" || e.PValue != "0.0003" {
		t.Errorf("%s %s [%s %s] p %s", e.Verdict, e.Change, e.ChangeLower, e.ChangeUpper, e.PValue)
	}
	if c := e.Baseline.Counts; len(c) != 2 || c["2"] != 15 || c["4"] != 15 {
		t.Errorf("classes %v", c)
	}
}

// How many answers are needed, computed independently from the formula.
func TestGoldenNeeded(t *testing.T) {
	for name, c := range map[string]struct {
		m      *Measure
		before score.Counts
		target string
		want   int64
		ok     bool
	}{
		"NPS 40 of 500 to 55":                    {npsMeasure(), nps(300, 100, 100), "55", 402, true},
		"NPS 40 of 500 to 50 is nearly hopeless": {npsMeasure(), nps(300, 100, 100), "50", 433818, true},
		"NPS 40 of 500 to 45 is hopeless":        {npsMeasure(), nps(300, 100, 100), "45", 30, false},
		"NPS 40 of 100 to 60 is hopeless":        {npsMeasure(), nps(60, 20, 20), "60", 30, false},
		"the airport's food to 65":               {csatMeasure(), score.Counts{2: 1072, 5: 1349}, "65", 229, true},
		"the airport's food to 60":               {csatMeasure(), score.Counts{2: 1072, 5: 1349}, "60", 1827, true},
		"the airport's food to 57":               {csatMeasure(), score.Counts{2: 1072, 5: 1349}, "57", 30, false},
		"80 of 100 to 95":                        {csatMeasure(), score.Counts{2: 20, 5: 80}, "95", 39, true},
		"a target that is reached already":       {csatMeasure(), score.Counts{2: 20, 5: 80}, "70", 30, true},
	} {
		t.Run(name, func(t *testing.T) {
			target := intstr.FromString(c.target)
			e := told(c.m, c.before, nil, func(in *Input) {
				in.State = v1alpha1.WorkInProgress
				in.Expected = &v1alpha1.Expected{Target: target}
			})
			if e.ResponsesNeeded != c.want {
				t.Errorf("%d answers, want %d", e.ResponsesNeeded, c.want)
			}
			if ok := !strings.Contains(e.Explanation, "too few to show such a change"); ok != c.ok {
				t.Errorf("explanation %q", e.Explanation)
			}
		})
	}
}
