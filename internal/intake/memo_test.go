package intake

import (
	"sync"
	"testing"
)

func TestMemo(t *testing.T) {
	computed := 0
	square := func(n int) int { computed++; return n * n }
	m := memo[int, int]{size: 3}
	for range 2 {
		for n := range 3 {
			if got := m.get(n, square); got != n*n {
				t.Errorf("%d gives %d", n, got)
			}
		}
	}
	if computed != 3 {
		t.Errorf("3 results were computed %d times", computed)
	}
	if got := m.get(9, square); got != 81 || len(m.results) != 3 || m.weight != 3 {
		t.Errorf("a fourth: %d, then %d results that weigh %d are kept", got, len(m.results), m.weight)
	}
}

func TestMemoWeighs(t *testing.T) {
	same := func(n int) int { return n }
	m := memo[int, int]{size: 10, weigh: same}
	for _, n := range []int{4, 5, 3, 10, 1, 2, 99, 6} {
		m.get(n, same)
		sum := 0
		for _, kept := range m.results {
			sum += kept
		}
		if sum != m.weight || sum > 10 && len(m.results) > 1 {
			t.Errorf("after %d, %v are kept: %d of %d", n, m.results, sum, m.weight)
		}
		if _, kept := m.results[n]; !kept {
			t.Errorf("%d is not kept", n)
		}
	}
}

func TestMemoIsSharedByGoroutines(t *testing.T) {
	m := memo[int, int]{size: 5}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := range 1000 {
				if got := m.get(n%10, func(n int) int { return -n }); got != -(n % 10) {
					t.Errorf("%d gives %d", n%10, got)
				}
			}
		})
	}
	wg.Wait()
	if len(m.results) != 5 || m.weight != 5 {
		t.Errorf("%d results that weigh %d are kept", len(m.results), m.weight)
	}
}
