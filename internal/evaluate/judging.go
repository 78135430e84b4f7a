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
		return true, nil
	}
	if !p.day {
		return false, nil
	}
	r, err := read(in, o, p.dayEnd)
	return err == nil && missed(in.Rules, o, r), err
}

func missed(r Rules, o Objective, w reading) bool {
	return w.result.N >= r.MinimumResponses && w.result.HasInterval && exactVerdict(o, w) == v1alpha1.StateMissed
}
