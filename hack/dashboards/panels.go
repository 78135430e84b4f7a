package main

import (
	"strings"
)

// A panel is made by one of the functions below and then told apart by its methods, each of which returns the panel.

// fairness ends the description of every panel that shows scores or breaches.
const fairness = "This is a signal about the customers' experience, not about anyone's performance."

// query is one question to Prometheus: its expression, and what its series are called.
type query struct{ expr, legend string }

func newPanel(kind, title, description string, width, height int) *panel {
	from := prometheus()
	return &panel{
		Type: kind, Title: title, Description: description, Datasource: &from, GridPos: position{W: width, H: height},
		FieldConfig: &fieldConfig{Overrides: []override{}},
	}
}

// lines is a chart over time.
func lines(title, description string, width, height int, queries ...query) *panel {
	p := newPanel("timeseries", title, description, width, height)
	p.Options = map[string]any{
		"legend":  map[string]any{"calcs": []string{"lastNotNull"}, "displayMode": "table", "placement": "bottom", "showLegend": true},
		"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
	}
	p.FieldConfig.Defaults = fieldDefaults{
		Color: &color{Mode: "palette-classic"},
		Custom: map[string]any{
			"drawStyle": "line", "lineWidth": 1, "fillOpacity": 0, "showPoints": "never", "spanNulls": false,
			"lineInterpolation": "linear", "axisPlacement": "auto",
		},
	}
	return p.ask(queries, false, "time_series")
}

// stat is a figure of now.
func stat(title, description string, width, height int, queries ...query) *panel {
	p := newPanel("stat", title, description, width, height)
	p.Options = map[string]any{
		"colorMode": "value", "graphMode": "none", "justifyMode": "auto", "textMode": "auto", "orientation": "auto",
		"percentChangeColorMode": "standard", "showPercentChange": false, "wideLayout": true,
		"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
	}
	p.FieldConfig.Defaults = fieldDefaults{Color: &color{Mode: "thresholds"}, Thresholds: steps("text")}
	return p.ask(queries, true, "time_series")
}

// names has a stat show the names of its series instead of their values.
func (p *panel) names() *panel {
	p.option("textMode", "name")
	return p
}

// bars compares figures of now.
func bars(title, description string, width, height int, queries ...query) *panel {
	p := newPanel("bargauge", title, description, width, height)
	p.Options = map[string]any{
		"displayMode": "basic", "orientation": "horizontal", "valueMode": "color", "namePlacement": "auto", "sizing": "auto",
		"showUnfilled": true, "minVizHeight": 16, "minVizWidth": 8, "maxVizHeight": 300,
		"legend":        map[string]any{"calcs": []string{}, "displayMode": "list", "placement": "bottom", "showLegend": false},
		"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
	}
	p.FieldConfig.Defaults = fieldDefaults{Color: &color{Mode: "thresholds"}, Thresholds: steps("blue"), Min: number(0)}
	return p.ask(queries, true, "time_series")
}

// timeline shows which of some states each series was in.
func timeline(title, description string, width, height int, states []mapping, q query) *panel {
	p := newPanel("state-timeline", title, description, width, height)
	p.Options = map[string]any{
		"alignValue": "left", "mergeValues": true, "rowHeight": 0.9, "showValue": "auto",
		"legend":  map[string]any{"calcs": []string{}, "displayMode": "list", "placement": "bottom", "showLegend": true},
		"tooltip": map[string]any{"mode": "single", "sort": "none"},
	}
	p.FieldConfig.Defaults = fieldDefaults{
		Color: &color{Mode: "thresholds"}, Thresholds: steps("text"), Mappings: states,
		Custom: map[string]any{"fillOpacity": 70, "lineWidth": 0},
	}
	return p.ask([]query{q}, false, "time_series")
}

// column of a table: the field as Prometheus names it, its title, and how it is shown. A column without a title is hidden.
type column struct {
	field, title string
	shown        []property
}

// table shows one row per set of labels, with the value of each query as a column: "Value #A", "Value #B" and so on.
func table(title, description string, width, height int, columns []column, queries ...query) *panel {
	p := newPanel("table", title, description, width, height)
	p.Options = map[string]any{"cellHeight": "sm", "frameIndex": 0, "showHeader": true}
	p.FieldConfig.Defaults = fieldDefaults{
		Color: &color{Mode: "thresholds"}, Thresholds: steps("text"),
		Custom: map[string]any{"align": "auto", "filterable": true},
	}
	hidden, renamed, order := map[string]bool{"Time": true}, map[string]string{}, map[string]int{}
	for i, c := range columns {
		order[c.field] = i
		if c.title == "" {
			hidden[c.field] = true
			continue
		}
		renamed[c.field] = c.title
		if len(c.shown) > 0 {
			p.override(c.title, c.shown...)
		}
	}
	p.Transformations = []transformation{
		{ID: "merge", Options: map[string]any{}},
		{ID: "organize", Options: map[string]any{"excludeByName": hidden, "renameByName": renamed, "indexByName": order}},
	}
	return p.ask(queries, true, "table")
}

// sorted sorts a table by a column's title.
func (p *panel) sorted(title string, descending bool) *panel {
	p.option("sortBy", []map[string]any{{"displayName": title, "desc": descending}})
	return p
}

// ask sets the queries of a panel: of now, or over time.
func (p *panel) ask(queries []query, instant bool, format string) *panel {
	for i, q := range queries {
		p.Targets = append(p.Targets, target{
			Datasource: prometheus(), RefID: string(rune('A' + i)), Expr: strings.Join(strings.Fields(q.expr), " "),
			LegendFormat: q.legend, Format: format, Instant: instant, Range: !instant,
		})
	}
	return p
}

func (p *panel) option(name string, value any) {
	options, ok := p.Options.(map[string]any)
	if !ok {
		panic("the panel " + p.Title + " takes no options")
	}
	options[name] = value
}

// unit sets the unit of all fields, and how many decimals are shown.
func (p *panel) unit(unit string, decimals int) *panel {
	p.FieldConfig.Defaults.Unit = unit
	p.FieldConfig.Defaults.Decimals = &decimals
	return p
}

// upToOne has the scale go from 0 to 1, as shares do.
func (p *panel) upToOne() *panel {
	p.FieldConfig.Defaults.Min, p.FieldConfig.Defaults.Max = number(0), number(1)
	return p
}

// fromZero begins the scale at zero.
func (p *panel) fromZero() *panel {
	p.FieldConfig.Defaults.Min = number(0)
	return p
}

func (p *panel) thresholds(t *thresholds) *panel {
	p.FieldConfig.Defaults.Thresholds = t
	return p
}

// none says what stands where there is no series, where that is good news.
func (p *panel) none(text string) *panel {
	p.FieldConfig.Defaults.NoValue = text
	return p
}

// stacked fills the area under the lines and puts them on top of each other.
func (p *panel) stacked() *panel {
	p.FieldConfig.Defaults.Custom["fillOpacity"] = 30
	p.FieldConfig.Defaults.Custom["stacking"] = map[string]any{"mode": "normal", "group": "A"}
	return p
}

// override shows the field of a name in its own way.
func (p *panel) override(name string, properties ...property) *panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, override{matcher{"byName", name}, properties})
	return p
}

// band draws an interval as an area between the lines lower and upper, and a target, if any, as a dashed one.
func (p *panel) band(target string) *panel {
	const lower, upper = "lower", "upper"
	faint := property{"color", color{"fixed", "#8ab8ff"}}
	hairline := property{"custom.lineWidth", 0}
	p.override(lower, faint, hairline)
	p.override(upper, faint, hairline, property{"custom.fillBelowTo", lower}, property{"custom.fillOpacity", 25})
	if target == "" {
		return p
	}
	return p.override(target, property{"color", color{"fixed", "text"}},
		property{"custom.lineStyle", map[string]any{"fill": "dash", "dash": []int{8, 6}}})
}

// runbook adds a link to the runbook of an alert.
func (p *panel) runbook(alert string) *panel {
	p.Links = append(p.Links, externalLink("Runbook of "+alert, runbooks+alert+".md"))
	return p
}

// guide adds a link to a page of the documentation.
func (p *panel) guide(title, page string) *panel {
	p.Links = append(p.Links, externalLink(title, repository+page))
	return p
}

// row begins a new part of a dashboard.
func row(title string) *panel {
	open, empty := false, []panel{}
	return &panel{Type: "row", Title: title, GridPos: position{W: gridWidth, H: 1}, Collapsed: &open, Panels: &empty}
}

// gridWidth is how many columns Grafana's grid has.
const gridWidth = 24

// layout numbers the panels and puts them side by side, from left to right and from top to bottom.
func layout(panels ...*panel) []panel {
	var all []panel
	x, y, height := 0, 0, 0
	for i, p := range panels {
		if x+p.GridPos.W > gridWidth {
			x, y, height = 0, y+height, 0
		}
		p.ID, p.GridPos.X, p.GridPos.Y = i+1, x, y
		x, height = x+p.GridPos.W, max(height, p.GridPos.H)
		all = append(all, *p)
	}
	return all
}
