package main

import (
	"fmt"
	"slices"
	"strings"
)

// Names by which others find the dashboards. They stay: bookmarks and links use them.
const (
	overviewUID       = "cx-program-overview"
	touchpointUID     = "cx-touchpoint-detail"
	accountabilityUID = "cx-accountability"
	followThroughUID  = "cx-follow-through"
	endpointUID       = "cx-endpoint-operations"
)

const (
	repository = "https://github.com/cx-operator/cx-operator/blob/main/"
	runbooks   = repository + "docs/runbooks/"
	// anyRunbook is the runbook of the breach in a row of a table.
	anyRunbook = runbooks + "CX${__data.fields.Breach}.md"
)

// newDashboard makes a dashboard with what all have in common.
func newDashboard(uid, title, description, from string, variables []variable, panels ...*panel) dashboard {
	return dashboard{
		UID: uid, Title: title, Description: description, Tags: []string{"cx-operator"}, Timezone: "browser",
		GraphTooltip: 1, Refresh: "1m", SchemaVersion: 39, Time: timeRange{From: from, To: "now"},
		Annotations: annotations{List: []any{}},
		Links: []link{
			{
				Title: "Other dashboards", Type: "dashboards", Tags: []string{"cx-operator"}, Icon: "external link",
				Tooltip: "The other dashboards of cx-operator", AsDropdown: true, IncludeVars: true, KeepTime: true,
			},
			externalLink("Metrics and alerts", repository+"docs/metrics.md"),
		},
		Templating: templating{List: slices.Concat([]variable{datasource()}, variables)}, Panels: layout(panels...),
	}
}

// externalLink leads out of Grafana, into another tab.
func externalLink(title, url string) link {
	return link{Title: title, Type: "link", URL: url, Tags: []string{}, Icon: "doc", Tooltip: title, TargetBlank: true}
}

// pageLink leads to the page that respondents see, whose address the hidden variable page holds.
func pageLink() link { return externalLink("Survey page", "${page:raw}") }

func datasource() variable {
	return variable{
		Name: "datasource", Label: "Data source", Description: "The Prometheus that scrapes cx-operator.",
		Type: "datasource", Query: "prometheus", Refresh: 1,
	}
}

// labelQuery is how Grafana's Prometheus data source is asked for the values of a label.
type labelQuery struct {
	Query string `json:"query"`
	RefID string `json:"refId"`
}

// values is a variable with the values of a label of the series that a selector finds, of which one is chosen.
func values(name, title, description, selector, label string) variable {
	from := prometheus()
	return variable{
		Name: name, Label: title, Description: description, Type: "query", Datasource: &from, Refresh: 2, Sort: 1,
		Query: labelQuery{fmt.Sprintf("label_values(%s, %s)", selector, label), "variable"},
	}
}

// many lets any number of the values be chosen, all at first. What has no value, as where nobody owns a touchpoint, is
// among all.
func (v variable) many() variable {
	v.Multi, v.IncludeAll, v.AllValue = true, true, ".*"
	return v
}

// hidden is not shown: it serves links.
func (v variable) hidden() variable {
	v.Hide = 2
	return v
}

// Labels by which series of one thing are told apart. Labels of the scrape, such as instance, are left out: the series of a
// leader that ended and of its successor stand side by side for five minutes.
const (
	objectiveKey = "namespace, program, touchpoint, objective, metric, team"
	planKey      = "namespace, program, action_plan, touchpoint, objective, team"
	breachKey    = "namespace, type, kind, name, objective, item, program, team"
	surveyKey    = "namespace, program, touchpoint, team"
	stageKey     = "namespace, program, stage"
	teamKey      = "namespace, team"
	reviewKey    = "namespace, program, review, team"
	noticeKey    = "namespace, kind, name, team"
)

// one is the series of a metric, each once: of the leader, whichever that is.
func one(key, metric, selector string) string {
	return fmt.Sprintf("max by (%s) (%s{%s})", key, metric, selector)
}

// Colours of verdicts and of work.
const (
	green, lightGreen, orange, red, grey, purple, blue, lightBlue = "green", "light-green", "orange", "red", "text", "purple", "blue", "light-blue"
)

// named is a value of a label and its colour.
type named struct{ value, text, color string }

// objectiveStates in the order of the numbers that stand for them in a timeline, from 1.
var objectiveStates = []named{
	{"Met", "Met", green}, {"OnTrack", "On track", lightGreen}, {"AtRisk", "At risk", orange}, {"Missed", "Missed", red},
	{"InsufficientData", "Too few answers", grey}, {"Stale", "Stale", purple},
}

var planStates = []named{
	{"NotStarted", "Not started", orange}, {"OnHold", "On hold", purple}, {"InProgress", "In progress", blue},
	{"Complete", "Complete", green}, {"Cancelled", "Cancelled", grey},
}

// programStages in the order of a program's life, and of the numbers that stand for them in a timeline, from 1.
var programStages = []named{
	{"Design", "Design", grey}, {"Listen", "Listen", lightBlue}, {"Understand", "Understand", blue}, {"Transform", "Transform", purple},
	{"Realize", "Realize", green},
}

var effectVerdicts = []named{
	{"Improved", "Improved", green}, {"NoEvidenceOfChange", "No evidence of change", grey}, {"Worsened", "Worsened", red},
	{"TooEarly", "Too early", blue},
}

// openPlan selects the states of plans that are still to be done.
const openPlan = `state=~"NotStarted|OnHold|InProgress"`

// byText shows values of a label in words and colours.
func byText(states []named) []mapping {
	m := mapping{Type: "value", Options: map[string]mappedResult{}}
	for i, s := range states {
		m.Options[s.value] = mappedResult{Text: s.text, Color: s.color, Index: i}
	}
	return []mapping{m}
}

// byNumber shows the numbers of states in words and colours.
func byNumber(states []named) []mapping {
	m := mapping{Type: "value", Options: map[string]mappedResult{}}
	for i, s := range states {
		m.Options[fmt.Sprint(i+1)] = mappedResult{Text: s.text, Color: s.color, Index: i}
	}
	return []mapping{m}
}

// stateNumber turns the series of states, which a label tells apart and of which one is 1, into one series per key with the number
// of that state.
func stateNumber(key, metric, label, selector string, states []named) string {
	var terms []string
	for i, s := range states {
		terms = append(terms, fmt.Sprintf("%d * %s", i+1, one(key+", "+label, metric, selector+fmt.Sprintf(",%s=%q", label, s.value))))
	}
	return fmt.Sprintf("sum by (%s) (%s)", key, strings.Join(terms, " or "))
}

// colorByName gives each series of a state its colour and its words.
func (p *panel) colorByName(states []named) *panel {
	for _, s := range states {
		p.override(s.value, property{"displayName", s.text}, property{"color", color{"fixed", s.color}})
	}
	return p
}

// coloured has a cell shown in the colours of its values.
func coloured(states []named) []property {
	return []property{
		{"mappings", byText(states)},
		{"custom.cellOptions", map[string]any{"type": "color-background", "mode": "basic"}},
	}
}

// shown has a cell shown in a unit.
func shown(unit string, decimals int) []property {
	return []property{{"unit", unit}, {"decimals", decimals}}
}

// inColour has the text of a cell shown in a unit, as whole numbers, and in the colours of its values.
func inColour(unit string, colours *thresholds) []property {
	return append(shown(unit, 0), property{"thresholds", colours}, property{"custom.cellOptions", map[string]any{"type": "color-text"}})
}

// linked makes a cell a link.
func linked(title, url string, newTab bool) property {
	return property{"links", []dataLink{{title, url, newTab}}}
}

// touchpointLink leads from a row of a table to the details of its touchpoint.
func touchpointLink() property {
	return linked("Details of ${__value.text}", "/d/"+touchpointUID+"?var-datasource=${datasource}"+
		"&var-namespace=${__data.fields.Namespace}&var-program=${__data.fields.Program}&var-touchpoint=${__value.text}", false)
}
