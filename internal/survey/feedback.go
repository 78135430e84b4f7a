package survey

import (
	"fmt"
	"slices"
	"strconv"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Score is what the thank-you page gives back to the person who answered: of their own answers alone.
type Score struct {
	// Name and Title of the feedback.
	Name  string
	Title Texts
	// Tenths is the score in tenths, rounded half up; Min and Max are the lowest and highest that it can be, in whole.
	Tenths, Min, Max int
}

// Scores returns the scores of an accepted response, in the survey's order: those whose questions were all answered.
func (s *Survey) Scores(r store.Response) []Score {
	var scores []Score
	for _, f := range s.Feedback {
		if sum, whole := s.sum(f, r); whole {
			low, high := s.bounds(f)
			scores = append(scores, Score{Name: f.Name, Title: f.Title, Tenths: f.tenths(sum), Min: low, Max: high})
		}
	}
	return scores
}

// ScoreOf returns a score as it was given out before, from its tenths; false where the survey could not give it.
func (s *Survey) ScoreOf(name string, tenths int) (Score, bool) {
	i := slices.IndexFunc(s.Feedback, func(f Feedback) bool { return f.Name == name })
	if i < 0 {
		return Score{}, false
	}
	low, high := s.bounds(s.Feedback[i])
	return Score{Name: name, Title: s.Feedback[i].Title, Tenths: tenths, Min: low, Max: high}, tenths >= 10*low && tenths <= 10*high
}

// sum adds up the answers to the feedback's questions; false where one is missing.
func (s *Survey) sum(f Feedback, r store.Response) (sum int, whole bool) {
	for _, name := range f.Questions {
		i := slices.IndexFunc(r.Answers, func(a store.Answer) bool { return a.Question == name && a.Kind == store.KindScale })
		if i < 0 {
			return 0, false
		}
		sum += int(number(r.Answers[i]))
	}
	return sum, true
}

// tenths is the metric of the sum of all answers, in tenths. No scale goes below 0.
func (f Feedback) tenths(sum int) int {
	if f.Metric == string(v1alpha1.FeedbackSum) {
		return 10 * sum
	}
	n := len(f.Questions)
	return (20*sum + n) / (2 * n)
}

// bounds are the lowest and highest value of a feedback.
func (s *Survey) bounds(f Feedback) (low, high int) {
	for _, q := range s.Questions {
		if !slices.Contains(f.Questions, q.Name) {
			continue
		}
		if f.Metric == string(v1alpha1.FeedbackMean) {
			return q.Scale.Min, q.Scale.Max
		}
		low, high = low+q.Scale.Min, high+q.Scale.Max
	}
	return low, high
}

// number is the value of an accepted answer on a scale.
func number(a store.Answer) int64 {
	n, err := strconv.ParseInt(a.Values[0], 10, 64)
	if err != nil {
		panic("survey: an accepted answer on a scale is no integer: " + err.Error())
	}
	return n
}

// checkFeedback refuses a mean over questions of different scales.
func checkFeedback(s *v1alpha1.Survey) []Problem {
	var problems []Problem
	for i, f := range s.Feedback {
		scales := map[score.Scale]string{}
		for _, q := range s.Questions {
			if scale, ok := ScaleOf(q); ok && slices.Contains(f.Questions, q.Name) {
				scales[scale] = q.Name
			}
		}
		if f.Metric == v1alpha1.FeedbackMean && len(scales) > 1 {
			problems = append(problems, Problem{v1alpha1.ReasonInvalidSpec, fmt.Sprintf("spec.survey.feedback[%d].questions", i),
				"the questions of a Mean must have one scale; a Sum may have several"})
		}
	}
	return problems
}
