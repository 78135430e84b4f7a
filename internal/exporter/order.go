package exporter

import (
	"cmp"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// The client library sorts the series of each metric by their labels, which was the most of a scrape as long as they came in any
// order. In order they cost it one comparison each. So sources are kept in the order of the labels that most series have, and
// those of objectives, which have more, are put in order here: by dealing them out, since each share is in order then.

// entry is a source with its series, which are replaced as a whole.
type entry struct {
	source Source
	series *Series
}

// rank is what sources are ordered by: labels, in the order of their names.
type rank struct{ namespace, program, team, touchpoint string }

func (s *Series) rank(src Source) rank {
	switch {
	case len(s.Objectives) > 0:
		o := &s.Objectives[0]
		return rank{o.Namespace, o.Program, o.Team, o.Touchpoint}
	case s.Page.URL != "":
		return rank{s.Page.Namespace, s.Page.Program, s.Page.Team, s.Page.Touchpoint}
	case len(s.Cases) > 0:
		c := s.Cases[0]
		return rank{c.Namespace, c.Program, c.Team, c.Touchpoint}
	}
	return rank{src.Namespace, "", "", src.Name}
}

func (a rank) compare(b rank) int {
	return cmp.Or(strings.Compare(a.namespace, b.namespace), strings.Compare(a.program, b.program),
		strings.Compare(a.team, b.team), strings.Compare(a.touchpoint, b.touchpoint))
}

func compareEntries(a, b *entry) int { return a.series.rank(a.source).compare(b.series.rank(b.source)) }

// share is what objectives are dealt out by: the labels before and between those of a rank.
type share struct{ metric, namespace, objective string }

func (a share) compare(b share) int {
	return cmp.Or(strings.Compare(a.metric, b.metric), strings.Compare(a.namespace, b.namespace), strings.Compare(a.objective, b.objective))
}

// objectives sends the series of all objectives in the order of their labels, where those of sources are.
func (w writer) objectives(all []*Series) {
	shares := map[share][]*Objective{}
	for _, s := range all {
		for i := range s.Objectives {
			o := &s.Objectives[i]
			k := share{o.Metric, o.Namespace, o.Objective}
			shares[k] = append(shares[k], o)
		}
	}
	keys := make([]share, 0, len(shares))
	for k := range shares {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, share.compare)
	for _, k := range keys {
		for rest := shares[k]; len(rest) > 0; {
			n := 1
			for n < len(rest) && rest[n].Program == rest[0].Program {
				n++
			}
			w.objectivesOf(rest[:n])
			rest = rest[n:]
		}
	}
}

// objectivesOf sends the series of a program's objectives of one name. The label of the state comes before those of team and
// touchpoint, so all that are for one state go together.
func (w writer) objectivesOf(all []*Objective) {
	labels := make([][]*dto.LabelPair, len(all))
	for i, o := range all {
		labels[i] = pairs(objectiveLabels, o.Namespace, o.Program, o.Touchpoint, o.Objective, o.Metric, o.Team)
		w.objective(o, labels[i])
	}
	if !w.wants(objectiveState) {
		return
	}
	for _, state := range objectiveStates {
		label := pair(stateLabel, string(state))
		for i, o := range all {
			if !slices.Contains(objectiveStates, o.State) {
				continue
			}
			var value float64
			if state == o.State {
				value = 1
			}
			w.gauge(objectiveState, insert(labels[i], label), value)
		}
	}
}
