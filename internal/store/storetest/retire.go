package storetest

import (
	"context"
	"crypto/sha256"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

func retire(t TB, s store.Store, program store.Key, before time.Time, want int) {
	t.Helper()
	if n, err := s.Retire(context.Background(), program, before); err != nil || n != int64(want) {
		t.Errorf("Retire before %s: %d, %v; want %d", before, n, err, want)
	}
}

func testRetire(t *testing.T, h Harness) {
	s := open(t, h)
	const n = 1500
	all := respondMany(programA, "retire", n)
	for i := range all {
		all[i].Answers = append(all[i].Answers, store.Answer{Question: "why", Revision: 1, Kind: store.KindText,
			Values: []string{"text"}})
	}
	others := respondMany(programB, "retire", n)
	appendAll(t, s, append(all, others...)...)
	p := newPicture()
	p.readAll(t, s, 1000)

	retire(t, s, programA, all[1000].SubmittedAt, 1000)
	retire(t, s, programA, all[1000].SubmittedAt, 0)
	retire(t, s, store.Key{Namespace: "no", Name: "such"}, noon.AddDate(9, 0, 0), 0)
	wantRecount(t, s, programA, n-1000)
	wantRecount(t, s, programB, n)
	if diff := cmp.Diff(exported(all[1000:]), export(t, s, programA)); diff != "" {
		t.Errorf("export after retention differs (-want +got):\n%s", diff)
	}
	// The counts stay, for who knows them and for who comes later.
	p.readAll(t, s, 1000)
	if diff := cmp.Diff(tally(append(all, others...)), p.counts); diff != "" {
		t.Errorf("counts after retention differ (-want +got):\n%s", diff)
	}
	wantPicture(t, s, append(all, others...))

	// So do the identities.
	other := all[1]
	other.Digest = sha256.Sum256([]byte("other"))
	wantResults(t, appendAll(t, s, all[0], other, all[1200]),
		store.Result{Outcome: store.Repeated, Receipt: all[0].Receipt},
		store.Result{Outcome: store.Conflict},
		store.Result{Outcome: store.Repeated, Receipt: all[1200].Receipt})

	// What comes late counts where retention has been, and is retired in turn.
	late := respond(programA, "late", 0)
	appendAll(t, s, late)
	wantRecount(t, s, programA, n-1000+1)
	retire(t, s, programA, noon.AddDate(1, 0, 0), n-1000+1)
	wantRecount(t, s, programA, 0)
	wantPicture(t, s, append(append(all, others...), late))
}

func testRetireBound(t *testing.T, h Harness) {
	s := open(t, h)
	var all []store.Response
	for i, at := range []time.Time{noon.Add(-1), noon, noon.Add(1), noon.Add(time.Microsecond), noon.Add(2 * time.Microsecond)} {
		r := respond(programA, "bound", i)
		r.SubmittedAt = at
		all = append(all, r)
	}
	appendAll(t, s, all...)
	retire(t, s, programA, noon.Add(-time.Hour), 0)
	retire(t, s, programA, noon, 1)
	retire(t, s, programA, noon.Add(500), 2)
	retire(t, s, programA, noon.Add(2*time.Microsecond), 1)
	wantRecount(t, s, programA, 1)
	wantPicture(t, s, all)
}

// testRetireUnderLoad retires while answers come in, old ones among them.
func testRetireUnderLoad(t *testing.T, h Harness) {
	s := open(t, h)
	const n = 1200
	all := respondMany(programA, "load", n)
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for i := w; i < n; i += 4 {
				if _, err := appendPatiently(s, all[i]); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
	}
	retired := int64(0)
	for range 10 {
		n, err := s.Retire(context.Background(), programA, all[n/2].SubmittedAt)
		if err != nil {
			t.Errorf("Retire: %v", err)
		}
		retired += n
		if check, err := s.Recount(context.Background(), programA); err != nil || len(check.Differences) > 0 {
			t.Errorf("Recount meanwhile: %v, %v", check, err)
		}
	}
	group.Wait()
	retire(t, s, programA, all[n/2].SubmittedAt, int(n/2-retired))
	wantRecount(t, s, programA, n/2)
	wantPicture(t, s, all)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if n, err := s.Retire(cancelled, programA, noon.AddDate(1, 0, 0)); err == nil || n != 0 {
		t.Errorf("Retire with a context that has ended: %d, %v", n, err)
	}
}

func testRecountDamage(t *testing.T, h Harness) {
	s := open(t, h)
	appendAll(t, s, append(respondMany(programA, "damage", 40), respondMany(programB, "damage", 40)...)...)
	retire(t, s, programA, noon.Add(10*time.Minute), 10)
	wantRecount(t, s, programA, 30)
	h.Damage(t, programA)
	check, err := s.Recount(context.Background(), programA)
	if err != nil || len(check.Differences) != 1 || check.Responses != 30 {
		t.Errorf("Recount after damage to one count: %+v, %v", check, err)
	}
	wantRecount(t, s, programB, 40)
	// Retention does not cover the damage up.
	retire(t, s, programA, noon.AddDate(1, 0, 0), 30)
	check, err = s.Recount(context.Background(), programA)
	if err != nil || len(check.Differences) != 1 {
		t.Errorf("Recount after damage and retention: %+v, %v", check, err)
	}
}
