package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/postgres"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
	"github.com/cx-operator/cx-operator/test/perf/bench"
	"github.com/cx-operator/cx-operator/test/perf/load"
)

func TestMain(m *testing.M) {
	load.Main()
	bareMain()
	os.Exit(m.Run())
}

// What the database alone is given is what a store would have written: a store that opens it finds nothing wrong.
func TestAloneWritesAStoresRows(t *testing.T) {
	w := &world{dir: t.TempDir()}
	pg, err := startPostgres(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := pg.stop(); err != nil {
			t.Error(err)
		}
	}()
	for _, c := range []struct {
		engine engine
		open   func(kept) (store.Store, error)
	}{
		{&sqliteEngine{w}, func(k kept) (store.Store, error) {
			return sqlite.Open(t.Context(), k.(*sqliteStore).plain(), sqlite.Options{})
		}},
		{pg, func(k kept) (store.Store, error) {
			return postgres.Open(t.Context(), pg.server.DSN(nil), postgres.Options{Schema: k.(*postgresStore).beside()})
		}},
	} {
		t.Run(c.engine.name(), func(t *testing.T) {
			k, err := c.engine.fresh(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			writeSome(t, k)
			s, err := c.open(k)
			if err != nil {
				t.Fatal(err)
			}
			check, err := s.Recount(t.Context(), program)
			if err != nil || check.Responses != 1+2*(1+100) || len(check.Differences) > 0 {
				t.Errorf("%+v, %v", check, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if err := k.drop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func writeSome(t *testing.T, k kept) {
	t.Helper()
	a, err := k.alone(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []load.Kind{load.JSON, load.Form} {
		source, err := newRows(kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 100} {
			if err := a.write(t.Context(), source.take(n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 2 {
		if err := a.commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestBareTakesTheLoad(t *testing.T) {
	list, stop, err := startBares(2)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []load.Kind{load.JSON, load.Form} {
		r, err := load.Do(t.Context(), load.Plan{
			Targets: list, Kind: kind, Survey: form(), Sign: signToken, Clients: 4, Duration: 200 * time.Millisecond, Timeout: timeout,
		})
		if err != nil || r.Total.Accepted < 1 || r.Total.Failures()+r.Total.Shed > 0 {
			t.Errorf("%s: %+v, %v", kind, r, err)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		sent  load.Total
		has   tally
		wrong int
	}{
		"all well":          {load.Total{Accepted: 10}, tally{10, 10}, 0},
		"lost":              {load.Total{Accepted: 10}, tally{9, 9}, 1},
		"doubled":           {load.Total{Accepted: 10}, tally{11, 11}, 1},
		"shed but stored":   {load.Total{Accepted: 10, Shed: 2}, tally{12, 12}, 0},
		"not counted":       {load.Total{Accepted: 10}, tally{10, 9}, 1},
		"no proper answers": {load.Total{Accepted: 10, Shed: 1, Hasty: 1}, tally{10, 10}, 1},
	} {
		b := &bencher{}
		b.judge(name, c.sent, c.has)
		if len(b.wrong) != c.wrong || (b.broken() != nil) != (c.wrong > 0) {
			t.Errorf("%s: %v", name, b.wrong)
		}
	}
}

func TestUsage(t *testing.T) {
	p := &process{}
	if err := p.launch(exec.CommandContext(context.Background(), "sleep", "60")); err != nil {
		t.Fatal(err)
	}
	u, err := p.usage()
	if err != nil || u.resident < 1<<12 || u.peak < u.resident || u.peak > 1<<30 {
		t.Errorf("%+v, %v", u, err)
	}
	if err := p.stop(); err == nil {
		t.Error("a process that a signal ended is said to have ended in order")
	}
	if cpu, err := familyCPU(os.Getpid()); err != nil || cpu < 0 {
		t.Errorf("%v, %v", cpu, err)
	}
}

func TestCount(t *testing.T) {
	for _, kind := range []load.Kind{load.JSON, load.Form} {
		first, err := allocations(kind)
		if err != nil {
			t.Fatal(err)
		}
		second, err := allocations(kind)
		if err != nil || first != second || first < 1 {
			t.Errorf("%s: %v and %v allocations, %v", kind, first, second, err)
		}
	}
	report := bench.NewReport("intake")
	if err := countStatements(report); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	if err := report.Print(&said); err != nil {
		t.Fatal(err)
	}
	figures, err := bench.ReadFigures(&said)
	if err != nil || len(figures) != 2 || figures[0].Value <= figures[1].Value || figures[1].Value != math.Trunc(figures[1].Value) {
		t.Errorf("%+v, %v", figures, err)
	}
}
