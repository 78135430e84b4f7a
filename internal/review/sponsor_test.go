package review

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// teams: the board, and a person below it.
func teams(name string) (*v1alpha1.Team, bool) {
	switch name {
	case "board":
		return &v1alpha1.Team{Spec: v1alpha1.TeamSpec{Level: v1alpha1.TeamCompany}}, true
	case "chief":
		return &v1alpha1.Team{Spec: v1alpha1.TeamSpec{Level: v1alpha1.TeamPerson, ParentRef: &v1alpha1.NameRef{Name: "board"}}}, true
	case "hermit":
		return &v1alpha1.Team{Spec: v1alpha1.TeamSpec{Level: v1alpha1.TeamPerson}}, true
	}
	return nil, false
}

func sponsored(name string) *v1alpha1.SurveyProgram {
	p := &v1alpha1.SurveyProgram{}
	p.Name = "visits"
	p.Spec.ExecutiveSponsor = &v1alpha1.Sponsor{DisplayName: "Chief Customer Officer", TeamRef: &v1alpha1.NameRef{Name: name}}
	return p
}

// weeks makes reviews of consecutive weeks from 2026-09-07 on, each due a week after its end. One letter each: A held with the
// board, a held without, m not held.
func weeks(pattern string) []v1alpha1.Review {
	var all []v1alpha1.Review
	monday := time.Date(2026, 9, 7, 0, 0, 0, 0, time.UTC)
	for i, kind := range pattern {
		first := monday.AddDate(0, 0, 7*i)
		end := first.AddDate(0, 0, 7)
		dueTime, met := metav1.NewTime(end.AddDate(0, 0, 7)), metav1.NewTime(end.AddDate(0, 0, 2))
		r := reviewOf(first.Format(time.DateOnly), end.AddDate(0, 0, -1).Format(time.DateOnly), due(&dueTime))
		switch kind {
		case 'A':
			held(&met, "concessions", "board")(&r)
		case 'a':
			held(&met, "concessions")(&r)
		}
		all = append(all, r)
	}
	return all
}

// dueOf is when the review of week i is due.
func dueOf(i int) time.Time { return time.Date(2026, 9, 21, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 7*i) }

func TestSponsorSilent(t *testing.T) {
	rule := &v1alpha1.ReviewRule{SponsorSilentAfterPeriods: 3}
	for name, c := range map[string]struct {
		pattern string
		now     time.Time
		silent  bool
		since   time.Time
		next    time.Time
	}{
		"no review yet":                      {"", dueOf(9), false, time.Time{}, time.Time{}},
		"present":                            {"AAA", dueOf(9), false, time.Time{}, time.Time{}},
		"absent twice":                       {"Aaa", dueOf(9), false, time.Time{}, time.Time{}},
		"absent three times":                 {"Aaaa", dueOf(9), true, dueOf(3), time.Time{}},
		"absent for longer, since the third": {"aaaaaa", dueOf(9), true, dueOf(2), time.Time{}},
		"not held counts as absent":          {"Aamm", dueOf(9), true, dueOf(3), time.Time{}},
		"the third still has time":           {"Aaaa", dueOf(3).Add(-time.Second), false, time.Time{}, dueOf(3)},
		"to the second":                      {"Aaaa", dueOf(3), true, dueOf(3), time.Time{}},
		"presence ends it at once":           {"aaaA", dueOf(3).Add(-time.Hour), false, time.Time{}, time.Time{}},
		"silent again later":                 {"aaaAmmm", dueOf(9), true, dueOf(6), time.Time{}},
		"next of several that have time":     {"Ammm", dueOf(2).Add(-time.Second), false, time.Time{}, dueOf(2)},
	} {
		t.Run(name, func(t *testing.T) {
			s := SponsorSilent(sponsored("board"), teams, weeks(c.pattern), rule, c.now)
			if s.Silent != c.silent || !s.Since.Equal(c.since) || !s.Next.Equal(c.next) {
				t.Errorf("%+v, want %t since %s, next %s", s, c.silent, c.since, c.next)
			}
		})
	}
}

// Nobody is silent who was not asked.
func TestNobodyIsSilentUnasked(t *testing.T) {
	rule := &v1alpha1.ReviewRule{SponsorSilentAfterPeriods: 1}
	nobody := sponsored("board")
	nobody.Spec.ExecutiveSponsor = nil
	teamless := sponsored("board")
	teamless.Spec.ExecutiveSponsor.TeamRef = nil
	others := sponsored("board")
	others.Name = "others"
	for name, s := range map[string]Silence{
		"without a policy":           SponsorSilent(sponsored("board"), teams, weeks("mmm"), nil, dueOf(9)),
		"without a sponsor":          SponsorSilent(nobody, teams, weeks("mmm"), rule, dueOf(9)),
		"without a team":             SponsorSilent(teamless, teams, weeks("mmm"), rule, dueOf(9)),
		"with a team that is no one": SponsorSilent(sponsored("ghosts"), teams, weeks("mmm"), rule, dueOf(9)),
		"of another program":         SponsorSilent(others, teams, weeks("mmm"), rule, dueOf(9)),
	} {
		if s != (Silence{}) {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if s := SponsorSilent(sponsored("board"), teams, weeks("mmm"), rule, dueOf(9)); !s.Silent {
		t.Errorf("a sponsor who was asked is not silent: %+v", s)
	}
}

// For a person the ancestor stands in, in both directions: as attendee, and by name.
func TestAPersonIsNeverNamed(t *testing.T) {
	rule := &v1alpha1.ReviewRule{SponsorSilentAfterPeriods: 1}
	if s := SponsorSilent(sponsored("chief"), teams, weeks("A"), rule, dueOf(9)); s.Silent {
		t.Error("the board does not stand in for its chief")
	}
	if a := Attendance(sponsored("chief"), teams, weeks("Aa"), dueOf(9)); a == nil || a.Team != "board" || a.Attended != 1 || a.Reviews != 2 {
		t.Errorf("%+v", a)
	}
	if a := Attendance(sponsored("hermit"), teams, weeks("Aa"), dueOf(9)); a == nil || a.Team != "" || a.Attended != 0 || a.Reviews != 2 {
		t.Errorf("%+v", a)
	}
}

func TestAttendance(t *testing.T) {
	for name, c := range map[string]struct {
		pattern           string
		now               time.Time
		attended, reviews int32
	}{
		"none":                     {"", dueOf(9), 0, 0},
		"all":                      {"AAA", dueOf(9), 3, 3},
		"some":                     {"AamA", dueOf(9), 2, 4},
		"what is still to be held": {"Am", dueOf(1).Add(-time.Second), 1, 1},
		"only the last twelve":     {"AAAAAAmmmmmmmmmmmm", dueOf(30), 0, 12},
	} {
		a := Attendance(sponsored("board"), teams, weeks(c.pattern), c.now)
		if a == nil || a.Team != "board" || a.Attended != c.attended || a.Reviews != c.reviews {
			t.Errorf("%s: %+v, want %d of %d", name, a, c.attended, c.reviews)
		}
	}
	if a := Attendance(&v1alpha1.SurveyProgram{}, teams, nil, dueOf(0)); a != nil {
		t.Errorf("attendance of nobody: %+v", a)
	}
	r := weeks("A")[0]
	if present, known := SponsorAttends(sponsored("board"), teams, &r); !present || !known {
		t.Error("the board was there")
	}
	if present, known := SponsorAttends(&v1alpha1.SurveyProgram{}, teams, &r); present || known {
		t.Error("nobody was there")
	}
}

// The order in which reviews are listed does not matter.
func TestOrderDoesNotMatter(t *testing.T) {
	rule := &v1alpha1.ReviewRule{SponsorSilentAfterPeriods: 2}
	shuffled := rand.New(rand.NewPCG(1, 2))
	for _, pattern := range []string{"AmaAmm", "mmmmA", "amAma"} {
		all := weeks(pattern)
		want := fmt.Sprint(SponsorSilent(sponsored("board"), teams, all, rule, dueOf(4)))
		for range 20 {
			mixed := slices.Clone(all)
			shuffled.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
			if got := fmt.Sprint(SponsorSilent(sponsored("board"), teams, mixed, rule, dueOf(4))); got != want {
				t.Fatalf("%s: %s, in another order %s", pattern, want, got)
			}
		}
	}
}
