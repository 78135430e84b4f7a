package env

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// Names of the cache's indexes.
const (
	// IndexProgram finds touchpoints, plans and reviews by the program that they name.
	IndexProgram = "program"
	// IndexStore finds programs by their store.
	IndexStore = "store"
	// IndexTeam finds whatever names a team.
	IndexTeam = "team"
	// IndexParent finds teams by their parent.
	IndexParent = "parent"
	// IndexTouchpoint finds plans by touchpoint, and touchpoints by the one that they hand over to.
	IndexTouchpoint = "touchpoint"
	// IndexUser finds the programs that are not being deleted by their store and the mode in which they are, or are to be,
	// served: see UserKey.
	IndexUser = "user"
	// IndexMode finds programs by the mode in which they are, or are to be, served.
	IndexMode = "mode"
)

// UserKey is the key of IndexUser.
func UserKey(store string, mode v1alpha1.EndpointMode) string { return string(mode) + "/" + store }

// userKeys are both the mode that serves a program and the one that it asks for.
func userKeys(p *v1alpha1.SurveyProgram) []string {
	if !p.DeletionTimestamp.IsZero() {
		return nil
	}
	keys := []string{UserKey(p.Spec.StoreRef.Name, p.Spec.Endpoint.Mode)}
	if served := ServedBy(p); served != p.Spec.Endpoint.Mode {
		keys = append(keys, UserKey(p.Spec.StoreRef.Name, served))
	}
	return keys
}

type index struct {
	kind client.Object
	name string
	keys client.IndexerFunc
}

var indexes = []index{
	{&v1alpha1.Touchpoint{}, IndexProgram, func(o client.Object) []string {
		return []string{o.(*v1alpha1.Touchpoint).Spec.ProgramRef.Name}
	}},
	{&v1alpha1.Touchpoint{}, IndexTeam, func(o client.Object) []string {
		spec := o.(*v1alpha1.Touchpoint).Spec
		keys := refNames(spec.OwnerRef)
		for _, ref := range spec.SupportingTeamRefs {
			keys = append(keys, ref.Name)
		}
		for _, ref := range spec.Roles.Teams() {
			keys = append(keys, ref.Name)
		}
		return keys
	}},
	{&v1alpha1.Touchpoint{}, IndexTouchpoint, func(o client.Object) []string {
		if h := o.(*v1alpha1.Touchpoint).Spec.Handoff; h != nil {
			return []string{h.ToRef.Name}
		}
		return nil
	}},
	{&v1alpha1.SurveyProgram{}, IndexStore, func(o client.Object) []string {
		return []string{o.(*v1alpha1.SurveyProgram).Spec.StoreRef.Name}
	}},
	{&v1alpha1.SurveyProgram{}, IndexUser, func(o client.Object) []string {
		return userKeys(o.(*v1alpha1.SurveyProgram))
	}},
	{&v1alpha1.SurveyProgram{}, IndexMode, func(o client.Object) []string {
		p := o.(*v1alpha1.SurveyProgram)
		return slices.Compact([]string{string(p.Spec.Endpoint.Mode), string(ServedBy(p))})
	}},
	{&v1alpha1.SurveyProgram{}, IndexTeam, func(o client.Object) []string {
		spec := o.(*v1alpha1.SurveyProgram).Spec
		keys := refNames(spec.OwnerRef)
		if spec.ExecutiveSponsor != nil {
			keys = append(keys, refNames(spec.ExecutiveSponsor.TeamRef)...)
		}
		return keys
	}},
	{&v1alpha1.ActionPlan{}, IndexTouchpoint, func(o client.Object) []string {
		return refNames(o.(*v1alpha1.ActionPlan).Spec.TouchpointRef)
	}},
	{&v1alpha1.ActionPlan{}, IndexProgram, func(o client.Object) []string {
		return refNames(o.(*v1alpha1.ActionPlan).Spec.ProgramRef)
	}},
	{&v1alpha1.ActionPlan{}, IndexTeam, func(o client.Object) []string {
		spec := o.(*v1alpha1.ActionPlan).Spec
		keys := refNames(spec.OwnerRef)
		for _, a := range spec.Actions {
			keys = append(keys, refNames(a.OwnerRef)...)
		}
		return keys
	}},
	{&v1alpha1.Review{}, IndexProgram, func(o client.Object) []string {
		return []string{o.(*v1alpha1.Review).Spec.ProgramRef.Name}
	}},
	{&v1alpha1.Team{}, IndexParent, func(o client.Object) []string {
		return refNames(o.(*v1alpha1.Team).Spec.ParentRef)
	}},
}

func refNames(ref *v1alpha1.NameRef) []string {
	if ref == nil {
		return nil
	}
	return []string{ref.Name}
}

// AddIndexes adds every index that the controllers use to the cache.
func AddIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	for _, i := range indexes {
		if err := indexer.IndexField(ctx, i.kind, i.name, i.keys); err != nil {
			return fmt.Errorf("add index %s of %T: %w", i.name, i.kind, err)
		}
	}
	return nil
}
