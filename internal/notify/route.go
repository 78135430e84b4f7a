package notify

import (
	"slices"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/team"
)

// The audiences of channels.
const (
	audienceTeam = "Team"
	audienceLead = "Lead"
)

// Route says to which team a notice goes and by which of its channels, sorted, as Delivery.Channel writes them. owners are the
// names of the teams that may own what it is about, the first that exists counts; sponsor is the sponsor's team, "" for
// none. The team is "" where there is none, and without channels where it wants none of this class.
//
// A Person is never told anything: the nearest ancestor that is none stands in, as in metrics, and the channels of a Person
// are never used. What goes to a team goes to its channels for the Team. What goes to its lead goes to those for the Lead,
// or, where there are none, to the Team's. A step to a parent team or sponsor that does not exist goes to the owner's lead, so
// that no step is lost. A parent's or sponsor's team that has channels for its lead alone is told by these.
func Route(n *v1alpha1.Notice, owners []string, sponsor string, get team.Lookup) (name string, channels []string) {
	owner := ownerOf(owners, get)
	name, audiences := owner, []string{audienceTeam}
	switch n.To {
	case v1alpha1.EscalateLead:
		audiences = []string{audienceLead, audienceTeam}
	case v1alpha1.EscalateParentTeam:
		name, audiences = stepTo(parentOf(owner, get), owner)
	case v1alpha1.EscalateSponsor:
		name, audiences = stepTo(team.Shown(sponsor, get), owner)
	}
	t, ok := get(name)
	if !ok || t.Spec.Notify == nil {
		return name, nil
	}
	return name, pick(t, n.Class, audiences)
}

func ownerOf(owners []string, get team.Lookup) string {
	for _, o := range owners {
		if _, ok := get(o); ok {
			return team.Shown(o, get)
		}
	}
	return ""
}

func parentOf(name string, get team.Lookup) string {
	t, ok := get(name)
	if !ok || t.Spec.ParentRef == nil {
		return ""
	}
	return team.Shown(t.Spec.ParentRef.Name, get)
}

// stepTo is a step to another team, or to the owner's lead where there is none.
func stepTo(other, owner string) (string, []string) {
	if other == "" {
		return owner, []string{audienceLead, audienceTeam}
	}
	return other, []string{audienceTeam, audienceLead}
}

// pick returns the channels of the first audience that takes the class.
func pick(t *v1alpha1.Team, class v1alpha1.NoticeClass, audiences []string) []string {
	for _, audience := range audiences {
		var found []string
		for _, c := range t.Spec.Notify.Channels {
			of := c.Audience
			if of == "" {
				of = audienceTeam
			}
			if of == audience && (len(c.Classes) == 0 || slices.Contains(c.Classes, class)) {
				found = append(found, t.Name+"/"+c.Name)
			}
		}
		if len(found) > 0 {
			slices.Sort(found)
			return found
		}
	}
	return nil
}

// Address notes in a notice to whom it goes: each channel once, still to be sent.
func Address(n *v1alpha1.Notice, channels []string) {
	n.Addressed = true
	for _, c := range channels {
		n.Deliveries = append(n.Deliveries, v1alpha1.Delivery{Channel: c, State: v1alpha1.DeliveryPending})
	}
}
