package main

import "fmt"

// touchpoint is the dashboard of one touchpoint: one objective in full, its plans and breaches, and who took part.
func touchpoint() dashboard {
	const (
		place  = `namespace="$namespace",program="$program",touchpoint="$touchpoint"`
		only   = place + `,objective="$objective"`
		broken = `namespace="$namespace",program="$program",kind="Touchpoint",name="$touchpoint"`
	)
	variables := []variable{
		values("namespace", "Namespace", "Namespace of the touchpoint.", "cx_objective_target", "namespace"),
		values("program", "Program", "Program of the touchpoint.", `cx_objective_target{namespace="$namespace"}`, "program"),
		values("touchpoint", "Touchpoint", "The touchpoint that is shown.",
			`cx_objective_target{namespace="$namespace",program="$program",touchpoint!=""}`, "touchpoint"),
		values("objective", "Objective", "The objective that is shown.", `cx_objective_target{`+place+`}`, "objective"),
		values("page", "Page", "Address of the touchpoint's page.", `cx_survey_page_info{`+place+`}`, "url").hidden(),
	}
	figure := func(title, description, metric string, decimals int) *panel {
		return stat(title, description, 4, 5, query{one("metric", metric, only), "{{metric}}"}).unit("none", decimals)
	}
	panels := []*panel{
		row("Objective $objective"),
		stat("Verdict", "What the objective is judged to be. Missed means that the whole confidence interval lies below the target. "+fairness, 4, 5,
			query{one("state", "cx_objective_state", only) + " == 1", "{{state}}"}).names().colorByName(objectiveStates).runbook("CXObjectiveMissed"),
		figure("Score", "Published score in the metric's unit. None is shown of too few people. "+fairness, "cx_objective_score", 2),
		figure("Target", "What the score is to reach, in the metric's unit. "+fairness, "cx_objective_target", 2),
		figure("Answers", "Answers in the objective's window now.", "cx_objective_responses", 0),
		stat("Team", "The team that owns the touchpoint, else the program. Nobody where it is empty.", 4, 5,
			query{one("team", "cx_objective_target", only), "{{team}}"}).names().runbook("CXOwnerMissing"),
		pages(place, 4, 5),
		lines("Score with its interval", "Published score, its confidence interval as a band, and the target dashed. "+fairness, 16, 11, interval(only)...).
			unit("none", 2).band("target"),
		lines("Answers in the window", "Answers that count for the objective, over time.", 8, 11,
			query{one("objective", "cx_objective_responses", only), "answers"}).unit("short", 0).fromZero(),
		timeline("Verdict over time", "What each objective of the touchpoint was judged to be. "+fairness, 24, 6, byNumber(objectiveStates),
			query{stateNumber("objective", "cx_objective_state", "state", place, objectiveStates), "{{objective}}"}),
		row("What follows from it"),
		breaches("Open breaches of the touchpoint", broken, 24),
		plansTable("Plans for the touchpoint", place, 24),
		row("Participation, in the last 30 days of full hours"),
	}
	panels = append(panels, participation(place)...)
	d := newDashboard(touchpointUID, "CX / Touchpoint detail",
		"One objective of a touchpoint with its score, interval, target and verdicts, what follows from it, and who took part. "+fairness,
		"now-90d", variables, panels...)
	d.Links = append(d.Links, pageLink())
	return d
}

// pages are the addresses that respondents see.
func pages(selector string, width, height int) *panel {
	return table("Page", "Address of the page that respondents see.", width, height,
		[]column{{"url", "Page", []property{linked("Open the page", "${__value.raw}", true)}}, {"Value", "", nil}},
		query{expr: one("url", "cx_survey_page_info", selector)})
}

// breaches are the open ones that a selector finds, with their age and the way to their runbooks.
func breaches(title, selector string, width int) *panel {
	columns := []column{
		{"type", "Breach", []property{linked("Runbook of ${__value.text}", anyRunbook, true)}},
		{"kind", "Kind", nil}, {"namespace", "Namespace", nil}, {"name", "Name", nil}, {"objective", "Objective", nil}, {"item", "Action", nil},
		{"program", "Program", nil}, {"team", "Team", nil},
		{"Value", "Open for", inColour("s", steps(green, days(7), orange, days(30), red))},
	}
	return table(title, "What is broken now, for how long, and who is asked to act. "+fairness, width, 9, columns,
		query{expr: fmt.Sprintf("time() - %s", one(breachKey, "cx_accountability_breach_start_timestamp_seconds", selector))},
	).sorted("Open for", true).none("No open breach")
}

// days in seconds.
func days(n float64) float64 { return n * 24 * 60 * 60 }
