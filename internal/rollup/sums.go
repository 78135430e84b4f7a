package rollup

import "github.com/cx-operator/cx-operator/internal/store"

// A window of a busy series has thousands of cells. So such a series also holds the sum of each day, as a series whose hours are
// days. A window then reads the sums of its whole days, and the cells of its two ends alone.

const (
	// busySeries and busyDay are how many bytes of cells a series, and a day of it on average, has at least that is summed up:
	// the sums of a quiet one would be as many as its cells.
	busySeries = 1024
	busyDay    = 48
	// summedColumns bounds the columns of what is summed up. Questions on a scale have few; the sums of many columns would be
	// as long as their cells.
	summedColumns = 16
)

// sumUp brings the sums up to date after a change of one cell.
func (s *series) sumUp(day int32, column int, delta int64) {
	switch {
	case delta == 0:
	case column >= summedColumns:
		s.sums, s.whole = nil, true
	case s.sums != nil:
		s.sums.add(store.Hour(day), column, delta, false)
	default:
		s.beginSums()
	}
}

// beginSums makes the sums of a series that is busy.
func (s *series) beginSums() {
	if s.whole || len(s.cells) < busySeries || len(s.cells) < busyDay*len(s.days) {
		return
	}
	s.sums = &series{whole: true}
	for i := range s.days {
		var sums [summedColumns]int64
		r := s.read(i)
		for r.next() {
			sums[r.key/hoursPerDay] += r.n
		}
		for column, n := range sums {
			if n > 0 {
				s.sums.add(store.Hour(s.days[i].number), column, n, false)
			}
		}
	}
}

func (s *series) read(day int) reader {
	return reader{rest: s.cells[s.start(day):s.start(day+1)], key: -1}
}

// total adds the counts of the hours [from, to) to sums, by column, and returns the first of these hours that has any.
func (s *series) total(from, to store.Hour, sums []int64) (first store.Hour, any bool) {
	begin, end := wholeDays(from, to)
	if s.sums == nil || begin >= end {
		return s.scan(from, to, sums)
	}
	first, any = s.scan(from, begin*hoursPerDay, sums)
	day, within := s.sums.scan(begin, end, sums)
	if within && !any {
		first, any = s.firstOf(int32(day)), true
	}
	last, after := s.scan(end*hoursPerDay, to, sums)
	if after && !any {
		first, any = last, true
	}
	return first, any
}

// wholeDays returns the days, from the first up to the second, of which all hours are in [from, to).
func wholeDays(from, to store.Hour) (begin, end store.Hour) {
	day, within := place(from)
	begin = store.Hour(day)
	if within > 0 {
		begin++
	}
	day, _ = place(to)
	return begin, store.Hour(day)
}

// firstOf returns the first hour of a day that has cells.
func (s *series) firstOf(day int32) store.Hour {
	i, _ := s.find(day)
	first := hoursPerDay
	r := s.read(i)
	for r.next() {
		first = min(first, r.key%hoursPerDay)
	}
	return store.Hour(day)*hoursPerDay + store.Hour(first)
}

// scan is total from the cells alone.
func (s *series) scan(from, to store.Hour, sums []int64) (first store.Hour, any bool) {
	if from >= to {
		return 0, false
	}
	number, _ := place(from)
	i, _ := s.find(number)
	for ; i < len(s.days); i++ {
		midnight := store.Hour(s.days[i].number) * hoursPerDay
		if midnight >= to {
			break
		}
		r := s.read(i)
		for r.next() {
			h := midnight + store.Hour(r.key%hoursPerDay)
			if h < from || h >= to {
				continue
			}
			sums[r.key/hoursPerDay] += r.n
			if !any || h < first {
				first, any = h, true
			}
		}
	}
	return first, any
}
