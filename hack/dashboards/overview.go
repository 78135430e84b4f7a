package main

import "fmt"

// overview is the dashboard of one program: what it promises, what came out, and who took part.
func overview() dashboard {
	const (
		program = `namespace="$namespace",program="$program"`
		mine    = program + `,team=~"$team"`
		whole   = program + `,touchpoint=""`
		own     = whole + `,objective="$objective"`
	)
	variables := []variable{
		values("namespace", "Namespace", "Namespace of the program.", "cx_objective_target", "namespace"),
		values("program", "Program", "The program that is shown.", `cx_objective_target{namespace="$namespace"}`, "program"),
		values("team", "Team", "Teams that own the touchpoints or, where nobody owns one, the program.",
			`cx_objective_target{`+program+`}`, "team").many(),
		values("objective", "Objective of the program", "An objective of the program itself, for the chart with its interval.",
			`cx_objective_target{`+whole+`}`, "objective"),
		values("page", "Page", "Address of the program's page.", `cx_survey_page_info{`+whole+`}`, "url").hidden(),
	}
	panels := []*panel{
		row("Objectives"),
		stat("Objectives by verdict",
			"How many objectives are in each state. A verdict needs the whole confidence interval: Missed means that all of it lies below the target. "+fairness,
			9, 5, query{fmt.Sprintf("sum by (state) (%s)", one(objectiveKey+", state", "cx_objective_state", mine)), "{{state}}"}).
			unit("short", 0).colorByName(objectiveStates).runbook("CXObjectiveMissed"),
		stat("Open breaches", "Promises of accountability that are broken now, such as a missed objective without a plan. "+fairness,
			5, 5, query{fmt.Sprintf("sum(%s) or vector(0)", one(breachKey, "cx_accountability_breach", mine)), "open"}).
			unit("short", 0).thresholds(steps(green, 1.0, orange)).runbook("CXPlanMissing"),
		stat("Answers in the windows", "Answers that count for the objectives now, summed over objectives.",
			5, 5, query{fmt.Sprintf("sum(%s)", one(objectiveKey, "cx_objective_responses", mine)), "answers"}).unit("short", 0),
		stat("Out of date", "Objectives whose counts cannot be read, so that the figures shown are history. No verdict is invented meanwhile.",
			5, 5, query{fmt.Sprintf("sum(%s)", one(objectiveKey, "cx_objective_state", mine+`,state="Stale"`)), "stale"}).
			unit("short", 0).thresholds(steps(green, 1.0, purple)).runbook("CXObjectiveStale"),
		objectivesTable(mine),
		timeline("Verdicts over time", "What each objective was judged to be. "+fairness, 24, 9, byNumber(objectiveStates),
			query{stateNumber("touchpoint, objective", "cx_objective_state", "state", mine, objectiveStates), "{{touchpoint}} {{objective}}"}),
		lines("Program: $objective with its interval",
			"Published score of an objective of the program itself, its confidence interval as a band, and its target dashed. "+fairness, 12, 10,
			interval(own)...).unit("none", 2).band("target"),
		lines("Scores less their targets",
			"How far each published score is above (positive) or below its target, in the metric's unit. The interval decides, not this distance alone. "+fairness, 12, 10,
			query{one(objectiveKey, "cx_objective_score", mine) + " - " + one(objectiveKey, "cx_objective_target", mine), "{{touchpoint}} {{objective}}"}).
			unit("none", 2).thresholds(steps(red, 0.0, green)).zeroLine(),
		row("Participation, in the last 30 days of full hours"),
	}
	panels = append(panels, participation(whole)...)
	d := newDashboard(overviewUID, "CX / Program overview",
		"Objectives of one program with their scores, intervals, targets and verdicts over 12 months, and who took part. "+fairness,
		"now-12M", variables, panels...)
	d.Links = append(d.Links, pageLink())
	return d
}

// interval is a score, the ends of its confidence interval, and its target.
func interval(selector string) []query {
	return []query{
		{one("metric", "cx_objective_score", selector), "score"},
		{one("metric", "cx_objective_score_lower", selector), "lower"},
		{one("metric", "cx_objective_score_upper", selector), "upper"},
		{one("metric", "cx_objective_target", selector), "target"},
	}
}

// zeroLine draws the thresholds as lines.
func (p *panel) zeroLine() *panel {
	p.FieldConfig.Defaults.Custom["thresholdsStyle"] = map[string]any{"mode": "line"}
	return p
}

func objectivesTable(selector string) *panel {
	columns := []column{
		{"namespace", "Namespace", []property{{"custom.hidden", true}}}, {"program", "Program", []property{{"custom.hidden", true}}},
		{"touchpoint", "Touchpoint", []property{touchpointLink()}}, {"objective", "Objective", nil}, {"metric", "Metric", nil},
		{"Value #A", "Score", shown("none", 2)}, {"Value #B", "Lower", shown("none", 2)}, {"Value #C", "Upper", shown("none", 2)},
		{"Value #D", "Target", shown("none", 2)}, {"Value #E", "Answers", shown("short", 0)},
		{"state", "Verdict", coloured(objectiveStates)}, {"Value #F", "", nil}, {"team", "Team", nil},
	}
	return table("Objectives",
		"Each objective with its published score, confidence interval, target, answers in the window and verdict. An empty touchpoint is the program itself. No score is shown of too few people. "+fairness,
		24, 11, columns,
		query{expr: one(objectiveKey, "cx_objective_score", selector)},
		query{expr: one(objectiveKey, "cx_objective_score_lower", selector)},
		query{expr: one(objectiveKey, "cx_objective_score_upper", selector)},
		query{expr: one(objectiveKey, "cx_objective_target", selector)},
		query{expr: one(objectiveKey, "cx_objective_responses", selector)},
		query{expr: one(objectiveKey+", state", "cx_objective_state", selector) + " == 1"},
	).sorted("Touchpoint", false)
}

// participation is who began, finished and was invited, of a program or a touchpoint.
func participation(selector string) []*panel {
	survey := func(metric string) string { return one(surveyKey, metric, selector) }
	share := func(metric string) []query {
		return []query{{survey(metric), "share"}, {survey(metric + "_lower"), "lower"}, {survey(metric + "_upper"), "upper"}}
	}
	return []*panel{
		lines("Begun and finished", "People who began to fill in a page, and those of them who sent their answers.", 8, 8,
			query{survey("cx_survey_visits_started"), "begun"}, query{survey("cx_survey_visits_completed"), "finished"}).
			unit("short", 0).fromZero(),
		lines("Share that finished", "Finished of begun, with its confidence interval.", 8, 8, share("cx_survey_completion_ratio")...).
			unit("percentunit", 1).upToOne().band(""),
		lines("Time to answer", "Time within which half (50) and nine in ten (90) of those who finished had sent their answers.", 8, 8,
			query{one(surveyKey+", percentile", "cx_survey_duration_seconds", selector), "{{percentile}} %"}).unit("s", 0).fromZero(),
		bars("Where people stopped", "People who have sent nothing so far, by the last question that they answered.", 8, 9,
			query{one("question", "cx_survey_visits_unfinished", selector), "{{question}}"}).unit("short", 0),
		lines("Invited and answered", "Invitations that were made, and those that were answered.", 8, 9,
			query{survey("cx_survey_invitations"), "invited"}, query{survey("cx_survey_invitations_answered"), "answered"}).
			unit("short", 0).fromZero(),
		lines("Response rate", "Answered of invited, with its confidence interval. Answers through an open address have no rate.", 8, 9,
			share("cx_survey_response_rate_ratio")...).unit("percentunit", 1).upToOne().band(""),
		bars("Invitations not made", "People who were not invited because they were asked or answered a short time before, by scope and reason.", 12, 7,
			query{one("scope, reason", "cx_survey_invitations_skipped", selector), "{{scope}}: {{reason}}"}).unit("short", 0).none("none"),
		bars("Kept apart", "Responses that are out of every score, by the check against robots that they failed.", 12, 7,
			query{one("check", "cx_survey_responses_suspect", selector), "{{check}}"}).unit("short", 0).none("none").
			thresholds(steps(blue, 100.0, orange)),
	}
}
