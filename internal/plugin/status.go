package plugin

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/plugin/attention"
)

func (a *app) statusCommand() *cobra.Command {
	var team string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what needs attention: open breaches, and what falls due within a week",
		Example: `  kubectl cx status -n sfo
  kubectl cx status -n sfo --team concessions`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context(), team) },
	}
	cmd.Flags().StringVar(&team, "team", defaultTeam(), "only what this team and those below it have to do (default $KUBECTL_CX_TEAM)")
	a.allNamespaces(cmd)
	return cmd
}

func (a *app) status(ctx context.Context, team string) error {
	if err := a.checkOutput(); err != nil {
		return err
	}
	c, namespace, err := a.connect()
	if err != nil {
		return err
	}
	in, err := inventory(ctx, c, namespace)
	if err != nil {
		return err
	}
	items := attention.Of(in, team, a.now())
	if a.structured() {
		return a.printObject(statusList(items))
	}
	t := newTable("WHAT", "OBJECT", "DETAIL", "TEAM", "WHEN", "NEXT STEP")
	t.colours, t.wide = 0, 5
	for _, i := range items {
		t.add(tintOf(i), whatOf(i), a.objectOf(i), detailOf(i), i.Team, a.whenOf(i), nextOf(i))
	}
	return a.print(t, "Nothing needs attention.")
}

// inventory reads all that can need attention.
func inventory(ctx context.Context, c client.Client, namespace string) (attention.Inventory, error) {
	var programs v1alpha1.SurveyProgramList
	var touchpoints v1alpha1.TouchpointList
	var plans v1alpha1.ActionPlanList
	var reviews v1alpha1.ReviewList
	var teams v1alpha1.TeamList
	for _, list := range []client.ObjectList{&programs, &touchpoints, &plans, &reviews, &teams} {
		if err := c.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return attention.Inventory{}, fmt.Errorf("list: %w", err)
		}
	}
	return attention.Inventory{
		Programs: programs.Items, Touchpoints: touchpoints.Items, Plans: plans.Items, Reviews: reviews.Items, Teams: teams.Items,
	}, nil
}

func whatOf(i attention.Item) string {
	if i.Open() {
		return string(i.Breach)
	}
	return "to " + i.Due
}

func tintOf(i attention.Item) string {
	if i.Open() {
		return red
	}
	return yellow
}

func (a *app) objectOf(i attention.Item) string {
	name := strings.ToLower(i.Kind) + "/" + i.Name
	if a.all {
		return i.Namespace + " " + name
	}
	return name
}

func detailOf(i attention.Item) string { return strings.TrimSpace(i.Objective + " " + i.Item) }

func (a *app) whenOf(i attention.Item) string {
	if i.Open() {
		return "for " + a.ago(i.Time)
	}
	return a.until(&metav1.Time{Time: i.Time})
}

func nextOf(i attention.Item) string {
	if advice, ok := attention.Explain(i.Breach); ok {
		return strings.ReplaceAll(advice.Do, "NAME", i.Name)
	}
	switch i.Due {
	case "acknowledge":
		return "kubectl cx plan ack " + i.Name
	case "complete":
		return "kubectl cx plan complete " + i.Name
	}
	return "kubectl cx review hold " + i.Name
}

// statusList makes a list for scripts. It is no kind of the API.
func statusList(items []attention.Item) runtime.Object {
	list := &attentionList{TypeMeta: metav1.TypeMeta{APIVersion: "cli.cx-operator.io/v1alpha1", Kind: "AttentionList"}, Items: []attentionItem{}}
	for _, i := range items {
		entry := attentionItem{
			Namespace: i.Namespace, Kind: i.Kind, Name: i.Name, Breach: string(i.Breach), Due: i.Due, Objective: i.Objective,
			Item: i.Item, Team: i.Team, Next: nextOf(i),
		}
		at := metav1.NewTime(i.Time)
		if i.Open() {
			entry.Since = &at
		} else {
			entry.By = &at
		}
		list.Items = append(list.Items, entry)
	}
	return list
}

type attentionList struct {
	metav1.TypeMeta `json:",inline"`
	Items           []attentionItem `json:"items"`
}

type attentionItem struct {
	Namespace string       `json:"namespace"`
	Kind      string       `json:"kind"`
	Name      string       `json:"name"`
	Breach    string       `json:"breach,omitempty"`
	Due       string       `json:"due,omitempty"`
	Objective string       `json:"objective,omitempty"`
	Item      string       `json:"item,omitempty"`
	Team      string       `json:"team,omitempty"`
	Since     *metav1.Time `json:"since,omitempty"`
	By        *metav1.Time `json:"by,omitempty"`
	Next      string       `json:"next"`
}

// DeepCopyObject implements runtime.Object.
func (l *attentionList) DeepCopyObject() runtime.Object {
	c := *l
	c.Items = append([]attentionItem(nil), l.Items...)
	return &c
}
