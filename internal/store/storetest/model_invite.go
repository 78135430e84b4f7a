package storetest

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// modelInvitation is known when it was made or skipped, and answered when a response was stored that came by it.
type modelInvitation struct {
	store.Invitation
	known, answered bool
	skip            store.Skip
	// day begins the day of its last answer.
	day time.Time
}

func drawInvitationID(t *rapid.T) string {
	return ID("model invitation", rapid.IntRange(0, 9).Draw(t, "invitation"))
}

func (m *model) drawInvitation(t *rapid.T) store.Invitation {
	i := invitation(m.drawProgram(t), "", 0)
	i.ID = drawInvitationID(t)
	i.Digest = sha256.Sum256(fmt.Append(nil, rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "body")))
	i.Touchpoint = rapid.SampledFrom([]string{"", "a"}).Draw(t, "touchpoint")
	if person := rapid.IntRange(0, 2).Draw(t, "person"); person > 0 {
		i.Contact = contact(person)
	}
	i.InvitedAt = noon.Add(time.Duration(rapid.IntRange(-72, 72).Draw(t, "hour")) * time.Hour)
	i.ExpiresAt = i.InvitedAt.Add(time.Duration(rapid.IntRange(0, 72).Draw(t, "valid")) * time.Hour)
	return i
}

func drawCooldown(t *rapid.T) store.Cooldown {
	draw := func(name string) time.Duration {
		return time.Duration(rapid.SampledFrom([]int{0, 1, 24, 48}).Draw(t, name)) * time.Hour
	}
	return store.Cooldown{AfterInvitation: draw("after invitation"), AfterAnswer: draw("after answer")}
}

func (m *model) invite(t *rapid.T) {
	f := store.Fatigue{Program: drawCooldown(t), Namespace: drawCooldown(t)}
	invitations := rapid.SliceOfN(rapid.Custom(m.drawInvitation), 1, 6).Draw(t, "invitations")
	var want []store.InviteResult
	for _, i := range invitations {
		want = append(want, m.inviteOne(i, f))
	}
	wantInvited(t, invite(t, *m.store, f, invitations...), want...)
}

func (m *model) inviteOne(i store.Invitation, f store.Fatigue) store.InviteResult {
	key := identity{i.Program, i.ID}
	old := m.invitations[key]
	outcome := store.Stored
	switch {
	case old == nil || !old.known:
		now := &modelInvitation{Invitation: i, known: true, skip: m.skip(i, f)}
		if old != nil {
			now.answered, now.day = old.answered, old.day
		}
		m.invitations[key] = now
		m.countInvitation(now)
		old = now
	case old.Digest != i.Digest:
		return store.InviteResult{Outcome: store.Conflict}
	default:
		outcome = store.Repeated
	}
	return store.InviteResult{Outcome: outcome, Skip: old.skip, InvitedAt: old.InvitedAt, ExpiresAt: old.ExpiresAt}
}

func (m *model) countInvitation(i *modelInvitation) {
	if i.skip != (store.Skip{}) {
		m.add(ofInvitation(i.Invitation, "@skipped", i.skip.Scope+"/"+i.skip.Reason), 1)
		return
	}
	m.add(ofInvitation(i.Invitation, "@invited", ""), 1)
	if i.answered {
		m.add(ofInvitation(i.Invitation, "@answered", ""), 1)
	}
}

// skip looks through all invitations, which is slow and plain.
func (m *model) skip(i store.Invitation, f store.Fatigue) store.Skip {
	within := func(program bool, reason string, d time.Duration) bool {
		return slices.ContainsFunc(m.all(), func(old *modelInvitation) bool {
			if !old.known || i.Contact == nil || !slices.Equal(old.Contact, i.Contact) || program && old.Program != i.Program {
				return false
			}
			since := old.InvitedAt
			if reason == "answered" {
				since = old.day
			}
			counts := reason == "invited" && old.skip == (store.Skip{}) || reason == "answered" && old.answered
			return counts && d > 0 && i.InvitedAt.Before(since.Add(d))
		})
	}
	for _, rule := range []struct {
		scope, reason string
		d             time.Duration
	}{
		{"program", "invited", f.Program.AfterInvitation}, {"program", "answered", f.Program.AfterAnswer},
		{"namespace", "invited", f.Namespace.AfterInvitation}, {"namespace", "answered", f.Namespace.AfterAnswer},
	} {
		if within(rule.scope == "program", rule.reason, rule.d) {
			return store.Skip{Scope: rule.scope, Reason: rule.reason}
		}
	}
	return store.Skip{}
}

func (m *model) all() []*modelInvitation {
	var out []*modelInvitation
	for _, i := range m.invitations {
		out = append(out, i)
	}
	return out
}

// answer has a new response answer its invitation, and tells whether it may.
func (m *model) answer(r store.Response) bool {
	key := identity{r.Program, r.Invitation}
	i := m.invitations[key]
	if i != nil && i.answered && r.SingleUse {
		return false
	}
	today := r.SubmittedAt.Truncate(day)
	if i == nil {
		if r.SingleUse {
			unknown := &modelInvitation{answered: true, day: today}
			unknown.Program, unknown.InvitedAt, unknown.ExpiresAt = r.Program, today, today.Add(400*day)
			m.invitations[key] = unknown
		}
		return true
	}
	if !i.answered && i.known && i.skip == (store.Skip{}) {
		m.add(ofInvitation(i.Invitation, "@answered", ""), 1)
	}
	if !i.answered || i.day.Before(today) {
		i.day = today
	}
	i.answered = true
	return true
}

func (m *model) drawVisit(t *rapid.T) store.Visit {
	v := visit(m.drawProgram(t), "model", rapid.IntRange(0, 30).Draw(t, "identity"), rapid.IntRange(0, 4).Draw(t, "position"))
	v.Touchpoint = rapid.SampledFrom([]string{"", "a"}).Draw(t, "touchpoint")
	v.StartedAt = noon.Add(drawMinute(t, "started"))
	return v
}

func (m *model) track(t *rapid.T) {
	visits := rapid.SliceOfN(rapid.Custom(m.drawVisit), 1, 8).Draw(t, "visits")
	for _, v := range visits {
		key := identity{v.Program, v.ID}
		if m.stored[key] != nil {
			continue
		}
		if old, ok := m.visits[key]; ok {
			if old.Position >= v.Position {
				continue
			}
			m.add(ofVisit(old, "@unfinished", old.Question), -1)
			v.Touchpoint, v.Unit, v.StartedAt = old.Touchpoint, old.Unit, old.StartedAt
		}
		m.visits[key] = v
		m.add(ofVisit(v, "@unfinished", v.Question), 1)
	}
	track(t, *m.store, visits...)
}

func (m *model) forget(t *rapid.T) {
	program := m.drawProgram(t)
	visits, links := noon.Add(drawMinute(t, "visits")), noon.Add(time.Duration(rapid.IntRange(-72, 72).Draw(t, "invitations"))*time.Hour)
	now := noon.Add(time.Duration(rapid.SampledFrom([]int{-48, 0, 48, 96, 400 * 24, 999 * 24}).Draw(t, "now")) * time.Hour)
	n := 0
	for key, v := range m.visits {
		if key.program == program && v.StartedAt.Before(visits) {
			delete(m.visits, key)
			n++
		}
	}
	for key, i := range m.invitations {
		if key.program == program && i.InvitedAt.Before(links) && !i.ExpiresAt.After(now) {
			delete(m.invitations, key)
			n++
		}
	}
	forget(t, *m.store, program, visits, links, now, n)
}

// selects tells whether a selection is for a response, which has a standing.
func selects(sel store.Selection, r store.Response, is store.Standing) bool {
	return (len(sel.IDs) == 0 || slices.Contains(sel.IDs, r.ID)) &&
		(sel.From.IsZero() || !r.SubmittedAt.Before(sel.From)) && (sel.To.IsZero() || r.SubmittedAt.Before(sel.To)) &&
		(sel.Touchpoint == nil || *sel.Touchpoint == r.Touchpoint) && (sel.Unit == nil || *sel.Unit == r.Unit) &&
		(sel.Failed == "" || slices.Contains(r.Failed, sel.Failed)) && (sel.Standing == "" || sel.Standing == is)
}
