package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/postgres"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

// desk is the touchpoint where all answers are given.
const desk = "desk"

// engine is a store with a way to count more than it keeps.
type engine struct {
	name  string
	store interface {
		store.Store
		AppendRetired(ctx context.Context, responses []store.Response, times int64) error
	}
	close func() error
}

// engines are the stores by name.
var engines = []struct {
	name string
	open func(context.Context) (*engine, error)
}{{"SQLite", openSQLite}, {"PostgreSQL", openPostgres}}

func openSQLite(ctx context.Context) (*engine, error) {
	dir, err := os.MkdirTemp("", "bench-evaluate")
	if err != nil {
		return nil, err
	}
	s, err := sqlite.Open(ctx, filepath.Join(dir, "answers.db"), sqlite.Options{})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &engine{"SQLite", s, func() error { return errors.Join(s.Close(), os.RemoveAll(dir)) }}, nil
}

// openPostgres opens a server of its own. It is not durable: what is measured begins when everything is loaded.
func openPostgres(ctx context.Context) (*engine, error) {
	server, err := pgtest.Start(pgtest.Options{Settings: map[string]string{"max_wal_size": "4GB"}})
	if err != nil {
		return nil, err
	}
	s, err := postgres.Open(ctx, server.DSN(nil), postgres.Options{})
	if err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return &engine{"PostgreSQL", s, func() error { return errors.Join(s.Close(), server.Stop()) }}, nil
}

const (
	// batch is how many answers an import hands to its store at once.
	batch = 1000
	// pattern is how many answers are counted many times where they are not kept: some in every hour, of every value.
	pattern = 10_000
)

// fill stores an import of so many answers: all of them where they are at most kept, else only their counts.
func (e *engine) fill(ctx context.Context, w *world, p *v1alpha1.SurveyProgram, answers, kept int64) error {
	if answers > kept {
		if err := e.count(ctx, w, p, answers); err != nil {
			return err
		}
	} else if err := e.keep(ctx, w, p, answers); err != nil {
		return err
	}
	_, err := e.store.FinishImport(ctx, env.KeyOf(p))
	return err
}

func (e *engine) keep(ctx context.Context, w *world, p *v1alpha1.SurveyProgram, answers int64) error {
	for from := int64(0); from < answers; from += batch {
		results, err := e.store.Append(ctx, w.answers(p, from, min(from+batch, answers)))
		if err != nil {
			return err
		}
		for _, r := range results {
			if r.Outcome != store.Stored {
				return fmt.Errorf("an answer was not stored: outcome %d", r.Outcome)
			}
		}
	}
	return nil
}

func (e *engine) count(ctx context.Context, w *world, p *v1alpha1.SurveyProgram, answers int64) error {
	for from := int64(0); from < pattern; from += batch {
		if err := e.store.AppendRetired(ctx, w.answers(p, from, from+batch), answers/pattern); err != nil {
			return err
		}
	}
	return nil
}

// answers makes the answers of an import from one number up to another. Their times are spread evenly over the window, their
// values over the scales.
func (w *world) answers(p *v1alpha1.SurveyProgram, from, to int64) []store.Response {
	all := make([]store.Response, 0, to-from)
	for i := from; i < to; i++ {
		n := spread(i)
		id := fmt.Sprintf("00000000-0000-4000-8000-%012x", i)
		all = append(all, store.Response{
			Program: env.KeyOf(p), ID: id, Digest: [32]byte([]byte(id)), Receipt: id, Touchpoint: desk, Language: "en",
			SubmittedAt: (w.first() + store.Hour(i%windowHours)).Time().Add(time.Duration(n%3600) * time.Second),
			Answers: []store.Answer{
				{Question: satisfied, Revision: 1, Kind: store.KindScale, Values: []string{strconv.FormatUint(1+n/3600%5, 10)}},
				{Question: recommend, Revision: 1, Kind: store.KindScale, Values: []string{strconv.FormatUint(n/18000%11, 10)}},
			},
		})
	}
	return all
}

// spread mixes a number's bits, so that what is taken of them looks drawn, and is the same in every run. It is a step of the
// generator SplitMix64.
func spread(i int64) uint64 {
	z := uint64(i)*0x9e3779b97f4a7c15 + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
