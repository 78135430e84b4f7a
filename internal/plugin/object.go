package plugin

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	feedback "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// printOne prints one object as JSON or YAML, with its kind and without what only the API server needs.
func (a *app) printOne(obj client.Object) error {
	if err := identify(obj); err != nil {
		return err
	}
	return a.printObject(obj)
}

// printList prints a list as JSON or YAML, every item with its kind.
func (a *app) printList(list client.ObjectList) error {
	err := meta.EachListItem(list, func(item runtime.Object) error { return identify(item.(client.Object)) })
	if err != nil {
		return err
	}
	list.SetResourceVersion("")
	return a.printObject(list)
}

func identify(obj client.Object) error {
	s, err := scheme()
	if err != nil {
		return err
	}
	kind, err := apiutil.GVKForObject(obj, s)
	if err != nil {
		return fmt.Errorf("kind of %s: %w", obj.GetName(), err)
	}
	obj.GetObjectKind().SetGroupVersionKind(kind)
	obj.SetManagedFields(nil)
	return nil
}

// completeFrom completes names from a list.
func (a *app) completeFrom(cmd *cobra.Command, list client.ObjectList) ([]string, cobra.ShellCompDirective) {
	c, namespace, err := a.connect()
	if err != nil || c.List(cmd.Context(), list, client.InNamespace(namespace), client.Limit(500)) != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	err = meta.EachListItem(list, func(item runtime.Object) error {
		names = append(names, item.(client.Object).GetName())
		return nil
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) completePlans(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.completeFrom(cmd, &v1alpha1.ActionPlanList{})
}

func (a *app) completeReviews(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.completeFrom(cmd, &v1alpha1.ReviewList{})
}

func (a *app) completeTeams(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.completeFrom(cmd, &v1alpha1.TeamList{})
}

func (a *app) completeCases(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.completeFrom(cmd, &feedback.CaseList{})
}
