package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
)

const (
	day = 86_400.0
	// page is a page of PostgreSQL, in bytes: what is written whole into the log when it is first changed after a checkpoint.
	page = 8192
	// filled is the share of a machine that is planned with: the rest is for the loss of a neighbour, and for a bad hour.
	filled = 0.7
	// cached is the share of a database's memory that can hold the pages of identities.
	cached = 0.5
)

// Facts are what one answer, one count and one object cost. Those of stores can be measured by -measure, most others by the benches
// of test/perf; the rest are assumed.
type Facts struct {
	// AnswerCPU and PageCPU are CPU of an endpoint for an answer and for a page, RowCPU that of the database for an answer in a
	// shared commit: microseconds of one core.
	AnswerCPU, PageCPU, RowCPU float64
	// AnswerBytes is what an answer takes on disk until retention deletes it, beside IdentityBytes, which stay. LogBytes is what
	// it writes into the database's log, without whole pages.
	AnswerBytes, IdentityBytes, LogBytes float64
	// IndexBytes is what an identity takes in one of the indexes on identities.
	IndexBytes float64
	// RequestBytes and PageBytes are an answer and a page on the wire, with what comes back.
	RequestBytes, PageBytes float64
	// CountBytes is what a row of counts takes on disk, FeedBytes one that the operator reads, and FeedCPU microseconds of the
	// operator for it.
	CountBytes, FeedBytes, FeedCPU float64
	// JudgeCPU is what judging one objective takes, in microseconds.
	JudgeCPU float64
	// ProcessRate is what one endpoint process can acknowledge per second, ProcessBytes its memory.
	ProcessRate, ProcessBytes float64
	// ManagerBytes is the manager's memory without touchpoints, TouchpointBytes that of one with a busy window.
	ManagerBytes, TouchpointBytes float64
}

// Machine is what every tier is made of.
type Machine struct {
	Cores float64
	// Memory and Disk in bytes; Write and Network in bytes per second; IOPS of random reads and writes together.
	Memory, Disk, Write, Network, IOPS float64
}

// Demand is what is asked of an installation.
type Demand struct {
	// Rate of answers per second in the busiest hour, and how many times that of an average day it is.
	Rate, Peak float64
	// Pages are opened for each answer.
	Pages float64
	// RetentionDays that answers are kept, and IdentityDays of answers whose identities there are: those stay.
	RetentionDays, IdentityDays float64
	// Touchpoints there are, each with so many Objectives and hourly Counts (questions x values x teams).
	Touchpoints, Objectives, Counts float64
	// ProgramTouchpoints is how many a program has, on average. Each program has two processes of its own, or more where they
	// are Shared by all programs of a store and so many are needed.
	ProgramTouchpoints float64
	Shared             bool
	// Largest is the share of the answers that the largest program has, from 0 to 1.
	Largest float64
	// Ordered says that identities are drawn in the order of time (UUID version 7), not by chance.
	Ordered bool
}

// mean rate of an average day.
func (d Demand) mean() float64 { return d.Rate / d.Peak }

// processes of endpoints: two at least, so that one may be lost.
func (d Demand) processes(f Facts) float64 {
	least := 2.0
	if !d.Shared {
		least *= math.Max(1, d.Touchpoints/d.ProgramTouchpoints)
	}
	return math.Ceil(math.Max(least, d.Rate/f.ProcessRate/filled))
}

// Resource is what a tier needs of one thing in all, and what one machine has of it.
type Resource struct {
	Name, Unit string
	Need, Has  float64
	// Alone is how many machines there would be for it alone, and One the rate up to which one machine has enough of it, with
	// touchpoints in proportion. They are known once a tier is planned.
	Alone int
	One   float64
}

// share of one machine's that each of so many machines uses.
func (r Resource) share(machines float64) float64 { return r.Need / r.Has / machines }

// Tier is machines that do the same.
type Tier struct {
	Name     string
	Machines int
	// Resources are as needed with that many machines.
	Resources []Resource
	// Limit is the index of the resource that needs the most machines.
	Limit int
}

// Layout is one way to take a demand.
type Layout struct {
	Name  string
	Tiers []Tier
	// Program is the most answers per second that one program can have, which never spans stores, and ProgramLimit what of its
	// server ends it.
	Program      float64
	ProgramLimit string
}

// Limit is a resource of which one machine has enough up to a rate.
type Limit struct {
	Tier, Resource string
	Rate           float64
}

// Limits are those of single machines in the order in which they are met.
func (l Layout) Limits() []Limit {
	var limits []Limit
	for _, t := range l.Tiers {
		for _, r := range t.Resources {
			limits = append(limits, Limit{t.Name, r.Name, r.One})
		}
	}
	slices.SortStableFunc(limits, func(a, b Limit) int { return cmp.Compare(a.Rate, b.Rate) })
	return limits
}

// needs tells what a number of machines needs in all for a demand.
type needs func(d Demand, machines float64) []Resource

// maxMachines is where the planning of a tier is given up.
const maxMachines = 100_000

// tier finds how few machines do; at least so many are planned.
func tier(name string, least int, d Demand, need needs) (Tier, error) {
	t := Tier{Name: name, Machines: least}
	alone := make([]int, len(need(d, 1)))
	ones := make([]float64, len(alone))
	for i := range alone {
		var err error
		if alone[i], err = machines(d, need, i); err != nil {
			return Tier{}, fmt.Errorf("%s: %w", name, err)
		}
		ones[i] = one(d, need, i)
		if alone[i] > alone[t.Limit] || alone[i] == alone[t.Limit] && ones[i] < ones[t.Limit] {
			t.Limit = i
		}
	}
	t.Machines = max(least, alone[t.Limit])
	t.Resources = need(d, float64(t.Machines))
	for i := range t.Resources {
		t.Resources[i].Alone, t.Resources[i].One = alone[i], ones[i]
	}
	return t, nil
}

// machines finds how few have enough of one resource.
func machines(d Demand, need needs, resource int) (int, error) {
	n := 1 + sort.Search(maxMachines, func(n int) bool { return need(d, float64(n+1))[resource].share(float64(n+1)) <= filled })
	if n > maxMachines {
		return 0, fmt.Errorf("not even %d machines have enough of the %s", maxMachines, need(d, 1)[resource].Name)
	}
	return n, nil
}

// one finds the rate up to which one machine has enough of a resource, in proportion to the demand.
func one(d Demand, need needs, resource int) float64 {
	low, high := 0.0, 1e9
	for range 200 {
		middle := (low + high) / 2
		part := d
		part.Rate, part.Touchpoints = d.Rate*middle, d.Touchpoints*middle
		if need(part, 1)[resource].share(1) <= filled {
			low = middle
		} else {
			high = middle
		}
	}
	return d.Rate * low
}

// endpoints need CPU and network for pages and answers, at the peak.
func endpoints(f Facts, m Machine) needs {
	return func(d Demand, _ float64) []Resource {
		return []Resource{
			{Name: "CPU", Unit: "cores", Need: d.Rate * (f.AnswerCPU + d.Pages*f.PageCPU) / 1e6, Has: m.Cores},
			{Name: "network", Unit: "MB/s", Need: d.Rate * (f.RequestBytes + d.Pages*f.PageBytes) / 1e6, Has: m.Network / 1e6},
			{Name: "memory", Unit: "GB", Need: d.processes(f) * f.ProcessBytes / 1e9, Has: m.Memory / 1e9},
		}
	}
}

const (
	// identityIndexes are by identity and by receipt, both drawn by chance: a new one touches any page of its index.
	identityIndexes = 2
	// checkpoint is the time between two of them, in seconds. A page is written whole into the log when it is first changed
	// after one, and once into its table.
	checkpoint = 900
	// processConnections is what an endpoint process takes of a server, which is planned with serverConnections.
	processConnections, serverConnections = 6, 500
)

// databases need what is written at a rate, and keep what average days bring. Their standbys are not counted.
func databases(f Facts, m Machine, rate func(Demand) float64) needs {
	return func(d Demand, n float64) []Resource {
		written, reads, pages := rate(d), 0.0, 0.0
		if !d.Ordered && d.IdentityDays > 0 {
			index := d.mean() / n * day * d.IdentityDays * f.IndexBytes
			hits := written / n * identityIndexes
			reads = hits * math.Max(0, 1-cached*m.Memory/index)
			pages = touched(hits*checkpoint, index/page) / checkpoint
		}
		kept := d.mean() * day * (d.RetentionDays*f.AnswerBytes + d.IdentityDays*f.IdentityBytes)
		counts := d.Touchpoints * d.Counts * 24 * d.IdentityDays * f.CountBytes
		return []Resource{
			{Name: "CPU", Unit: "cores", Need: written * f.RowCPU / 1e6, Has: m.Cores},
			{Name: "written", Unit: "MB/s", Need: (written*f.LogBytes + n*2*pages*page) / 1e6, Has: m.Write / 1e6},
			{Name: "random pages", Unit: "IOPS", Need: n * (reads + pages), Has: m.IOPS},
			{Name: "connections", Unit: "", Need: d.processes(f) * processConnections, Has: serverConnections},
			{Name: "disk", Unit: "TB", Need: (kept + counts) / 1e12, Has: m.Disk / 1e12},
		}
	}
}

// touched is how many of some pages are hit at least once by so many hits of chance.
func touched(hits, pages float64) float64 {
	if pages <= 0 {
		return 0
	}
	return pages * (1 - math.Exp(-hits/pages))
}

const (
	// answersCounted is how many counts an answer changes: its scores and the visit that it ends.
	answersCounted = 7
	// clusterTouchpoints is for how many one API server and one manager were tried.
	clusterTouchpoints = 50_000
)

// operators read what counts have changed, of each program once a second at most, and judge what changed. There is one for a
// cluster.
func operators(f Facts, m Machine) needs {
	return func(d Demand, n float64) []Resource {
		changed := math.Min(d.Rate*answersCounted, d.Touchpoints*d.Counts)
		judged := math.Min(d.Rate, d.Touchpoints) * d.Objectives
		return []Resource{
			{Name: "CPU", Unit: "cores", Need: (changed*f.FeedCPU + judged*f.JudgeCPU) / 1e6, Has: m.Cores},
			{Name: "feed", Unit: "MB/s", Need: changed * f.FeedBytes / 1e6, Has: m.Network / 1e6},
			{Name: "memory", Unit: "GB", Need: (n*f.ManagerBytes + d.Touchpoints*f.TouchpointBytes) / 1e9, Has: m.Memory / 1e9},
			{Name: "objects", Unit: "touchpoints", Need: d.Touchpoints, Has: clusterTouchpoints / filled},
		}
	}
}

// copies of all that is in a log, each on another machine.
const copies = 3

// brokers write every answer once for each copy, and pass it on to the other copies and to the stores. They keep a day.
func brokers(f Facts, m Machine) needs {
	return func(d Demand, _ float64) []Resource {
		in := d.Rate * f.RequestBytes
		return []Resource{
			{Name: "written", Unit: "MB/s", Need: in * copies / 1e6, Has: m.Write / 1e6},
			{Name: "network", Unit: "MB/s", Need: in * (copies + 1) / 1e6, Has: m.Network / 1e6},
			{Name: "disk", Unit: "TB", Need: d.mean() * day * f.RequestBytes * copies / 1e12, Has: m.Disk / 1e12},
		}
	}
}

// atPeak is the rate of stores that take answers as they come, smoothed that of stores behind a log, where the busiest hours may
// be written later.
func atPeak(d Demand) float64   { return d.Rate }
func smoothed(d Demand) float64 { return math.Min(d.Rate, 1.5*d.mean()) }

func (d Demand) check() error {
	if d.Rate <= 0 || d.Peak < 1 || d.Largest <= 0 || d.Largest > 1 || d.ProgramTouchpoints < 1 {
		return fmt.Errorf("a demand has a rate, a peak of 1 or more, a largest program of at most all answers, and programs of 1 touchpoint or more; not %+v", d)
	}
	return nil
}

// Changes are what the product would have to change for the layouts after the first one.
type Changes struct {
	// KeptDays is how long answers stay in the database, before they are moved out of it; IdentityDays how long identities and
	// hourly counts stay.
	KeptDays, IdentityDays float64
}

// Plan returns three layouts for a demand: as the product is, on PostgreSQL servers; with processes for all programs of a store,
// identities in the order of time that end, and answers that are moved out of the database; and the same behind a log.
func Plan(f Facts, m Machine, d Demand, c Changes) ([]Layout, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	leaner := d
	leaner.Shared, leaner.Ordered = true, true
	leaner.IdentityDays, leaner.RetentionDays = min(d.IdentityDays, c.IdentityDays), min(d.RetentionDays, c.KeptDays)
	direct, behind := databases(f, m, atPeak), databases(f, m, smoothed)
	var layouts []Layout
	for _, l := range []struct {
		name   string
		demand Demand
		store  needs
		log    bool
	}{
		{"as it is", d, direct, false}, {"leaner", leaner, direct, false}, {"leaner, behind a log", leaner, behind, true},
	} {
		tiers, err := tiersOf(f, m, l.demand, l.store, l.log)
		if err != nil {
			return nil, err
		}
		layout := Layout{Name: l.name, Tiers: tiers}
		layout.Program, layout.ProgramLimit = alone(l.demand, l.store)
		layouts = append(layouts, layout)
	}
	return layouts, nil
}

func tiersOf(f Facts, m Machine, d Demand, store needs, log bool) ([]Tier, error) {
	endpointTier, err := tier("endpoints", 2, d, endpoints(f, m))
	if err != nil {
		return nil, err
	}
	tiers := []Tier{endpointTier}
	if log {
		t, err := tier("log", copies, d, brokers(f, m))
		if err != nil {
			return nil, err
		}
		tiers = append(tiers, t)
	}
	stores, err := tier("PostgreSQL", 1, d, store)
	if err != nil {
		return nil, err
	}
	managers, err := tier("operators", 1, d, operators(f, m))
	return append(tiers, stores, managers), err
}

// alone is the most answers per second that one program can have, which has a server for itself, with its part of the
// touchpoints, and what ends it.
func alone(d Demand, store needs) (rate float64, limit string) {
	rate, d.Shared = math.Inf(1), true // no other program shares the server
	for i, r := range store(d, 1) {
		if at := one(d, store, i); at < rate {
			rate, limit = at, r.Name
		}
	}
	return rate, limit
}
