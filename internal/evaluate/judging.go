package evaluate

import (
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// point is what is to be judged now.
type point struct {
	// day is true when a day of the program ended that was not judged yet; dayEnd is the end of the judged window.
	day    bool
	dayEnd store.Hour
	// imported is true when an import ended that was not judged yet.
	imported bool
	// judged is how far is judged after this evaluation.
	judged *v1alpha1.Judging
}

// reached says whether this evaluation is a judging point.
func (p point) reached() bool { return p.day || p.imported }

// pointOf finds what is to be judged. The first evaluation judges no day, since nobody was promised anything while it ran,
// but an import that ended before. Of several days that ended, only the last is judged. Without objectives nothing is.
func pointOf(in Input) point {
	if len(in.Objectives) == 0 {
		return point{judged: in.Previous.Judged.DeepCopy()}
	}
	today := dateOf(in.Now, in.Rules.Location)
	judged := v1alpha1.Judging{}
	if in.Previous.Judged != nil {
		judged = *in.Previous.Judged
	}
	p := point{judged: &judged}
	if in.LastImport != "" && in.LastImport != judged.Import {
		p.imported = true
		judged.Import = in.LastImport
	}
	yesterday := today.AddDate(0, 0, -1)
	through, ok := parseDate(judged.Through)
	switch {
	case !ok, through.After(today.AddDate(0, 0, 1)):
		// The first evaluation, or one after the clock had been far ahead: more than any change of time zone explains.
		judged.Through = yesterday.Format(time.DateOnly)
	case through.Before(yesterday):
		judged.Through = yesterday.Format(time.DateOnly)
		p.day = true
		p.dayEnd = hourAfter(dayStart(today, in.Rules.Location))
	}
	return p
}

// missedAt says whether the verdict at the judging point is Missed: of the window that ends with the day, or after an
// import of the live one.
func missedAt(in Input, p point, o Objective, live reading) (bool, error) {
	if p.imported && missed(in.Rules, o, live) {
		if stood, err := stoodMissed(in, o, WindowEnd(in.Now)); stood || err != nil {
			return stood, err
		}
	}
	if !p.day {
		return false, nil
	}
	r, err := read(in, o, p.dayEnd)
	if err != nil || !missed(in.Rules, o, r) {
		return false, err
	}
	return stoodMissed(in, o, p.dayEnd)
}

// stoodMissed says whether the objective stood Missed in each window that ended a day, two days and so on before, as many as
// the rules ask to confirm a verdict. A single bad look at rolling windows is soon had by chance; a run of them seldom is.
func stoodMissed(in Input, o Objective, to store.Hour) (bool, error) {
	for day := range store.Hour(max(in.Rules.ConfirmDays, 0)) {
		r, err := read(in, o, to-(day+1)*hoursPerDay)
		if err != nil || !missed(in.Rules, o, r) {
			return false, err
		}
	}
	return true, nil
}

func missed(r Rules, o Objective, w reading) bool {
	return w.result.N >= r.MinimumResponses && w.result.HasInterval && exactVerdict(o, w) == v1alpha1.StateMissed
}
