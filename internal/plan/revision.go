package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
)

const (
	// keptRevisions of a plan, mostChanges of one revision, and longestChange in characters are what the status holds.
	keptRevisions = 20
	mostChanges   = 20
	longestChange = 200
)

// Observe returns a summary of a plan's spec that revisions are told from, by field: dates, states, names and numbers as
// they are, texts that people wrote as digests. An action is one field, so that the greatest plan fits.
func Observe(spec *v1alpha1.ActionPlanSpec) map[string]string {
	o := summary{}
	o.put("touchpointRef", nameOf(spec.TouchpointRef))
	o.put("programRef", nameOf(spec.ProgramRef))
	o.put("objective", spec.Objective)
	o.text("problem", spec.Problem)
	o.put("ownerRef", nameOf(spec.OwnerRef))
	if spec.Assignee != nil {
		o.text("assignee", spec.Assignee.DisplayName)
	}
	o.put("dueDate", spec.DueDate)
	o.put("state", string(spec.State))
	if a := spec.Acknowledgement; a != nil {
		o.text("acknowledgement.by", a.By)
		o.put("acknowledgement.time", a.Time.UTC().Format(time.RFC3339))
	}
	if spec.Expected != nil {
		o.put("expected.target", spec.Expected.Target.String())
	}
	o.text("hypothesis", spec.Hypothesis)
	o.days("effect.washoutDays", spec.Effect.WashoutDays)
	o.days("effect.windowDays", spec.Effect.WindowDays)
	if b := spec.Business; b != nil {
		o.money("business.cost", b.Cost)
		o.money("business.valuePerPoint", b.ValuePerPoint)
		o.days("business.effortDays", &b.EffortDays)
		o.text("business.goal", b.Goal)
	}
	for i := range spec.Actions {
		o.action(&spec.Actions[i])
	}
	return o
}

// actionField is the field of an action in a summary; its parts are in the order of actionParts.
const actionField = "actions/"

// actionParts are what is told of an action; the last is a text.
var actionParts = []string{"state", "dueDate", "ownerRef", "category", "description"}

// summary of a spec, by field. Empty fields are left out.
type summary map[string]string

func (s summary) put(field, value string) {
	if value != "" {
		s[field] = value
	}
}

// textMark begins the value of a field that is a text.
const textMark = "#"

func (s summary) text(field, value string) {
	if value != "" {
		s[field] = textMark + digest(value)
	}
}

func (s summary) days(field string, n *int32) {
	if n != nil {
		s.put(field, strconv.Itoa(int(*n)))
	}
}

func (s summary) money(field string, m *v1alpha1.Money) {
	if m != nil {
		s.put(field, m.Amount+" "+m.Currency)
	}
}

func (s summary) action(a *v1alpha1.Action) {
	parts := []string{string(a.State), a.DueDate, nameOf(a.OwnerRef), string(a.Category), textMark + digest(a.Description)}
	s[actionField+a.Name] = strings.Join(parts, ",") // no part has a comma
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

func nameOf(ref *v1alpha1.NameRef) string {
	if ref == nil {
		return ""
	}
	return ref.Name
}

// Revise returns the revisions of a plan with the one that leads from the last summary to the next, of a generation seen at
// a time; at most 20, the oldest give way. Without a last summary, or without a difference, there is none: the operator
// never writes a spec, so that every difference is people's. The arguments are not changed.
func Revise(revisions []v1alpha1.Revision, last, next map[string]string, generation int64, now time.Time) []v1alpha1.Revision {
	changes := differences(last, next)
	if len(last) == 0 || len(changes) == 0 {
		return revisions
	}
	all := append(slices.Clone(revisions), v1alpha1.Revision{Generation: generation, Time: breach.Since(now), Changes: changes})
	return all[max(0, len(all)-keptRevisions):]
}

// differences are told as "dueDate: 2026-12-01 -> 2026-12-31", of texts as the field alone, in order of the fields.
func differences(last, next map[string]string) []string {
	fields := map[string]bool{}
	for field := range last {
		fields[field] = true
	}
	for field := range next {
		fields[field] = true
	}
	var changes []string
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		before, after := last[field], next[field]
		switch {
		case before == after:
		case strings.HasPrefix(field, actionField):
			changes = append(changes, actionDifferences(strings.TrimPrefix(field, actionField), before, after)...)
		default:
			changes = append(changes, difference(field, before, after))
		}
	}
	for i, c := range changes {
		changes[i] = c[:min(len(c), longestChange)]
	}
	if len(changes) > mostChanges {
		rest := len(changes) - mostChanges + 1
		changes = append(changes[:mostChanges-1], fmt.Sprintf("and %d more", rest))
	}
	return changes
}

func actionDifferences(name, before, after string) []string {
	switch {
	case before == "":
		return []string{"actions[" + name + "]: added"}
	case after == "":
		return []string{"actions[" + name + "]: removed"}
	}
	was, is := strings.Split(before, ","), strings.Split(after, ",")
	if len(was) != len(actionParts) || len(is) != len(actionParts) {
		return []string{"actions[" + name + "]"}
	}
	var changes []string
	for i, part := range actionParts {
		if was[i] != is[i] {
			changes = append(changes, difference("actions["+name+"]."+part, was[i], is[i]))
		}
	}
	return changes
}

func difference(field, before, after string) string {
	if strings.HasPrefix(before, textMark) || strings.HasPrefix(after, textMark) {
		return field
	}
	return fmt.Sprintf("%s: %s -> %s", field, orNone(before), orNone(after))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
