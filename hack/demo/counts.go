package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// count is one row of the table: how many answers of one day and boarding area gave one score to one question.
type count struct {
	Day      int    // of May 2017, 1 to 31
	Area     string // boarding area, A to G; empty where it is not known
	Question string
	Score    int
	N        int
}

var columns = []string{"day_of_may", "boarding_area", "question", "score", "count"}

// readCounts reads the table. An error names the line and what is wrong with it.
func readCounts(r io.Reader) ([]count, error) {
	reader := csv.NewReader(r)
	reader.FieldsPerRecord = len(columns)
	header, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("reading the header: %w", err)
	}
	if !slices.Equal(header, columns) {
		return nil, fmt.Errorf("the header is %q instead of %q", header, columns)
	}
	var counts []count
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return counts, nil
		}
		if err != nil {
			return nil, err // names the line
		}
		row, err := parseCount(record)
		if err != nil {
			line, _ := reader.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		counts = append(counts, row)
	}
}

func parseCount(record []string) (count, error) {
	day, errDay := numberIn(record, 0, 1, 31)
	score, errScore := numberIn(record, 3, 0, 10)
	n, errN := numberIn(record, 4, 1, 1_000_000)
	if err := errors.Join(errDay, errScore, errN); err != nil {
		return count{}, err
	}
	if record[2] == "" {
		return count{}, fmt.Errorf("%s is empty", columns[2])
	}
	return count{Day: day, Area: record[1], Question: record[2], Score: score, N: n}, nil
}

func numberIn(record []string, column, least, most int) (int, error) {
	n, err := strconv.Atoi(record[column])
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s is %q instead of a number from %d to %d", columns[column], record[column], least, most)
	}
	return n, nil
}

// answersTo adds up the answers by question.
func answersTo(counts []count) map[string]int64 {
	sums := map[string]int64{}
	for _, c := range counts {
		sums[c.Question] += int64(c.N)
	}
	return sums
}

// total adds up all answers.
func total(counts []count) int64 {
	var sum int64
	for _, c := range counts {
		sum += int64(c.N)
	}
	return sum
}
