package participation

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// skips are the reasons for which an invitation is not made, in the order in which they are shown.
var skips = []store.Skip{
	{Scope: "program", Reason: "invited"}, {Scope: "program", Reason: "answered"},
	{Scope: "namespace", Reason: "invited"}, {Scope: "namespace", Reason: "answered"},
}

// checks against robots, in the order in which they are shown. An import may tell of others, which a label of a metric
// must not grow with.
var checks = []string{"honeypot", "page", "time", "proof"}

// otherCheck stands for every check that is none of checks.
const otherCheck = "other"

// compute returns the figures that may be shown; nil for none.
func compute(in Input, c counts, to store.Hour) *v1alpha1.Participation {
	cell := max(in.MinimumCell, 1)
	p := &v1alpha1.Participation{WindowDays: WindowDays, WindowEnd: timeOf(to)}
	if started := add(c.completed, sum(c.unfinished)); started >= cell {
		p.Started, p.Completed, p.Completion = &started, &c.completed, share(c.completed, started, in.Confidence)
		p.DropOff = dropOff(c.unfinished, in.Questions)
	}
	if sum(c.seconds) >= cell {
		p.MedianSeconds, p.P90Seconds = quantile(c.seconds, 5), quantile(c.seconds, 9)
	}
	if c.invited >= cell {
		p.Invited, p.Answered, p.ResponseRate = &c.invited, &c.answered, share(c.answered, c.invited, in.Confidence)
	}
	if add(c.invited, sum(c.skipped)) >= cell {
		p.Skipped = skipped(c.skipped)
	}
	p.Suspect = suspect(c.suspect)
	if p.Started == nil && p.MedianSeconds == nil && p.Invited == nil && len(p.Skipped) == 0 && len(p.Suspect) == 0 {
		return nil
	}
	return p
}

// share is x of n, 0 <= x <= n, n > 0, with Wilson's score interval: Wilson, "Probable Inference, the Law of Succession, and
// Statistical Inference", JASA 22, 1927. Completion is finished of started, the response rate answered of invited.
func share(x, n int64, confidence float64) *v1alpha1.Share {
	lower, upper := score.Wilson(x, n, confidence)
	return &v1alpha1.Share{
		Percent: score.FormatDecimal(100 * float64(x) / float64(n)),
		Lower:   score.FormatDecimal(100 * lower),
		Upper:   score.FormatDecimal(100 * upper),
	}
}

// quantile is the tenths-th decile by nearest rank: the smallest bucket up to which at least that share of all lies, as its
// upper end in seconds. It is definition 1 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American
// Statistician 50, 1996. Times are shown so, never as a mean: a page left open over lunch would carry it.
func quantile(seconds map[int64]int64, tenths int64) *int64 {
	n := sum(seconds)
	rank := n/10*tenths + (n%10*tenths+9)/10
	var below int64
	for _, s := range slices.Sorted(maps.Keys(seconds)) {
		if below = add(below, seconds[s]); below >= rank {
			return &s
		}
	}
	return nil
}

// dropOff is where visits ended, in the survey's order. Those whose question is gone come last together, so that the list
// is little longer than the survey at the most, and adds up to all.
func dropOff(unfinished map[string]int64, questions []string) []v1alpha1.DropOff {
	rest := sum(unfinished)
	var all []v1alpha1.DropOff
	for _, q := range questions {
		if n := unfinished[q]; n > 0 && q != "" {
			all = append(all, v1alpha1.DropOff{Question: q, Unfinished: n})
			rest -= n
		}
	}
	if rest > 0 {
		all = append(all, v1alpha1.DropOff{Unfinished: rest})
	}
	return all
}

func skipped(values map[string]int64) []v1alpha1.SkippedInvitations {
	var all []v1alpha1.SkippedInvitations
	for _, s := range skips {
		if n := values[s.String()]; n > 0 {
			all = append(all, v1alpha1.SkippedInvitations{Scope: s.Scope, Reason: s.Reason, Invitations: n})
		}
	}
	return all
}

// suspect is shown however few there are: it says nothing of an answer, and a check that strikes people must be noticed.
func suspect(values map[string]int64) []v1alpha1.SuspectResponses {
	others := maps.Clone(values)
	var all []v1alpha1.SuspectResponses
	for _, check := range checks {
		if n := values[check]; n > 0 {
			all = append(all, v1alpha1.SuspectResponses{Check: check, Responses: n})
		}
		delete(others, check)
	}
	if n := sum(others); n > 0 {
		all = append(all, v1alpha1.SuspectResponses{Check: otherCheck, Responses: n})
	}
	return all
}

// Ratio is a Share as metrics have it, each from 0 to 1. False where there is none.
func Ratio(s *v1alpha1.Share) (value, lower, upper float64, ok bool) {
	if s == nil {
		return 0, 0, 0, false
	}
	var all [3]float64
	for i, text := range []string{s.Percent, s.Lower, s.Upper} {
		percent, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, 0, 0, false
		}
		all[i] = math.Round(100*percent) / 1e4 // the float nearest to what is shown
	}
	return all[0], all[1], all[2], true
}
