package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// report is what the demo prints: verdicts, plans, breaches, and where to look.
func (d *demo) report(s snapshot, at addresses) string {
	var b strings.Builder
	section(&b, "Objectives", objectivesTable(s))
	section(&b, "Action plans", planText(s))
	section(&b, "Open breaches", breachTable(s))
	section(&b, "Where to look", d.places(at))
	section(&b, "What to try", d.ideas(s, at))
	return b.String()
}

func section(b *strings.Builder, title, content string) {
	fmt.Fprintf(b, "\n%s\n\n", title)
	for line := range strings.Lines(strings.TrimRight(content, "\n")) {
		fmt.Fprintln(b, strings.TrimRight(line, " \n")) // tables pad their last column
	}
}

func newTable(header ...any) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Format.Header = text.FormatUpper
	t.AppendHeader(header)
	return t
}

// objectivesTable has one line per objective, the program's own first, then along the journey.
func objectivesTable(s snapshot) string {
	t := newTable("stage", "touchpoint", "objective", "metric", "score", "interval", "target", "answers", "verdict", "owner")
	t.SetColumnConfigs([]table.ColumnConfig{
		{Name: "score", Align: text.AlignRight}, {Name: "target", Align: text.AlignRight}, {Name: "answers", Align: text.AlignRight},
	})
	for _, about := range s.subjects {
		for _, objective := range about.objectives {
			status, _ := about.statusOf(objective.Name)
			t.AppendRow(table.Row{
				about.stage, orElse(about.touchpoint(), "(program)"), objective.Name, objective.Metric,
				status.Score, interval(status), status.Target, status.Responses, status.State, orElse(about.owner, "nobody"),
			})
		}
	}
	return t.Render()
}

func interval(status v1alpha1.ObjectiveStatus) string {
	if status.Lower == "" || status.Upper == "" {
		return ""
	}
	return status.Lower + " to " + status.Upper
}

func orElse(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// planText tells each plan in full, since its words are what a person acts on.
func planText(s snapshot) string {
	if len(s.plans) == 0 {
		return "none"
	}
	const width = 100
	var b strings.Builder
	for _, plan := range s.plans {
		fmt.Fprintf(&b, "%s\n", plan.Name)
		fmt.Fprintf(&b, "  owner           %s\n", orElse(nameOf(plan.Spec.OwnerRef), "nobody"))
		fmt.Fprintf(&b, "  due             %s\n", plan.Spec.DueDate)
		if by := plan.Status.AcknowledgeBy; by != nil {
			fmt.Fprintf(&b, "  acknowledge by  %s\n", moment(by.Time, s.location))
		}
		problem := text.WrapSoft(plan.Spec.Problem, width)
		fmt.Fprintf(&b, "  problem         %s\n", strings.ReplaceAll(problem, "\n", "\n"+strings.Repeat(" ", 18)))
	}
	return b.String()
}

func moment(t time.Time, location *time.Location) string {
	return t.In(location).Format("2006-01-02 15:04:05 MST")
}

// breachTable shows the breaches as the metrics have them, since these tell the team that stands for each.
func breachTable(s snapshot) string {
	t := newTable("type", "kind", "name", "objective", "team", "since")
	for _, one := range s.series {
		if one.name != metricBreach || one.labels["namespace"] != namespace {
			continue
		}
		since := ""
		if starts := s.find(metricBreachStart, one.labels); len(starts) == 1 {
			since = moment(time.Unix(int64(starts[0]), 0), s.location)
		}
		t.AppendRow(table.Row{
			one.labels["type"], one.labels["kind"], one.labels["name"], one.labels["objective"], one.labels["team"], since,
		})
	}
	if t.Length() == 0 {
		return "none"
	}
	t.SortBy([]table.SortBy{{Name: "type"}, {Name: "name"}, {Name: "objective"}})
	return t.Render()
}

func (d *demo) places(at addresses) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  page      %s/s/%s/%s\n", at.survey, namespace, program)
	fmt.Fprintf(&b, "  metrics   %s\n", at.metrics)
	fmt.Fprintf(&b, "  cluster   export KUBECONFIG=%s\n", quote(d.dir.file(kubeconfig)))
	fmt.Fprintf(&b, "            %s -n %s get surveyprograms,touchpoints,actionplans\n", d.kubectlCommand(), namespace)
	fmt.Fprintf(&b, "  logs      %s\n", filepath.Join(string(d.dir), "manager.log"))
	return b.String()
}

func (d *demo) ideas(s snapshot, at addresses) string {
	kubectl := d.kubectlCommand()
	var b strings.Builder
	fmt.Fprintf(&b, "  Answer as a passenger in boarding area G:\n    %s/s/%s/%s/food?team=boarding-area-g\n", at.survey, namespace, program)
	for _, plan := range s.plans {
		fmt.Fprintf(&b, "  Take the plan over, as its owner would:\n    %s -n %s patch actionplan %s --type=merge -p %s\n",
			kubectl, namespace, plan.Name, quote(acknowledgement(d.say.now())))
		break
	}
	if about, found := s.unowned(); found {
		fmt.Fprintf(&b, "  Give %s an owner, and see the breach go:\n", about.name)
		fmt.Fprintf(&b, "    %s -n %s patch touchpoint %s --type=merge -p %s\n", kubectl, namespace, about.name,
			quote(`{"spec":{"ownerRef":{"name":"ground-transport"}}}`))
		fmt.Fprintf(&b, "    curl -s %s | grep ^%s{\n", at.metrics, metricBreach)
	}
	return b.String()
}

func acknowledgement(now time.Time) string {
	return fmt.Sprintf(`{"spec":{"state":"InProgress","acknowledgement":{"by":"Head of Concessions","time":"%s"}}}`,
		now.UTC().Format(time.RFC3339))
}

// unowned returns a touchpoint that nobody owns.
func (s snapshot) unowned() (subject, bool) {
	for _, about := range s.subjects {
		if about.kind == kindTouchpoint && about.owner == "" {
			return about, true
		}
	}
	return subject{}, false
}

// kubectlCommand is how a person calls kubectl: by its name where that finds one, else by the path of the one that was
// built.
func (d *demo) kubectlCommand() string {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if _, found := executable(dir, "kubectl"); found {
			return "kubectl"
		}
	}
	return quote(orElse(d.kubectl, "kubectl"))
}

// quote makes one word for a shell.
func quote(word string) string {
	plain := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-:=+@%", r))
	}
	if !strings.ContainsFunc(word, plain) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
