package feedback

import (
	"cmp"
	"slices"
	"time"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// coachingWindowDays is the window of questions that no objective is about.
const coachingWindowDays = 90

// subject is a program or touchpoint whose answers may speak of a team.
type subject struct {
	program    *v1alpha1.SurveyProgram
	touchpoint string
	objectives []v1alpha1.Objective
	// evidence that is asked for, by the program or the policy that governs.
	evidence v1alpha1.Evidence
}

// counter counts answers in the hours [from, to): those that speak of the unit, and all.
type counter func(question string, revision int32, from, to store.Hour) (unit, all rollup.Window)

// coach returns what was said of a unit, by objective and question, for those with any answer ever. It is pure.
func coach(s subject, now time.Time, count counter) []feedbackv1alpha1.CoachingScore {
	var scores []feedbackv1alpha1.CoachingScore
	questions := map[string]v1alpha1.Question{}
	for _, q := range s.program.Spec.Survey.Questions {
		questions[q.Name] = q
	}
	asked := map[string]bool{}
	for _, o := range s.objectives {
		asked[o.Question] = true
		if one, ok := s.score(o, questions[o.Question], now, count); ok {
			scores = append(scores, one)
		}
	}
	if s.touchpoint == "" {
		for _, q := range s.program.Spec.Survey.Questions {
			metric, ok := plainMetric(q)
			if asked[q.Name] || !ok {
				continue
			}
			if one, ok := s.score(v1alpha1.Objective{Question: q.Name, Metric: metric, WindowDays: coachingWindowDays}, q, now, count); ok {
				scores = append(scores, one)
			}
		}
	}
	slices.SortStableFunc(scores, func(a, b feedbackv1alpha1.CoachingScore) int {
		return cmp.Or(cmp.Compare(a.Objective, b.Objective), cmp.Compare(a.Question, b.Question))
	})
	return scores
}

// plainMetric is how a question is scored that no objective is about; false for questions that have no score by themselves.
func plainMetric(q v1alpha1.Question) (v1alpha1.Metric, bool) {
	switch q.Type {
	case v1alpha1.QuestionNPS:
		return v1alpha1.MetricNPS, true
	case v1alpha1.QuestionCES:
		return v1alpha1.MetricCESTopBox, true
	case v1alpha1.QuestionCSAT, v1alpha1.QuestionRating:
		return v1alpha1.MetricMean, true
	}
	return "", false
}

// score computes one figure, false where nothing was ever answered or the definition does not fit its question. Figures show
// only where there is enough evidence, and where nobody's single answer follows from them: neither the unit's answers nor
// those of all others may be fewer than the privacy floor.
func (s subject) score(o v1alpha1.Objective, q v1alpha1.Question, now time.Time, count counter) (feedbackv1alpha1.CoachingScore, bool) {
	definition, err := survey.Definition(o, q, s.evidence)
	if err != nil {
		return feedbackv1alpha1.CoachingScore{}, false
	}
	to := s.until(now)
	unit, all := count(o.Question, q.Revision, to-store.Hour(o.WindowDays)*24, to)
	if unit.Ever == 0 {
		return feedbackv1alpha1.CoachingScore{}, false
	}
	out := feedbackv1alpha1.CoachingScore{
		Program: s.program.Name, Touchpoint: s.touchpoint, Objective: o.Name, Question: o.Question, Metric: string(o.Metric),
		WindowDays: o.WindowDays, State: feedbackv1alpha1.CoachingInsufficientData,
	}
	mine, err := score.Compute(definition, unit.Counts())
	if err != nil {
		return out, true
	}
	floor := int64(s.program.Spec.Privacy.MinimumCell)
	others := answers(all) - mine.N
	if mine.N < max(floor, int64(s.evidence.MinimumResponses)) || others > 0 && others < floor || !mine.HasInterval {
		return out, true
	}
	out.State, out.Responses = feedbackv1alpha1.CoachingShown, mine.N
	out.Score, out.Lower, out.Upper = score.FormatDecimal(mine.Value), score.FormatDecimal(mine.Lower), score.FormatDecimal(mine.Upper)
	return out, true
}

// answers is how many answers a window has.
func answers(w rollup.Window) int64 {
	var n int64
	for _, k := range w.Counts() {
		n += k
	}
	return n
}

// until is the hour at which windows end. With guarded release that is where the program's last day ended: figures that moved
// with each answer would tell it.
func (s subject) until(now time.Time) store.Hour {
	if s.program.Spec.Privacy.Release == v1alpha1.ReleaseImmediate {
		return store.HourOf(now) + 1
	}
	location, err := time.LoadLocation(s.program.Spec.TimeZone)
	if err != nil {
		location = time.UTC
	}
	year, month, day := now.In(location).Date()
	return store.HourOf(time.Date(year, month, day, 0, 0, 0, 0, location))
}
