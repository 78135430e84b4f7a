package objectives

import "github.com/cx-operator/cx-operator/internal/exporter"

// PageSeries returns the metric of the page that respondents see, empty where none is served.
func PageSeries(l Label, url string) exporter.Page {
	if url == "" {
		return exporter.Page{}
	}
	return exporter.Page{Namespace: l.Namespace, Program: l.Program, Touchpoint: l.Touchpoint, Team: l.Team, URL: url}
}
