package main

import "fmt"

// The part of Grafana's model of a dashboard that is used here. The schema test holds the result to Grafana's own types.
type (
	dashboard struct {
		UID           string      `json:"uid"`
		Title         string      `json:"title"`
		Description   string      `json:"description"`
		Tags          []string    `json:"tags"`
		Timezone      string      `json:"timezone"`
		Editable      bool        `json:"editable"`
		GraphTooltip  int         `json:"graphTooltip"`
		Refresh       string      `json:"refresh"`
		SchemaVersion int         `json:"schemaVersion"`
		Time          timeRange   `json:"time"`
		Annotations   annotations `json:"annotations"`
		Links         []link      `json:"links"`
		Templating    templating  `json:"templating"`
		Panels        []panel     `json:"panels"`
	}
	timeRange struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	annotations struct {
		List []any `json:"list"`
	}
	templating struct {
		List []variable `json:"list"`
	}
	link struct {
		Title       string   `json:"title"`
		Type        string   `json:"type"`
		URL         string   `json:"url,omitempty"`
		Tags        []string `json:"tags"`
		Tooltip     string   `json:"tooltip"`
		Icon        string   `json:"icon"`
		AsDropdown  bool     `json:"asDropdown"`
		IncludeVars bool     `json:"includeVars"`
		KeepTime    bool     `json:"keepTime"`
		TargetBlank bool     `json:"targetBlank"`
	}
	source struct {
		Type string `json:"type"`
		UID  string `json:"uid"`
	}
	variable struct {
		Name        string  `json:"name"`
		Label       string  `json:"label"`
		Description string  `json:"description"`
		Type        string  `json:"type"`
		Query       any     `json:"query"`
		Datasource  *source `json:"datasource,omitempty"`
		Hide        int     `json:"hide"`
		Refresh     int     `json:"refresh,omitempty"`
		Sort        int     `json:"sort,omitempty"`
		Multi       bool    `json:"multi"`
		IncludeAll  bool    `json:"includeAll"`
		AllValue    string  `json:"allValue,omitempty"`
	}
	position struct {
		H int `json:"h"`
		W int `json:"w"`
		X int `json:"x"`
		Y int `json:"y"`
	}
	panel struct {
		ID              int              `json:"id"`
		Type            string           `json:"type"`
		Title           string           `json:"title"`
		Description     string           `json:"description,omitempty"`
		Datasource      *source          `json:"datasource,omitempty"`
		GridPos         position         `json:"gridPos"`
		Targets         []target         `json:"targets,omitempty"`
		Options         any              `json:"options,omitempty"`
		FieldConfig     *fieldConfig     `json:"fieldConfig,omitempty"`
		Transformations []transformation `json:"transformations,omitempty"`
		Links           []link           `json:"links,omitempty"`
		Collapsed       *bool            `json:"collapsed,omitempty"`
		Panels          *[]panel         `json:"panels,omitempty"`
	}
	target struct {
		Datasource   source `json:"datasource"`
		RefID        string `json:"refId"`
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat,omitempty"`
		Format       string `json:"format"`
		Instant      bool   `json:"instant"`
		Range        bool   `json:"range"`
	}
	transformation struct {
		ID      string `json:"id"`
		Options any    `json:"options"`
	}
	fieldConfig struct {
		Defaults  fieldDefaults `json:"defaults"`
		Overrides []override    `json:"overrides"`
	}
	fieldDefaults struct {
		Unit       string         `json:"unit,omitempty"`
		Decimals   *int           `json:"decimals,omitempty"`
		Min        *float64       `json:"min,omitempty"`
		Max        *float64       `json:"max,omitempty"`
		NoValue    string         `json:"noValue,omitempty"`
		Color      *color         `json:"color,omitempty"`
		Thresholds *thresholds    `json:"thresholds,omitempty"`
		Mappings   []mapping      `json:"mappings,omitempty"`
		Links      []dataLink     `json:"links,omitempty"`
		Custom     map[string]any `json:"custom,omitempty"`
	}
	color struct {
		Mode       string `json:"mode"`
		FixedColor string `json:"fixedColor,omitempty"`
	}
	thresholds struct {
		Mode  string      `json:"mode"`
		Steps []threshold `json:"steps"`
	}
	threshold struct {
		Color string   `json:"color"`
		Value *float64 `json:"value"` // nil is the lowest
	}
	mapping struct {
		Type    string                  `json:"type"`
		Options map[string]mappedResult `json:"options"`
	}
	mappedResult struct {
		Text  string `json:"text"`
		Color string `json:"color,omitempty"`
		Index int    `json:"index"`
	}
	dataLink struct {
		Title       string `json:"title"`
		URL         string `json:"url"`
		TargetBlank bool   `json:"targetBlank"`
	}
	override struct {
		Matcher    matcher    `json:"matcher"`
		Properties []property `json:"properties"`
	}
	matcher struct {
		ID      string `json:"id"`
		Options string `json:"options"`
	}
	property struct {
		ID    string `json:"id"`
		Value any    `json:"value"`
	}
)

// prometheus is the data source that the reader of a dashboard chose.
func prometheus() source { return source{Type: "prometheus", UID: "${datasource}"} }

// number makes what JSON may leave out.
func number(n float64) *float64 { return &n }

// steps are thresholds: the first colour holds from below, each further one from its value on.
func steps(lowest string, more ...any) *thresholds {
	t := &thresholds{Mode: "absolute", Steps: []threshold{{Color: lowest}}}
	for i := 0; i+1 < len(more); i += 2 {
		at, isNumber := more[i].(float64)
		named, isText := more[i+1].(string)
		if !isNumber || !isText {
			panic(fmt.Sprintf("thresholds are pairs of a number and a colour, not %v", more[i:i+2]))
		}
		t.Steps = append(t.Steps, threshold{Color: named, Value: number(at)})
	}
	return t
}
