package rollup

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/cx-operator/cx-operator/internal/store"
)

// series is the hourly counts of one group of answers, packed: a touchpoint with a busy 90-day window takes some 12 KiB,
// a quiet one some hundred bytes.
//
// Hours are grouped by day. Of a day, every cell (column, hour of the day) with answers is written in ascending order of
// its key, as varints: the first holds the distance to the key before it and a small count, the second, if needed, the
// rest of the count. Most cells take one byte. Days are found by binary search, so that a window costs what is in it.
type series struct {
	days  []day
	cells []byte
	// blank answers were counted under the value "", named ones under any other, in all hours.
	blank, named int64
	// sums by day, nil where they save too little: see sums.go. One that is whole has none: it is a sum itself, or has many
	// columns.
	sums  *series
	whole bool
}

// day is where the cells of one UTC day begin.
type day struct {
	number int32 // days since 1970-01-01
	offset uint32
}

const (
	hoursPerDay = 24
	// Counts up to smallCount fit into the first varint of a cell.
	countBits  = 4
	smallCount = 1<<countBits - 1
)

// place splits an hour into its day and the hour within it.
func place(h store.Hour) (number int32, hour int) {
	d, r := int64(h)/hoursPerDay, int64(h)%hoursPerDay
	if r < 0 {
		d, r = d-1, r+hoursPerDay
	}
	return int32(d), int(r)
}

// ever is the number of answers: those counted once under "" where there are any, else the sum of the values.
func (s *series) ever() int64 {
	if s.blank > 0 {
		return s.blank
	}
	return s.named
}

// set makes n the count of the cell and returns by how much it rose.
func (s *series) set(h store.Hour, column int, n int64, blank bool) int64 {
	return s.change(h, column, blank, func(int64) int64 { return n })
}

// add raises the count of the cell by n.
func (s *series) add(h store.Hour, column int, n int64, blank bool) {
	s.change(h, column, blank, func(old int64) int64 { return old + n })
}

func (s *series) change(h store.Hour, column int, blank bool, count func(int64) int64) int64 {
	number, hour := place(h)
	i, found := s.find(number)
	if !found {
		if count(0) <= 0 {
			return 0
		}
		if len(s.days) == cap(s.days) {
			s.days = append(make([]day, 0, len(s.days)+len(s.days)/32+1), s.days...) // as in splice
		}
		s.days = slices.Insert(s.days, i, day{number, uint32(s.start(i))})
	}
	delta := s.rewrite(i, column*hoursPerDay+hour, count)
	if s.start(i) == s.start(i+1) {
		s.days = slices.Delete(s.days, i, i+1)
	}
	if blank {
		s.blank += delta
	} else {
		s.named += delta
	}
	s.sumUp(number, column, delta)
	return delta
}

// find returns the index of the day, or where it belongs. New counts are mostly of the last day.
func (s *series) find(number int32) (int, bool) {
	if n := len(s.days); n > 0 && s.days[n-1].number <= number {
		if s.days[n-1].number == number {
			return n - 1, true
		}
		return n, false
	}
	return slices.BinarySearchFunc(s.days, number, func(d day, number int32) int {
		switch {
		case d.number < number:
			return -1
		case d.number > number:
			return 1
		}
		return 0
	})
}

// start is where the cells of day i begin; for one past the last day, where all cells end.
func (s *series) start(i int) int {
	if i < len(s.days) {
		return int(s.days[i].offset)
	}
	return len(s.cells)
}

// rewrite replaces the count of one key in day i. Only that cell and the one behind it, which is stored as a distance,
// are written anew.
func (s *series) rewrite(i, key int, count func(int64) int64) int64 {
	r := reader{rest: s.cells[s.start(i):s.start(i+1)], key: -1}
	before, at := r.key, r.offset
	for r.next() && r.key < key {
		before, at = r.key, r.offset
	}
	var old int64
	more := r.n > 0 && r.key >= key
	if more && r.key == key {
		old = r.n
		more = r.next()
	}
	now := max(count(old), 0)
	if now == old {
		return 0
	}
	var buffer [4 * binary.MaxVarintLen64]byte
	fresh := buffer[:0]
	if now > 0 {
		fresh = appendCell(fresh, key-before, now)
		before = key
	}
	if more {
		fresh = appendCell(fresh, r.key-before, r.n)
	}
	s.splice(i, at, r.offset, fresh)
	return now - old
}

// splice replaces the bytes [from, to) of day i, counted from its start, and moves the days behind.
func (s *series) splice(i, from, to int, fresh []byte) {
	start := s.start(i)
	if grown := len(s.cells) + len(fresh) - (to - from); grown > cap(s.cells) {
		// A little room, not the doubling of append: memory is scarcer here than copying.
		s.cells = append(make([]byte, 0, grown+grown/32+8), s.cells...)
	}
	s.cells = slices.Replace(s.cells, start+from, start+to, fresh...)
	shift := len(fresh) - (to - from)
	for j := i + 1; j < len(s.days); j++ {
		s.days[j].offset = uint32(int(s.days[j].offset) + shift)
	}
}

// forget drops the days before that of the hour. What was counted ever does not change.
func (s *series) forget(before store.Hour) {
	number, _ := place(before)
	i, _ := s.find(number)
	if i == 0 {
		return
	}
	gone := s.start(i)
	s.cells = append([]byte(nil), s.cells[gone:]...)
	s.days = slices.Clone(s.days[i:])
	for j := range s.days {
		s.days[j].offset -= uint32(gone)
	}
	s.sums = nil
	s.beginSums()
}

func (s *series) clone() *series {
	if s == nil {
		return nil
	}
	return &series{days: slices.Clone(s.days), cells: slices.Clone(s.cells), blank: s.blank, named: s.named, sums: s.sums.clone(), whole: s.whole}
}

// appendCell writes a cell whose key is distance (at least 1) above the one before it and whose count is n (at least 1).
func appendCell(b []byte, distance int, n int64) []byte {
	small := min(n-1, smallCount)
	b = binary.AppendUvarint(b, uint64(distance-1)<<countBits|uint64(small))
	if small == smallCount {
		b = binary.AppendUvarint(b, uint64(n-1-smallCount))
	}
	return b
}

// reader reads the cells of a day. It begins with key -1.
type reader struct {
	rest []byte
	// offset of rest within the day.
	offset int
	// key and n of the last cell that was read.
	key int
	n   int64
}

// next reads a cell; false at the end, where key and n stay as they were.
func (r *reader) next() bool {
	if len(r.rest) == 0 {
		return false
	}
	head := r.varint()
	r.key += int(head>>countBits) + 1
	r.n = int64(head&smallCount) + 1
	if r.n > smallCount {
		r.n += int64(min(r.varint(), math.MaxInt64-smallCount-1))
	}
	return true
}

func (r *reader) varint() uint64 {
	if b := r.rest[0]; b < 0x80 { // as most are
		r.rest = r.rest[1:]
		r.offset++
		return uint64(b)
	}
	v, size := binary.Uvarint(r.rest)
	r.rest = r.rest[size:]
	r.offset += size
	return v
}
