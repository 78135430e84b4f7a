package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

// mess makes random calls that mean the same few responses, invitations, visits and people as everybody else's, in any order.
type mess struct {
	store    *Store
	rand     *rand.Rand
	programs []store.Key
}

func (m *mess) program() store.Key { return m.programs[m.rand.IntN(len(m.programs))] }

func (m *mess) at() time.Time { return noon.Add(time.Duration(m.rand.IntN(72)) * time.Hour) }

func (m *mess) responses() []store.Response {
	out := make([]store.Response, 1+m.rand.IntN(40))
	for i := range out {
		r := answered(m.rand.IntN(400), fmt.Sprint(m.rand.IntN(5)))
		r.Program, r.SubmittedAt = m.program(), m.at()
		if m.rand.IntN(2) == 0 {
			r.Invitation, r.SingleUse = storetest.ID("link", m.rand.IntN(60)), m.rand.IntN(2) == 0
		}
		if m.rand.IntN(2) == 0 {
			r.StartedAt = r.SubmittedAt.Add(-time.Minute)
		}
		if m.rand.IntN(4) == 0 {
			r.Standing, r.Failed = store.StandingSuspect, []string{"time"}
		}
		if m.rand.IntN(2) == 0 {
			r.Case = opening(r, m.rand.IntN(20))
		}
		out[i] = r
	}
	return out
}

func (m *mess) invitations() []store.Invitation {
	out := make([]store.Invitation, 1+m.rand.IntN(40))
	for i := range out {
		out[i] = store.Invitation{Program: m.program(), ID: storetest.ID("link", m.rand.IntN(60)), InvitedAt: m.at(), ExpiresAt: m.at()}
		if person := m.rand.IntN(20); person > 0 {
			contact := [32]byte{byte(person)}
			out[i].Contact = contact[:]
		}
	}
	return out
}

func (m *mess) visits() []store.Visit {
	out := make([]store.Visit, 1+m.rand.IntN(40))
	for i := range out {
		position := m.rand.IntN(4)
		out[i] = store.Visit{
			Program: m.program(), ID: storetest.ID("answered", m.rand.IntN(400)), StartedAt: m.at(), Question: fmt.Sprint("q", position), Position: position,
		}
	}
	return out
}

func (m *mess) make(ctx context.Context) (err error) {
	s := m.store
	switch m.rand.IntN(18) {
	case 0, 1, 2, 3:
		_, err = s.Append(ctx, m.responses())
	case 4, 5:
		f := store.Fatigue{Program: store.Cooldown{AfterInvitation: time.Hour}, Namespace: store.Cooldown{AfterAnswer: 24 * time.Hour}}
		_, err = s.Invite(ctx, m.invitations(), f)
	case 6, 7:
		err = s.Track(ctx, m.visits())
	case 8:
		to := []store.Standing{store.StandingCounted, store.StandingAnnulled}[m.rand.IntN(2)]
		_, err = s.SetStanding(ctx, m.program(), store.Selection{From: m.at()}, to, false)
	case 9:
		_, err = s.Erase(ctx, m.program(), fmt.Sprint("R", m.rand.IntN(400)))
	case 10:
		_, err = s.Retire(ctx, m.program(), noon.Add(time.Duration(m.rand.IntN(24))*time.Hour))
	case 11:
		_, err = s.Forget(ctx, m.program(), m.at(), m.at(), m.at())
	case 12, 13:
		err = m.changeCase(ctx)
	case 14:
		contact := [32]byte{byte(m.rand.IntN(20))}
		_, err = s.EraseContacts(ctx, m.program(), "", contact[:], "", m.at())
	case 15:
		_, err = s.EraseContacts(ctx, m.program(), fmt.Sprint("R", m.rand.IntN(400)), nil, "", m.at())
	case 16:
		_, err = s.ExpireContacts(ctx, m.program(), m.at())
	case 17:
		_, err = s.Notices(ctx, m.program(), store.NoticePending, 0, 20, m.at())
	}
	if errors.Is(err, store.ErrBusy) {
		return nil
	}
	return err
}

func (m *mess) changeCase(ctx context.Context) error {
	program := m.program()
	c, err := m.store.Case(ctx, program, storetest.ID("answered", m.rand.IntN(400)))
	if err == nil {
		to := []store.CaseState{"", store.CaseContacted, store.CaseResolved, store.CaseInformed}[m.rand.IntN(4)]
		_, err = m.store.ChangeCase(ctx, program, store.CaseChange{ID: c.ID, Version: c.Version, State: to, At: m.at()})
	}
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrChanged) || errors.Is(err, store.ErrBackward) {
		return nil
	}
	return err
}

// TestMess has several processes do everything at once with the same few things: nobody waits for each other for ever, which
// TestMain looks for in the server's log, and the counts hold.
func TestMess(t *testing.T) {
	const processes, callers, calls = 4, 4, 60
	dsn := newSchema(t, server)
	programs := []store.Key{program, {Namespace: program.Namespace, Name: "tenants"}, {Namespace: "mall", Name: "visitors"}}
	var group sync.WaitGroup
	var stores []*Store
	for p := range processes {
		s := mustOpen(t, dsn, Options{})
		defer mustClose(t, s)
		stores = append(stores, s)
		for c := range callers {
			group.Go(func() {
				m := &mess{store: s, rand: rand.New(rand.NewPCG(uint64(p), uint64(c))), programs: programs}
				for range calls {
					if err := m.make(context.Background()); err != nil {
						t.Errorf("process %d, caller %d: %v", p, c, err)
					}
				}
			})
		}
	}
	group.Wait()
	for _, p := range programs {
		check, err := stores[0].Recount(context.Background(), p)
		if err != nil || len(check.Differences) > 0 {
			t.Errorf("Recount of %s: %+v, %v", p, check, err)
		}
	}
	const taken = `SELECT (SELECT count(*) FROM visit WHERE position < 0) +
		(SELECT count(*) FROM invitation WHERE digest IS NULL AND answered_on IS NULL) || ' left'`
	if got := ask(t, dsn, taken); got != "0 left" {
		t.Errorf("rows that transactions took and should have given up: %s", got)
	}
}
