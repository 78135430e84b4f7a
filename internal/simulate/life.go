package simulate

import (
	"math"
	"math/rand/v2"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/escalation"
	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/plan"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	objective  = "satisfaction"
	touchpoint = "simulated"
)

// life is what happened to one touchpoint.
type life struct {
	accused, naiveAccused bool
	// delay in days from the fall to its breach; -1 for none.
	delay, naiveDelay                           int
	plans, unacknowledged, overdue, escalations int
}

// world is one touchpoint with its answers, and the status as the API server would hold it.
type world struct {
	options Options
	chance  *rand.Rand
	// satisfied and answered up to the beginning of each day.
	satisfied, answered []int64
	previous            evaluate.Previous
	plans               []v1alpha1.ActionPlan
	owner               map[string]habits
	life                life
	fallDay             int // -1 for none
}

// replay lives one touchpoint's year.
func replay(o Options, s Stratum, chance *rand.Rand) (life, error) {
	w := &world{options: o, chance: chance, owner: map[string]habits{}, fallDay: -1, life: life{delay: -1, naiveDelay: -1}}
	if s.Fall > 0 {
		w.fallDay = o.Days / 2
	}
	w.answer(s)
	for day := 1; day <= o.Days; day++ {
		if err := w.endDay(day); err != nil {
			return life{}, err
		}
	}
	return w.life, nil
}

// answer draws a year of answers: so many a day by Poisson's law, each satisfied by chance of the true quality.
func (w *world) answer(s Stratum) {
	w.satisfied, w.answered = make([]int64, w.options.Days+1), make([]int64, w.options.Days+1)
	for day := range w.options.Days {
		quality := (w.options.Target + s.Margin) / 100
		if w.fallDay >= 0 && day >= w.fallDay {
			quality -= s.Fall / 100
		}
		n := poisson(w.chance, s.PerMonth*12/365)
		var good int64
		for range n {
			good += int64(count(w.chance.Float64() < quality))
		}
		w.satisfied[day+1], w.answered[day+1] = w.satisfied[day]+good, w.answered[day]+n
	}
}

// poisson draws by multiplication of uniform numbers (Knuth, The Art of Computer Programming 2, 3.4.1), in parts small enough
// for the exponential.
func poisson(chance *rand.Rand, mean float64) int64 {
	var n int64
	for ; mean > 0; mean -= 20 {
		limit, product := math.Exp(-math.Min(mean, 20)), chance.Float64()
		for ; product > limit; product *= chance.Float64() {
			n++
		}
	}
	return n
}

// endDay judges the day that ended, and lets people and clocks do what they do until the next one.
func (w *world) endDay(day int) error {
	now := began.AddDate(0, 0, day).Add(5 * time.Minute)
	out, err := evaluate.Evaluate(evaluate.Input{
		Now: now, Previous: w.previous, Count: w.count,
		Objectives: []evaluate.Objective{w.promise()},
		Rules: evaluate.Rules{
			MinimumResponses: 30, MinimumCell: 5, Release: v1alpha1.ReleaseGuarded, Judging: v1alpha1.JudgingDaily,
			ConfirmDays: int32(w.options.ConfirmDays),
		},
	})
	if err != nil {
		return err
	}
	w.note(day, out)
	open, taken, _ := escalation.Advance(out.Breaches, steps, now)
	w.life.escalations += len(taken)
	for i := range open {
		w.followUp(&open[i], out, now)
	}
	w.live(now)
	w.previous = evaluate.Previous{Objectives: out.Objectives, Breaches: open, Judged: out.Judged}
	return nil
}

// note keeps what was found, by the rule and by the naive one.
func (w *world) note(day int, out evaluate.Output) {
	fallen := w.fallDay >= 0 && day > w.fallDay
	for _, t := range out.Transitions {
		switch {
		case !t.Opened:
		case !fallen:
			w.life.accused = true
		case w.life.delay < 0:
			w.life.delay = day - w.fallDay
		}
	}
	from := max(0, day-w.options.WindowDays)
	good, all := w.satisfied[day]-w.satisfied[from], w.answered[day]-w.answered[from]
	if all == 0 || 100*float64(good) >= w.options.Target*float64(all) {
		return
	}
	switch {
	case !fallen:
		w.life.naiveAccused = true
	case w.life.naiveDelay < 0:
		w.life.naiveDelay = day - w.fallDay
	}
}

func (w *world) promise() evaluate.Objective {
	return evaluate.Objective{
		Name: objective, Question: "ease", Revision: 1, Target: w.options.Target, TargetText: score.FormatDecimal(w.options.Target),
		WindowDays: int32(w.options.WindowDays),
		Definition: score.Definition{Metric: score.CSAT, Scale: score.Scale{Min: 1, Max: 5}, Confidence: 0.95},
	}
}

// count is the feed of counts: answers come at the beginning of their day, satisfied ones as 5 and the others as 2.
func (w *world) count(_ evaluate.Objective, from, to store.Hour) evaluate.Window {
	first, last := w.day(from), w.day(to)
	good, all := w.satisfied[last]-w.satisfied[first], w.answered[last]-w.answered[first]
	return evaluate.Window{Counts: score.Counts{5: good, 2: all - good}, Ever: w.answered[last], Earliest: from, Any: all > 0}
}

// day is how many days began before the hour, within the simulation.
func (w *world) day(h store.Hour) int {
	hours := int(h - store.HourOf(began))
	return min(max((hours+23)/24, 0), w.options.Days)
}

// steps are an escalation as a policy would state it.
var steps = []v1alpha1.EscalationStep{
	{AfterHours: 7 * 24, To: v1alpha1.EscalateLead}, {AfterHours: 14 * 24, To: v1alpha1.EscalateParentTeam},
	{AfterHours: 30 * 24, To: v1alpha1.EscalateSponsor},
}

// followUp decides on the plan of a breach, as the operator does.
func (w *world) followUp(b *v1alpha1.Breach, out evaluate.Output, now time.Time) {
	d := plan.Decide(plan.Situation{
		Now: now, Namespace: "simulation", Program: "simulation", Touchpoint: touchpoint, DisplayName: touchpoint,
		Objective: v1alpha1.Objective{
			Name: objective, Question: "ease", Metric: v1alpha1.MetricCSAT, Target: intstr.FromInt(int(w.options.Target)),
			WindowDays: int32(w.options.WindowDays),
		},
		Status: out.Objectives[0], Breach: *b, Judged: out.Judged, Plans: w.plans,
		Rule: v1alpha1.ActionPlanRule{Mode: v1alpha1.PlanModeCreate, AcknowledgeWithinHours: 48, DueWithinDays: 30},
	})
	b.PlanRef = d.PlanRef
	if d.Create == nil {
		return
	}
	p := *d.Create
	p.CreationTimestamp = metav1.NewTime(now)
	w.plans = append(w.plans, p)
	w.owner[p.Name] = w.habits()
	w.life.plans++
}
