package evaluate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Objective is one promise to judge.
type Objective struct {
	// Name, unique within the resource.
	Name string
	// Question and Revision whose answers count.
	Question string
	Revision int32
	// Definition of the metric.
	Definition score.Definition
	// Target in the metric's unit, and as it is written in the spec.
	Target     float64
	TargetText string
	// WindowDays is the length of the window in days of 24 hours; below 1 counts as 1.
	WindowDays int32
}

// Digest identifies what is measured: question, revision, metric, scale, window, satisfied values and confidence, but not
// the target. It is stored in status, so a change of its form closes every open breach.
func (o Objective) Digest() string {
	satisfied := slices.Clone(o.Definition.Satisfied)
	slices.Sort(satisfied)
	text := fmt.Sprintf("%q %d %s %d %d %d %v %s", o.Question, o.Revision, o.Definition.Metric,
		o.Definition.Scale.Min, o.Definition.Scale.Max, o.window()/hoursPerDay, satisfied,
		strconv.FormatFloat(o.Definition.Confidence, 'g', -1, 64))
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

const hoursPerDay = 24

// window is the length of the window in hours.
func (o Objective) window() store.Hour { return store.Hour(max(o.WindowDays, 1)) * hoursPerDay }

// targetText is the target as status shows it: as written, if that is the target.
func (o Objective) targetText() string {
	if t, err := strconv.ParseFloat(o.TargetText, 64); err == nil && t == o.Target {
		return o.TargetText
	}
	return strconv.FormatFloat(o.Target, 'f', -1, 64)
}

// sameTarget says whether the previous status was judged against the same target.
func sameTarget(o Objective, previous *v1alpha1.ObjectiveStatus) bool {
	if previous == nil {
		return false
	}
	t, err := strconv.ParseFloat(previous.Target, 64)
	return err == nil && t == o.Target
}

func (o Objective) validate() error {
	if math.IsNaN(o.Target) || math.IsInf(o.Target, 0) {
		return &ObjectiveError{o.Name, fmt.Errorf("target: %v is not a number that can be reached", o.Target)}
	}
	return nil
}

// ObjectiveError says why one objective cannot be judged.
type ObjectiveError struct {
	// Objective is its name.
	Objective string
	Err       error
}

// Error names the objective and the cause.
func (e *ObjectiveError) Error() string { return fmt.Sprintf("objective %q: %v", e.Objective, e.Err) }

// Unwrap returns the cause.
func (e *ObjectiveError) Unwrap() error { return e.Err }
