package main

import "fmt"

// accountability is the dashboard of what is owed: open breaches by team and age, plans that are due, and how long it takes
// until somebody takes a plan over.
func accountability() dashboard {
	const (
		all   = `namespace=~"$namespace",program=~"$program",team=~"$team"`
		start = "cx_accountability_breach_start_timestamp_seconds"
	)
	variables := []variable{
		values("namespace", "Namespace", "Namespaces of the programs.", "cx_objective_target", "namespace").many(),
		values("program", "Program", "Programs that are shown.", `cx_objective_target{namespace=~"$namespace"}`, "program").many(),
		values("team", "Team", "Teams that are asked to act.",
			`{__name__=~"cx_accountability_breach|cx_objective_target",namespace=~"$namespace",program=~"$program"}`, "team").many(),
	}
	open := one(breachKey, "cx_accountability_breach", all)
	age := fmt.Sprintf("(time() - %s)", one(breachKey, start, all))
	panels := []*panel{
		row("Open breaches"),
		stat("Open breaches", "Promises of accountability that are broken now. "+fairness, 6, 5,
			query{fmt.Sprintf("sum(%s) or vector(0)", open), "open"}).unit("short", 0).thresholds(steps(green, 1.0, orange)),
		stat("Oldest open breach", "How long the oldest of them is open. "+fairness, 6, 5,
			query{fmt.Sprintf("max(%s) or vector(0)", age), "open for"}).unit("s", 0).
			thresholds(steps(green, days(7), orange, days(30), red)),
		stat("Nobody owns it", "Touchpoints and programs that no team owns. "+fairness, 6, 5,
			query{fmt.Sprintf("sum(%s) or vector(0)", one(breachKey, "cx_accountability_breach", all+`,type="OwnerMissing"`)), "without owner"}).
			unit("short", 0).thresholds(steps(green, 1.0, orange)).runbook("CXOwnerMissing"),
		stat("Without a plan in time", "Missed objectives that no plan answers after the time allowed. "+fairness, 6, 5,
			query{fmt.Sprintf("sum(%s) or vector(0)", one(breachKey, "cx_accountability_breach", all+`,type="PlanMissing"`)), "without plan"}).
			unit("short", 0).thresholds(steps(green, 1.0, orange)).runbook("CXPlanMissing"),
		lines("Open breaches by team", "How many breaches are open, by the team that is asked to act. "+fairness, 12, 9,
			query{fmt.Sprintf("sum by (team) (%s)", open), "{{team}}"}).unit("short", 0).fromZero().stacked(),
		lines("Open breaches by type", "How many breaches are open, by what is broken. "+fairness, 12, 9,
			query{fmt.Sprintf("sum by (type) (%s)", open), "{{type}}"}).unit("short", 0).fromZero().stacked(),
		ages(age),
		breaches("Open breaches, oldest first", all, 24),
		row("Plans"),
		plansTable("Plans that are due", all, 24),
		lines("Plans by state", "How many action plans are in each state.", 12, 9,
			query{fmt.Sprintf("sum by (state) (%s)", one(planKey+", state", "cx_action_plan_state", all)), "{{state}}"}).
			unit("short", 0).fromZero().stacked().colorByName(planStates),
		lines("Overdue and unacknowledged", "Plans and actions after their due date, and plans that nobody took over in time. "+fairness, 12, 9,
			query{fmt.Sprintf("sum by (type) (%s)", one(breachKey, "cx_accountability_breach", all+`,type=~"PlanOverdue|ActionOverdue|PlanUnacknowledged"`)), "{{type}}"}).
			unit("short", 0).fromZero().runbook("CXPlanOverdue").runbook("CXPlanUnacknowledged"),
		row("Time to acknowledge"),
	}
	d := newDashboard(accountabilityUID, "CX / Accountability",
		"What is owed: open breaches by team and age, plans that are due, and how long it takes until somebody takes a plan over. "+fairness,
		"now-90d", variables, append(panels, acknowledging(all)...)...)
	return d
}

// ages counts open breaches by team and age.
func ages(age string) *panel {
	bands := []struct {
		title    string
		from, to float64
	}{{"Under a week", 0, days(7)}, {"A week to a month", days(7), days(30)}, {"One to three months", days(30), days(90)}}
	columns := []column{{"team", "Team", nil}}
	var queries []query
	for i, b := range bands {
		columns = append(columns, column{fmt.Sprintf("Value #%c", 'A'+i), b.title, shown("short", 0)})
		queries = append(queries, query{expr: fmt.Sprintf("sum by (team) ((%s >= bool %g) * (%s < bool %g))", age, b.from, age, b.to)})
	}
	columns = append(columns, column{"Value #D", "Older", inColour("short", steps(green, 1.0, red))})
	queries = append(queries, query{expr: fmt.Sprintf("sum by (team) (%s >= bool %g)", age, bands[len(bands)-1].to)})
	return table("Open breaches by team and age", "How many breaches are open for how long, by the team that is asked to act. "+fairness,
		24, 7, columns, queries...).sorted("Older", true)
}

// plansTable are the plans that are still to be done, with the time left.
func plansTable(title, selector string, width int) *panel {
	open := " and on (namespace, action_plan) (" + one("namespace, action_plan, state", "cx_action_plan_state", selector+","+openPlan) + " == 1)"
	due := one(planKey, "cx_action_plan_due_timestamp_seconds", selector)
	columns := []column{
		{"action_plan", "Plan", nil}, {"namespace", "Namespace", nil}, {"program", "Program", nil}, {"touchpoint", "Touchpoint", []property{touchpointLink()}},
		{"objective", "Objective", nil}, {"team", "Team", nil}, {"state", "State", coloured(planStates)}, {"Value #C", "", nil},
		{"Value #A", "Due", shown("dateTimeAsLocal", 0)},
		{"Value #B", "Time left", inColour("s", steps(red, 0.0, orange, days(7), green))},
	}
	return table(title, "Plans that are neither complete nor cancelled, with the time left until their due date ends in the program's time zone.",
		width, 9, columns,
		query{expr: "1000 * " + due + open}, query{expr: "(" + due + " - time())" + open},
		query{expr: one(planKey+", state", "cx_action_plan_state", selector+","+openPlan) + " == 1"},
	).sorted("Time left", false).none("No open plan").runbook("CXPlanOverdue")
}

// acknowledging is how long it took, or takes, until somebody takes a plan over.
func acknowledging(selector string) []*panel {
	opened := one(planKey, "cx_action_plan_opened_timestamp_seconds", selector)
	taken := one(planKey, "cx_action_plan_acknowledged_timestamp_seconds", selector)
	by := one(planKey, "cx_action_plan_acknowledge_by_timestamp_seconds", selector)
	open := one(planKey+", state", "cx_action_plan_state", selector+","+openPlan) + " == 1"
	took := fmt.Sprintf("clamp_min(%s - %s, 0)", taken, opened)
	plan := []column{{"action_plan", "Plan", nil}, {"namespace", "Namespace", nil}, {"program", "Program", nil}, {"touchpoint", "Touchpoint", nil}, {"objective", "Objective", nil}, {"team", "Team", nil}}
	waiting := append(plan[:len(plan):len(plan)],
		column{"Value #A", "Waits for", shown("s", 0)},
		column{"Value #B", "Time left", inColour("s", steps(red, 0.0, orange, days(1), green))})
	still := fmt.Sprintf(" unless %s and on (namespace, action_plan) (%s)", taken, open)
	return []*panel{
		bars("Median time to acknowledge", "Half of the plans of a team that were taken over were so within this time. A plan that was written with its acknowledgement took none.", 8, 9,
			query{fmt.Sprintf("quantile by (team) (0.5, %s)", took), "{{team}}"}).unit("s", 0).
			thresholds(steps(green, days(1), orange, days(2), red)),
		lines("Time to acknowledge", "Time between the opening of each plan and its acknowledgement.", 16, 9,
			query{took, "{{action_plan}}"}).unit("s", 0).fromZero(),
		table("Plans that nobody has taken over", "Open plans without an acknowledgement, how long they wait, and how much of the time allowed is left.", 24, 8,
			waiting, query{expr: fmt.Sprintf("(time() - %s)", opened) + still}, query{expr: fmt.Sprintf("(%s - time())", by) + still}).
			sorted("Time left", false).none("None").runbook("CXPlanUnacknowledged"),
	}
}
