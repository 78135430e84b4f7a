package sqlite

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

// survey returns a response of ordinary size: five scales and a text.
func survey(n int) store.Response {
	r := wordy(n)
	r.Touchpoint = fmt.Sprint("touchpoint-", n%10)
	r.Answers = nil
	for q := range 5 {
		r.Answers = append(r.Answers, store.Answer{Question: fmt.Sprint("question-", q), Revision: 1, Kind: store.KindScale,
			Values: []string{fmt.Sprint((n + q) % 11)}})
	}
	r.Answers = append(r.Answers, store.Answer{Question: "why", Revision: 1, Kind: store.KindText,
		Values: []string{"The line was short and the staff was friendly."}})
	r.SubmittedAt = r.SubmittedAt.AddDate(55, 0, 0)
	return r
}

func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			s := mustOpen(b, filepath.Join(b.TempDir(), "answers.db"), Options{})
			defer s.Close()
			responses := make([]store.Response, b.N)
			for i := range responses {
				responses[i] = survey(i)
			}
			var next atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			var group sync.WaitGroup
			for range callers {
				group.Go(func() {
					for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
						if _, err := s.Append(context.Background(), responses[i:i+1]); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "responses/s")
		})
	}
}

func BenchmarkImport(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "answers.db"), Options{})
	defer s.Close()
	responses := make([]store.Response, b.N)
	for i := range responses {
		responses[i] = survey(i)
		responses[i].ID = storetest.ID("import", i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := s.Append(context.Background(), responses); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "responses/s")
}

// BenchmarkInvite invites different people, as many as may be at once, with every rule.
func BenchmarkInvite(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "answers.db"), Options{})
	defer s.Close()
	rule := store.Cooldown{AfterInvitation: 24 * time.Hour, AfterAnswer: 24 * time.Hour}
	invitations := make([]store.Invitation, b.N)
	for i := range invitations {
		hash := sha256.Sum256(fmt.Append(nil, i))
		invitations[i] = store.Invitation{Program: program, ID: storetest.ID("invite", i), Digest: hash, Contact: hash[:], InvitedAt: time.Unix(int64(i), 0)}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for chunk := range slices.Chunk(invitations, commit.MaxInvitations) {
		if _, err := s.Invite(context.Background(), chunk, store.Fatigue{Program: rule, Namespace: rule}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "invitations/s")
}
