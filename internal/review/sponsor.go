package review

import (
	"cmp"
	"slices"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/team"
)

// attendanceReviews is how many reviews the attendance of a sponsor is taken over.
const attendanceReviews = 12

// Silence says whether a sponsor is silent.
type Silence struct {
	// Silent is true while the breach SponsorSilent is open.
	Silent bool
	// Since when it is open.
	Since time.Time
	// Next is when to look again if nothing changes before; zero: never.
	Next time.Time
}

// SponsorSilent says whether the sponsor's team was absent from the last reviews of a program, or these were not held, as many
// in a row as the rule allows. A review counts as attended once it was held with the sponsor's team among its attendees, and
// as not attended only when its due time is over: until then people may still hold it, or note who came. Without a rule, a
// sponsor or a team of that sponsor nobody can be silent. Reviews of other programs are passed over.
func SponsorSilent(p *v1alpha1.SurveyProgram, teams team.Lookup, reviews []v1alpha1.Review, rule *v1alpha1.ReviewRule, now time.Time) Silence {
	names, _ := sponsorTeams(p, teams)
	if rule == nil || len(names) == 0 {
		return Silence{}
	}
	s := Silence{}
	absent := []time.Time{} // due times of the run of absences that the last review is in
	for _, seat := range seats(p, names, reviews, now) {
		switch {
		case seat.present:
			absent = absent[:0]
		case seat.due.IsZero():
		case now.Before(seat.due):
			if s.Next.IsZero() || seat.due.Before(s.Next) {
				s.Next = seat.due
			}
		default:
			absent = append(absent, seat.due)
		}
	}
	if n := int(max(rule.SponsorSilentAfterPeriods, 1)); len(absent) >= n {
		s.Silent, s.Since = true, absent[n-1]
	}
	return s
}

// Attendance counts at how many of the last twelve decided reviews the sponsor's team took part; nil where the program has no
// sponsor with a team. For a team of level Person the nearest ancestor is
// named, and nobody where it has none.
func Attendance(p *v1alpha1.SurveyProgram, teams team.Lookup, reviews []v1alpha1.Review, now time.Time) *v1alpha1.SponsorAttendance {
	names, shown := sponsorTeams(p, teams)
	if len(names) == 0 {
		return nil
	}
	var decided []bool
	for _, seat := range seats(p, names, reviews, now) {
		if seat.present || !seat.due.IsZero() && !now.Before(seat.due) {
			decided = append(decided, seat.present)
		}
	}
	if n := len(decided); n > attendanceReviews {
		decided = decided[n-attendanceReviews:]
	}
	a := &v1alpha1.SponsorAttendance{Team: shown, Reviews: int32(len(decided))}
	for _, present := range decided {
		if present {
			a.Attended++
		}
	}
	return a
}

// SponsorAttends says whether the sponsor's team is among the attendees of a review; known is false where the program has no
// sponsor with a team.
func SponsorAttends(p *v1alpha1.SurveyProgram, teams team.Lookup, r *v1alpha1.Review) (present, known bool) {
	names, _ := sponsorTeams(p, teams)
	return attends(r, names), len(names) > 0
}

// sponsorTeams are the names by which the sponsor's team takes part: its own, and for a Person also that of the ancestor who
// stands in and is shown. A team that does not exist takes part in nothing.
func sponsorTeams(p *v1alpha1.SurveyProgram, teams team.Lookup) (names []string, shown string) {
	if p.Spec.ExecutiveSponsor == nil || p.Spec.ExecutiveSponsor.TeamRef == nil {
		return nil, ""
	}
	own := p.Spec.ExecutiveSponsor.TeamRef.Name
	if _, exists := teams(own); !exists {
		return nil, ""
	}
	names = []string{own}
	if shown = team.Shown(own, teams); shown != "" && shown != own {
		names = append(names, shown)
	}
	return names, shown
}

// seat is the sponsor's at one review.
type seat struct {
	present bool
	due     time.Time // zero where it is not known yet
}

// seats of the program's reviews, the oldest period first.
func seats(p *v1alpha1.SurveyProgram, names []string, reviews []v1alpha1.Review, now time.Time) []seat {
	own := slices.DeleteFunc(slices.Clone(reviews), func(r v1alpha1.Review) bool { return r.Spec.ProgramRef.Name != p.Name })
	slices.SortFunc(own, func(a, b v1alpha1.Review) int {
		return cmp.Or(cmp.Compare(a.Spec.Period.To, b.Spec.Period.To), cmp.Compare(a.Spec.Period.From, b.Spec.Period.From), cmp.Compare(a.Name, b.Name))
	})
	loc := locationOf(p)
	all := make([]seat, len(own))
	for i := range own {
		all[i].present = isHeld(&own[i], loc, now) && attends(&own[i], names)
		if due := own[i].Status.DueTime; due != nil {
			all[i].due = due.Time
		}
	}
	return all
}

func attends(r *v1alpha1.Review, names []string) bool {
	return slices.ContainsFunc(r.Spec.Attendees, func(ref v1alpha1.NameRef) bool { return slices.Contains(names, ref.Name) })
}

// locationOf is the program's time zone, UTC where it is not known.
func locationOf(p *v1alpha1.SurveyProgram) *time.Location {
	loc, err := time.LoadLocation(p.Spec.TimeZone)
	if err != nil {
		return time.UTC
	}
	return loc
}
