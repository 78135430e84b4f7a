package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

func finishImport(t TB, s store.Store, program store.Key) string {
	t.Helper()
	id, err := s.FinishImport(context.Background(), program)
	if err != nil {
		t.Fatalf("FinishImport: %v", err)
	}
	return id
}

// spread returns responses that each have an hour, and so counts, of their own.
func spread(program store.Key, series string, n int) []store.Response {
	out := respondMany(program, series, n)
	for i := range out {
		out[i].SubmittedAt = noon.Add(time.Duration(i) * time.Hour)
		out[i].Answers = out[i].Answers[1:]
		out[i].Answers[0].Values = []string{"7"}
	}
	return out
}

// testFeedImportsOfMovedCounts changes an import's counts again after its end: in small pages, they come late. The import
// must not be told before them.
func testFeedImportsOfMovedCounts(t *testing.T, h Harness) {
	s := open(t, h)
	appendAll(t, s, spread(programB, "other program", 5)...)
	appendAll(t, s, spread(programA, "import", 10)...)
	id := finishImport(t, s, programA)
	for _, r := range spread(programA, "later", 10) {
		appendAll(t, s, r)
	}
	for _, limit := range []int{1, 4, 1000} {
		p := newPicture()
		p.readAll(t, s, limit)
		if len(p.told) != 1 || p.told[0].id != id {
			t.Fatalf("limit %d: imports told: %d, want one", limit, len(p.told))
		}
		wantImported(t, p.told[0].counts, spread(programA, "import", 10))
		if _, ok := p.imports[programB]; ok {
			t.Errorf("limit %d: a program without an import has one", limit)
		}
	}
}

// wantImported wants every answer of an import among the counts.
func wantImported(t TB, counts map[series]int64, imported []store.Response) {
	t.Helper()
	for key, n := range tally(imported) {
		if counts[key] < n {
			t.Errorf("an import was told when %v counted %d, less than its %d answers", key, counts[key], n)
		}
	}
}

// testFeedImports has a reader follow imports under way, beside other writers of the same counts.
func testFeedImports(t *testing.T, h Harness) {
	s := open(t, h)
	const rounds, size = 12, 30
	var mu sync.Mutex
	imports := map[string]int{}
	writing := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		defer close(writing)
		for i := range rounds {
			appendAll(t, s, spread(programA, fmt.Sprint("import ", i), size)...)
			id := finishImport(t, s, programA)
			mu.Lock()
			imports[id] = i
			mu.Unlock()
		}
	})
	group.Go(func() {
		for i := 0; !isClosed(writing); i++ {
			if _, err := appendPatiently(s, spread(programA, fmt.Sprint("beside ", i), 1+i%size)...); err != nil {
				t.Errorf("Append: %v", err)
			}
		}
	})
	p := newPicture()
	for !isClosed(writing) {
		p.read(t, s, 5)
	}
	group.Wait()
	p.readAll(t, s, 5)
	last := -1
	for _, told := range p.told {
		round, ok := imports[told.id]
		if !ok || round < last {
			t.Fatalf("import %s was told after import %d; known: %t", told.id, last, ok)
		}
		last = round
		var imported []store.Response
		for i := range round + 1 {
			imported = append(imported, spread(programA, fmt.Sprint("import ", i), size)...)
		}
		wantImported(t, told.counts, imported)
	}
	if last != rounds-1 {
		t.Errorf("the last import that was told is number %d, want %d", last, rounds-1)
	}
	// An import changes nothing else, a second one has another identity, and both are told to who comes later.
	if first, second := finishImport(t, s, programB), finishImport(t, s, programB); first == second || first == "" {
		t.Errorf("two imports: %q and %q", first, second)
	} else if page := p.read(t, s, 5); page.Imports[programB] != second || len(page.Counts) != 0 || page.Reset {
		t.Errorf("page after an import without answers: %+v", page)
	}
	late := newPicture()
	late.readAll(t, s, 1000)
	if late.imports[programA] != p.imports[programA] || late.imports[programB] != p.imports[programB] {
		t.Errorf("a late reader knows the imports %v, want %v", late.imports, p.imports)
	}
}
