package review

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
)

var nps = score.Definition{Metric: score.NPS, Scale: score.Scale{Min: 0, Max: 10}, Confidence: 0.95}

// trinomial is so many promoters, passives and detractors.
func trinomial(p, q, d int64) score.Counts { return score.Counts{10: p, 8: q, 0: d} }

func objective(touchpoint string, now, before score.Counts) Objective {
	return Objective{
		Touchpoint: touchpoint, Name: "recommend", Question: "recommend", Revision: 1, Definition: nps, Target: "35",
		State: v1alpha1.StateOnTrack, Current: now, Previous: before,
	}
}

func week(objectives ...Objective) Input {
	return Input{
		Now: time.Date(2026, 11, 23, 0, 10, 0, 5000, time.UTC), Period: v1alpha1.Period{From: "2026-11-16", To: "2026-11-22"},
		MinimumCell: 5, Objectives: objectives,
	}
}

func freeze(t *testing.T, in Input) *v1alpha1.ReviewFigures {
	t.Helper()
	f, err := Freeze(in)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The figures are those of the statistics: (60,20,20) to (50,20,30) is a change of -19.42 that is not significant.
func TestFreeze(t *testing.T) {
	f := freeze(t, week(objective("", trinomial(50, 20, 30), trinomial(60, 20, 20)), objective("desk", trinomial(260, 100, 140), trinomial(300, 100, 100))))
	want := []v1alpha1.ReviewedObjective{
		{
			Objective: "recommend", Metric: v1alpha1.MetricNPS, Target: "35", State: v1alpha1.StateOnTrack, Score: "20.00", Lower: "2.65", Upper: "36.18",
			Responses: 100, PreviousResponses: 100, Change: "-19.42", ChangeLower: "-42.22", ChangeUpper: "3.38",
		},
		{
			Touchpoint: "desk", Objective: "recommend", Metric: v1alpha1.MetricNPS, Target: "35", State: v1alpha1.StateOnTrack, Score: "24.00", Lower: "16.33", Upper: "31.38",
			Responses: 500, PreviousResponses: 500, Change: "-15.90", ChangeLower: "-26.18", ChangeUpper: "-5.63", Significant: true,
		},
	}
	if !reflect.DeepEqual(f.Objectives, want) {
		t.Errorf("%+v\nwant %+v", f.Objectives, want)
	}
	if f.Use != v1alpha1.CoachingText || f.Previous != (v1alpha1.Period{From: "2026-11-09", To: "2026-11-15"}) || f.FrozenTime.Nanosecond() != 0 {
		t.Errorf("%+v", f)
	}
}

func TestNothingBelowTheFloor(t *testing.T) {
	f := freeze(t, week(objective("", trinomial(4, 0, 0), trinomial(90, 5, 5)), objective("desk", trinomial(90, 5, 5), trinomial(1, 2, 1))))
	for _, o := range f.Objectives[:1] {
		if o.Score+o.Lower+o.Upper+o.Change+o.ChangeLower+o.ChangeUpper != "" || o.Responses != 4 || o.PreviousResponses != 100 {
			t.Errorf("%+v of 4 answers", o)
		}
	}
	if o := f.Objectives[1]; o.Score != "85.00" || o.Change+o.ChangeLower+o.ChangeUpper != "" || o.Significant {
		t.Errorf("%+v against 4 answers", o)
	}
}

// shown names the touchpoints with figures, "*" the program's own, with a + where the change is shown as well.
func shown(f *v1alpha1.ReviewFigures) string {
	var names []string
	for _, o := range f.Objectives {
		if o.Score == "" {
			continue
		}
		name := o.Touchpoint
		if name == "" {
			name = "*"
		}
		if o.Change != "" {
			name += "+"
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// Whoever subtracts what is shown from the whole finds none, or enough answers.
func TestSubtraction(t *testing.T) {
	many, few := trinomial(20, 20, 10), trinomial(1, 1, 1)
	for name, c := range map[string]struct {
		objectives []Objective
		want       string
	}{
		"nothing is hidden": {
			[]Objective{objective("", trinomial(40, 40, 20), many), objective("a", many, many), objective("b", many, many)}, "*+ a+ b+",
		},
		"one is hidden: the smallest of the others is too": {
			[]Objective{objective("", trinomial(41, 41, 21), many), objective("a", many, many), objective("b", many, many), objective("c", few, many)}, "*+ b+",
		},
		"one is hidden, and the whole is not shown": {
			[]Objective{objective("a", many, many), objective("b", many, many), objective("c", few, many)}, "a+ b+",
		},
		"two are hidden, together enough": {
			[]Objective{objective("", trinomial(42, 42, 22), many), objective("a", many, many), objective("b", many, many), objective("c", few, many), objective("d", few, many)},
			"*+ a+ b+",
		},
		"answers without a touchpoint are hidden ones": {
			[]Objective{objective("", trinomial(41, 41, 20), many), objective("a", many, many), objective("b", many, many)}, "*+ b+",
		},
		"the only one, and a few others": {
			[]Objective{objective("", trinomial(21, 21, 10), many), objective("a", many, many)}, "*+",
		},
		"the period before hides its change only": {
			[]Objective{objective("", trinomial(40, 40, 20), trinomial(21, 21, 11)), objective("a", many, many), objective("b", many, few)}, "*+ a b",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := shown(freeze(t, week(c.objectives...))); got != c.want {
				t.Errorf("shown %q, want %q", got, c.want)
			}
		})
	}
}

// Another question of the touchpoint has other answers, and two objectives on one question have the same.
func TestSubtractionIsByQuestion(t *testing.T) {
	many, few := trinomial(20, 20, 10), trinomial(1, 1, 1)
	other := objective("a", many, many)
	other.Name, other.Question = "other", "other"
	twin := objective("a", many, many)
	twin.Name = "twin"
	f := freeze(t, week(objective("", trinomial(21, 21, 11), many), objective("a", many, many), twin, other, objective("b", few, many)))
	var names []string
	for _, o := range f.Objectives {
		if o.Score != "" {
			names = append(names, o.Touchpoint+"/"+o.Objective)
		}
	}
	if want := []string{"/recommend", "a/other"}; !slices.Equal(names, want) {
		t.Errorf("shown %q, want %q", names, want)
	}
}

// Answers that were erased after the last review froze are not given away by the change against it.
func TestErasedAnswersStayHidden(t *testing.T) {
	earlier := freeze(t, week(objective("desk", trinomial(60, 20, 20), trinomial(60, 20, 20))))
	for name, c := range map[string]struct {
		before score.Counts
		want   string
	}{
		"nothing was erased": {trinomial(60, 20, 20), "desk+"},
		"one was":            {trinomial(60, 20, 19), "desk"},
		"four came late":     {trinomial(60, 20, 24), "desk"},
		"five were":          {trinomial(60, 20, 15), "desk+"},
	} {
		in := week(objective("desk", trinomial(50, 20, 30), c.before))
		in.Earlier = earlier
		if got := shown(freeze(t, in)); got != c.want {
			t.Errorf("%s: shown %q, want %q", name, got, c.want)
		}
	}
}

// Counts that fit no scale leave one objective without figures, and the error says which.
func TestCountsOffTheScale(t *testing.T) {
	f, err := Freeze(week(objective("desk", score.Counts{11: 50}, nil), objective("gate", trinomial(60, 20, 20), nil)))
	if err == nil || !strings.Contains(err.Error(), `touchpoint "desk"`) || f == nil || shown(f) != "gate" {
		t.Errorf("%+v, %v", f, err)
	}
	in := week()
	in.Period.To = "2026-11-01"
	if f, err := Freeze(in); err == nil || f != nil {
		t.Errorf("%+v, %v of a period that is none", f, err)
	}
}

func TestFreezeIsBoundedAndSorted(t *testing.T) {
	in := week()
	since := metav1.NewTime(in.Now)
	for i := range 300 {
		name := string(rune('a'+i%26)) + string(rune('a'+i/26))
		in.Objectives = append(in.Objectives, objective(name, nil, nil))
		in.Breaches = append(in.Breaches, v1alpha1.ReviewedBreach{Kind: "Touchpoint", Name: name, Type: v1alpha1.BreachObjectiveMissed, Since: since})
		in.Plans = append(in.Plans, v1alpha1.ReviewedPlan{Name: name})
		in.Themes = append(in.Themes, v1alpha1.Theme{Words: name, Question: "why", Comments: int64(1000 - i)})
	}
	f := freeze(t, in)
	if len(f.Objectives) != 200 || len(f.Breaches) != 200 || len(f.Plans) != 200 || len(f.Themes) != 20 {
		t.Errorf("%d objectives, %d breaches, %d plans, %d themes", len(f.Objectives), len(f.Breaches), len(f.Plans), len(f.Themes))
	}
	if f.Objectives[0].Touchpoint != "aa" || f.Breaches[1].Name != "ab" || f.Plans[2].Name != "ac" || f.Themes[19].Comments != 981 {
		t.Error("the first by name, and the most frequent themes, are not those that are kept")
	}
	slices.Reverse(in.Objectives)
	slices.Reverse(in.Breaches)
	slices.Reverse(in.Plans)
	if again := freeze(t, in); !reflect.DeepEqual(again, f) {
		t.Error("another order gives other figures")
	}
}

func TestDigest(t *testing.T) {
	f := freeze(t, week(objective("desk", trinomial(50, 20, 30), trinomial(60, 20, 20))))
	f.Themes = []v1alpha1.Theme{{Words: "Wörter <und> 会员", Question: "why", Comments: 12, PreviousComments: ptr.To[int64](10)}}
	digest, err := Digest(f)
	if err != nil {
		t.Fatal(err)
	}
	// Computed apart from this code: jq -cSj .status.figures | sha256sum
	if want := "sha256:919950b02e4bd2e47a787496ef6f175d3f7d2255522d40c6b8c5ca981d435967"; digest != want {
		t.Errorf("%s, want %s", digest, want)
	}
	if !Verify(f, digest) {
		t.Error("not verified")
	}
	changed := f.DeepCopy()
	changed.Objectives[0].Score = "20.01"
	if Verify(changed, digest) || Verify(f, "") || Verify(nil, digest) || Verify(f, strings.ToUpper(digest)) {
		t.Error("verified what is not so")
	}
}

// FuzzFreeze: the same counts give the same figures and digest; nothing of fewer than the least number of answers is shown, and
// neither is anything by which such could be found by subtraction.
func FuzzFreeze(f *testing.F) {
	f.Add([]byte{0, 50, 20, 30, 1, 60, 20, 20, 2, 1, 1, 1}, uint8(5))
	f.Add([]byte{0, 90, 0, 0, 1, 40, 0, 0, 2, 47, 0, 0, 3, 3, 0, 0}, uint8(10))
	f.Fuzz(func(t *testing.T, data []byte, cell uint8) {
		in := week()
		in.MinimumCell = int64(cell)
		sum := trinomial(0, 0, 0)
		for i := 0; i+3 < len(data) && i < 80; i += 4 {
			c := trinomial(int64(data[i+1]), int64(data[i+2]), int64(data[i+3]))
			for v, n := range c {
				sum[v] += n
			}
			if data[i]%8 > 0 { // else without a touchpoint
				in.Objectives = append(in.Objectives, objective(string(rune('a'+i/4)), c, c))
			}
		}
		in.Objectives = append(in.Objectives, objective("", sum, sum))
		figures := freeze(t, in)
		if !reflect.DeepEqual(figures, freeze(t, in)) {
			t.Fatal("figures differ from one time to the next")
		}
		digest, err := Digest(figures)
		if err != nil || !Verify(figures, digest) || len(digest) > 71 {
			t.Fatalf("%q, %v", digest, err)
		}
		least, rest, whole := max(int64(cell), 1), total(sum), false
		for _, o := range figures.Objectives {
			switch {
			case o.Score == "":
			case o.Responses < least:
				t.Fatalf("%+v of fewer than %d answers", o, least)
			case o.Touchpoint == "":
				whole = true
			default:
				rest -= o.Responses
			}
		}
		if whole && rest != 0 && rest < least {
			t.Fatalf("%d answers are found by subtraction, of at least %d: %+v", rest, least, figures.Objectives)
		}
	})
}
