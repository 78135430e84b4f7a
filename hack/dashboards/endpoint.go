package main

import "fmt"

// endpoint is the dashboard of those who run cx-operator: what is taken, refused and shown, how fast, and by what.
func endpoint() dashboard {
	const (
		programs = `namespace=~"$namespace",program=~"$program"`
		jobs     = `job=~"$job"`
	)
	variables := []variable{
		values("namespace", "Namespace", "Namespaces of the programs.", `{__name__=~"cx_responses_accepted_total|cx_endpoint_replicas"}`, "namespace").many(),
		values("program", "Program", "Programs that are shown.",
			`{__name__=~"cx_responses_accepted_total|cx_endpoint_replicas",namespace=~"$namespace"}`, "program").many(),
		values("job", "Job", "cx-operator is the manager, which serves Embedded programs; cx-operator-endpoint are the pods of Dedicated ones.",
			`up{job=~"cx-operator.*"}`, "job").many(),
	}
	rate := func(by, metric string) string {
		return fmt.Sprintf("sum by (%s) (rate(%s{%s}[$__rate_interval]))", by, metric, programs)
	}
	replicas := func(metric string) string { return one("namespace, program", metric, programs) }
	const slow = `histogram_quantile(%s, sum by (le, job) (rate(cx_response_commit_duration_seconds_bucket{` + jobs + `}[$__rate_interval])))`
	panels := []*panel{
		row("Is it there"),
		stat("Processes", "Processes that Prometheus can scrape, by job.", 6, 6,
			query{`sum by (job) (up{` + jobs + `})`, "{{job}}"}).unit("short", 0).thresholds(steps(red, 1.0, green)).runbook("CXEndpointDown"),
		lines("Ready replicas", "Pods of Dedicated programs that take answers, and how many are wanted.", 9, 6,
			query{replicas("cx_endpoint_ready_replicas"), "{{namespace}}/{{program}} ready"},
			query{replicas("cx_endpoint_replicas"), "{{namespace}}/{{program}} wanted"}).unit("short", 0).fromZero().runbook("CXEndpointDown"),
		timeline("Readability", "Whether the manager can read the counts of each Dedicated program. Until it can again, verdicts are Stale and none is invented.", 9, 6,
			[]mapping{{Type: "value", Options: map[string]mappedResult{
				"0": {Text: "unreadable", Color: red}, "1": {Text: "readable", Color: green, Index: 1},
			}}}, query{replicas("cx_endpoint_readable"), "{{namespace}}/{{program}}"}).runbook("CXObjectiveStale"),
		lines("Stale objectives", "Objectives whose counts cannot be read, by program. The figures shown of them are history.", 24, 6,
			query{fmt.Sprintf("sum by (namespace, program) (%s)", one(objectiveKey, "cx_objective_state", programs+`,state="Stale"`)), "{{namespace}}/{{program}}"}).
			unit("short", 0).fromZero().runbook("CXObjectiveStale"),
		row("What comes in"),
		lines("Answers taken", "Responses that were accepted and are durable, per second.", 8, 8,
			query{rate("namespace, program", "cx_responses_accepted_total"), "{{namespace}}/{{program}}"}).unit("reqps", 2).fromZero(),
		lines("Answers refused, by reason",
			"Responses that were not accepted, per second. unavailable means that the store could not take them: those customers were asked to try again.", 8, 8,
			query{rate("reason", "cx_responses_rejected_total"), "{{reason}}"}).unit("reqps", 2).fromZero().stacked().
			override("unavailable", property{"color", color{"fixed", red}}),
		lines("Pages shown", "Survey pages that were shown, per second, without those shown again after an error.", 8, 8,
			query{rate("namespace, program", "cx_survey_page_views_total"), "{{namespace}}/{{program}}"}).unit("reqps", 2).fromZero(),
		lines("Time to commit", "Time until a response of a page or a JSON call was durable: the median, and what 95 and 99 of a hundred stay under.", 12, 8,
			query{fmt.Sprintf(slow, "0.5"), "{{job}} median"}, query{fmt.Sprintf(slow, "0.95"), "{{job}} 95 %"}, query{fmt.Sprintf(slow, "0.99"), "{{job}} 99 %"}).
			unit("s", 3).fromZero().thresholds(steps(green, 0.25, orange, 1.0, red)).zeroLine(),
		lines("Share refused for want of a store", "Refused as unavailable, of all that was sent. More than none means lost or repeated work for customers.", 12, 8,
			query{fmt.Sprintf(`(sum by (namespace, program) (rate(cx_responses_rejected_total{%[1]s,reason="unavailable"}[$__rate_interval])) or 0 * %[2]s) / (%[2]s + sum by (namespace, program) (rate(cx_responses_rejected_total{%[1]s}[$__rate_interval])))`,
				programs, rate("namespace, program", "cx_responses_accepted_total")), "{{namespace}}/{{program}}"}).
			unit("percentunit", 2).upToOne().thresholds(steps(green, 0.001, red)).zeroLine(),
		row("Processes"),
		lines("Memory", "Resident memory of each process.", 8, 8,
			query{`process_resident_memory_bytes{` + jobs + `}`, "{{job}} {{instance}}"}).unit("bytes", 1).fromZero(),
		lines("CPU", "Cores that each process uses.", 8, 8,
			query{`rate(process_cpu_seconds_total{` + jobs + `}[$__rate_interval])`, "{{job}} {{instance}}"}).unit("none", 3).fromZero(),
		lines("Goroutines", "Concurrent tasks of each process. A number that only grows is a leak.", 8, 8,
			query{`go_goroutines{` + jobs + `}`, "{{job}} {{instance}}"}).unit("short", 0).fromZero(),
		pagesOf(programs),
	}
	return newDashboard(endpointUID, "CX / Endpoint operations",
		"For those who run cx-operator: what is taken, refused and shown, how fast, and by which processes.", "now-6h", variables, panels...)
}

// pagesOf are the addresses of programs and touchpoints.
func pagesOf(selector string) *panel {
	return table("Pages", "Addresses that respondents see. Open one to see whether it answers.", 24, 8,
		[]column{
			{"namespace", "Namespace", nil}, {"program", "Program", nil}, {"touchpoint", "Touchpoint", nil}, {"team", "Team", nil},
			{"url", "Page", []property{linked("Open the page", "${__value.raw}", true)}}, {"Value", "", nil},
		},
		query{expr: one(surveyKey+", url", "cx_survey_page_info", selector)}).sorted("Program", false)
}
