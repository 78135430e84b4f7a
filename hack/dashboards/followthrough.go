package main

import "fmt"

// followThrough is the dashboard of what becomes of what customers say: the stage of each program, customers who wait to be
// contacted, whether plans worked, what teams have to do, reviews, and messages that reached nobody.
func followThrough() dashboard {
	const (
		programs = `namespace=~"$namespace",program=~"$program"`
		all      = programs + `,team=~"$team"`
		teams    = `namespace=~"$namespace",team=~"$team"`
	)
	variables := []variable{
		values("namespace", "Namespace", "Namespaces of the programs.", "cx_program_stage", "namespace").many(),
		values("program", "Program", "Programs that are shown.", `cx_program_stage{namespace=~"$namespace"}`, "program").many(),
		values("team", "Team", "Teams that are asked to act.", `cx_team_open_plans{namespace=~"$namespace"}`, "team").many(),
	}
	panels := stages(programs)
	panels = append(panels, closedLoop(all)...)
	panels = append(panels, effects(all)...)
	panels = append(panels, loads(teams)...)
	panels = append(panels, reviews(all)...)
	panels = append(panels, messages(teams)...)
	return newDashboard(followThroughUID, "CX / Follow-through",
		"What becomes of what customers say: the stage of each program, customers who wait to be contacted, whether plans worked, and what teams have to do. "+fairness,
		"now-90d", variables, panels...)
}

func stages(selector string) []*panel {
	return []*panel{
		row("Stage of the programs"),
		stat("Programs by stage", "How many programs are in each stage. It follows from what was asked, answered, found and done; nobody sets it.", 8, 7,
			query{fmt.Sprintf("sum by (stage) (%s)", one(stageKey, "cx_program_stage", selector)), "{{stage}}"}).
			unit("short", 0).colorByName(programStages).runbook("CXNoActionTaken"),
		timeline("Stage over time", "The stage that each program was in. One that stays in Listen or Understand asks its customers and does not act.", 16, 7,
			byNumber(programStages),
			query{stateNumber("namespace, program", "cx_program_stage", "stage", selector, programStages), "{{namespace}}/{{program}}"}).
			runbook("CXNoActionTaken"),
	}
}

func closedLoop(selector string) []*panel {
	of := func(metric string) string { return one(surveyKey, metric, selector) }
	age := fmt.Sprintf("(time() - %s)", of("cx_cases_oldest_open_timestamp_seconds"))
	columns := []column{
		{"namespace", "Namespace", nil}, {"program", "Program", nil}, {"touchpoint", "Touchpoint", []property{touchpointLink()}}, {"team", "Team", nil},
		{"Value #A", "Open", shown("short", 0)}, {"Value #B", "Overdue", inColour("short", steps(green, 1.0, red))},
		{"Value #C", "Oldest open for", shown("s", 0)},
		{"Value #D", "Kept", shown("percentunit", 1)}, {"Value #E", "Lower", shown("percentunit", 1)}, {"Value #F", "Upper", shown("percentunit", 1)},
	}
	return []*panel{
		row("Closed loop"),
		stat("Open cases", "Customers who left a way to be contacted, and whose cases are not resolved. "+fairness, 8, 5,
			query{fmt.Sprintf("sum(%s) or vector(0)", of("cx_cases_open")), "open"}).unit("short", 0).guide("Cases", "docs/cases.md"),
		stat("Overdue cases", "Open cases that nobody contacted by the promised time. "+fairness, 8, 5,
			query{fmt.Sprintf("sum(%s) or vector(0)", of("cx_cases_overdue")), "overdue"}).
			unit("short", 0).thresholds(steps(green, 1.0, red)).runbook("CXFollowUpOverdue"),
		stat("Oldest open case", "For how long the oldest of them is open. "+fairness, 8, 5,
			query{fmt.Sprintf("max(%s) or vector(0)", age), "open for"}).unit("s", 0).thresholds(steps(green, days(2), orange, days(7), red)),
		table("Promises to customers",
			"Cases of each touchpoint, and the share of customers who were contacted in time over 90 days, with its confidence interval. An empty touchpoint is the program's own page. "+fairness,
			24, 9, columns, query{expr: of("cx_cases_open")}, query{expr: of("cx_cases_overdue")}, query{expr: age},
			query{expr: of("cx_follow_up_kept_ratio")}, query{expr: of("cx_follow_up_kept_ratio_lower")}, query{expr: of("cx_follow_up_kept_ratio_upper")},
		).sorted("Overdue", true).none("No case").runbook("CXFollowUpOverdue"),
		lines("Open and overdue cases", "Cases that are open, and those of them that nobody contacted by the promised time. "+fairness, 12, 9,
			query{fmt.Sprintf("sum(%s)", of("cx_cases_open")), "open"}, query{fmt.Sprintf("sum(%s)", of("cx_cases_overdue")), "overdue"}).
			unit("short", 0).fromZero(),
		lines("Promises kept", "Share of customers of each touchpoint who were contacted in time, over 90 days. Its interval is in the table above: of few cases it is wide. "+fairness, 12, 9,
			query{of("cx_follow_up_kept_ratio"), "{{program}} {{touchpoint}}"}).unit("percentunit", 1).upToOne(),
	}
}

func effects(selector string) []*panel {
	verdict := one(planKey+", verdict", "cx_action_plan_effect", selector)
	change := func(part string) query { return query{expr: one(planKey, "cx_action_plan_change"+part, selector)} }
	columns := []column{
		{"action_plan", "Plan", nil}, {"namespace", "Namespace", nil}, {"program", "Program", nil}, {"touchpoint", "Touchpoint", []property{touchpointLink()}},
		{"objective", "Objective", nil}, {"team", "Team", nil}, {"verdict", "Verdict", coloured(effectVerdicts)}, {"Value #D", "", nil},
		{"Value #A", "Change", shown("none", 2)}, {"Value #B", "Lower", shown("none", 2)}, {"Value #C", "Upper", shown("none", 2)},
	}
	return []*panel{
		row("Did the plans work"),
		stat("Plans by verdict", "Plans that have begun, by verdict. Improved and Worsened mean that the whole interval of the change lies above or below zero; what else happened meanwhile nobody can tell. "+fairness, 8, 7,
			query{fmt.Sprintf("sum by (verdict) (%s)", verdict), "{{verdict}}"}).unit("short", 0).colorByName(effectVerdicts),
		lines("Verdicts over time", "How many plans have each verdict. "+fairness, 16, 7,
			query{fmt.Sprintf("sum by (verdict) (%s)", verdict), "{{verdict}}"}).unit("short", 0).fromZero().stacked().colorByName(effectVerdicts),
		table("Plans and their effect",
			"Each plan that has begun with its verdict and, once it is judged, the change of the score from before it to after it, in the metric's unit, with its confidence interval. "+fairness,
			24, 9, columns, change(""), change("_lower"), change("_upper"), query{expr: verdict + " == 1"}).
			sorted("Verdict", false).none("No plan has begun"),
	}
}

func loads(selector string) []*panel {
	const burden = "It says how much is asked of a team, not how well it works. "
	of := func(metric string) string { return one(teamKey, metric, selector) }
	late := steps(green, 1.0, orange)
	columns := []column{
		{"namespace", "Namespace", nil}, {"team", "Team", nil},
		{"Value #A", "Open plans", shown("short", 0)}, {"Value #B", "Overdue plans", inColour("short", late)},
		{"Value #C", "Open actions", shown("short", 0)}, {"Value #D", "Overdue actions", inColour("short", late)},
	}
	return []*panel{
		row("Load of the teams"),
		table("Plans and actions by team", "What each team has to do, and what of it is past its due date. "+burden+fairness, 12, 10, columns,
			query{expr: of("cx_team_open_plans")}, query{expr: of("cx_team_overdue_plans")},
			query{expr: of("cx_team_open_actions")}, query{expr: of("cx_team_overdue_actions")}).
			sorted("Open plans", true).runbook("CXPlanOverdue").runbook("CXActionOverdue"),
		lines("Open plans and actions", "Open plans and open actions of each team together. "+burden+fairness, 12, 10,
			query{fmt.Sprintf("%s + %s", of("cx_team_open_plans"), of("cx_team_open_actions")), "{{team}}"}).unit("short", 0).fromZero().stacked(),
	}
}

func reviews(selector string) []*panel {
	due, held := one(reviewKey, "cx_review_due_timestamp_seconds", selector), one(reviewKey, "cx_review_held_timestamp_seconds", selector)
	silent := one(breachKey, "cx_accountability_breach", selector+`,type="SponsorSilent"`)
	columns := []column{
		{"review", "Review", nil}, {"namespace", "Namespace", nil}, {"program", "Program", nil}, {"team", "Team", nil},
		{"Value #A", "Due", shown("dateTimeAsLocal", 0)}, {"Value #B", "Held", shown("dateTimeAsLocal", 0)},
		{"Value #C", "Time left", inColour("s", steps(red, 0.0, orange, days(2), green))},
	}
	return []*panel{
		row("Reviews"),
		stat("Not held in time", "Reviews that are past their due time and were not held. One that a later review made up for stays here.", 8, 5,
			query{fmt.Sprintf("sum((%s < bool time()) unless %s) or vector(0)", due, held), "missed"}).
			unit("short", 0).thresholds(steps(green, 1.0, orange)).runbook("CXReviewMissed"),
		stat("Held in time", "Share of the reviews that were held which were held by their due time.", 8, 5,
			query{fmt.Sprintf("avg(%s <= bool %s)", held, due), "in time"}).unit("percentunit", 0).none("none was held"),
		stat("Silent sponsors", "Programs whose sponsor took part in no review for longer than the policy allows. "+fairness, 8, 5,
			query{fmt.Sprintf("sum(%s) or vector(0)", silent), "silent"}).
			unit("short", 0).thresholds(steps(green, 1.0, orange)).runbook("CXSponsorSilent"),
		table("Reviews", "Until when each review is to be held, when it was, and the time left of those that were not.", 24, 9, columns,
			query{expr: "1000 * " + due}, query{expr: "1000 * " + held}, query{expr: fmt.Sprintf("(%s - time()) unless %s", due, held)}).
			sorted("Due", true).none("No review").runbook("CXReviewMissed"),
	}
}

func messages(selector string) []*panel {
	pending, dead := one(noticeKey, "cx_notifications_pending", selector), one(noticeKey, "cx_notifications_dead", selector)
	undelivered := fmt.Sprintf(" and (%s + %s > 0)", pending, dead)
	columns := []column{
		{"team", "Team", nil}, {"namespace", "Namespace", nil}, {"kind", "Kind", nil}, {"name", "Name", nil},
		{"Value #A", "Waiting", shown("short", 0)}, {"Value #B", "Given up", inColour("short", steps(green, 1.0, orange))},
	}
	const page = "docs/notifications.md"
	return []*panel{
		row("Messages"),
		stat("Messages that wait", "Messages to teams that are still to be sent, or to be sent again. In quiet hours nothing is sent.", 8, 5,
			query{fmt.Sprintf("sum(%s) or vector(0)", pending), "waiting"}).unit("short", 0).guide("Notifications", page),
		stat("Messages given up", "Messages to teams that were given up, since their channel did not take them. They can be replayed.", 8, 5,
			query{fmt.Sprintf("sum(%s) or vector(0)", dead), "given up"}).unit("short", 0).thresholds(steps(green, 1.0, orange)).
			guide("Failures, dead letters, replay", page),
		lines("Undelivered by team", "Messages to each team that wait, and those that were given up.", 8, 5,
			query{fmt.Sprintf("sum by (team) (%s)", pending), "{{team}} waiting"}, query{fmt.Sprintf("sum by (team) (%s)", dead), "{{team}} given up"}).
			unit("short", 0).fromZero(),
		table("Undelivered messages", "What each team was not told yet, by the resource that it is about.", 24, 8, columns,
			query{expr: pending + undelivered}, query{expr: dead + undelivered}).
			sorted("Given up", true).none("Everything was delivered").guide("Failures, dead letters, replay", page),
	}
}
