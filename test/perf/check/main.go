// Command check holds the figures of benches to the ranges that are checked in, or makes these ranges of several runs. It
// reads what benches print, from files or from standard input.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/cx-operator/cx-operator/test/perf/bench"
)

func main() {
	path := flag.String("ranges", "test/perf/ranges.json", "the file with the ranges")
	calibrate := flag.Bool("calibrate", false, "make the ranges of what is read, and leave those of other benches as they are")
	flag.Parse()
	if err := run(*path, *calibrate, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(1)
	}
}

func run(path string, calibrate bool, files []string) error {
	figures, err := read(files)
	if err != nil {
		return err
	}
	if len(figures) == 0 {
		return errors.New("no figure was read: give the output of a bench")
	}
	ranges, err := load(path)
	if err != nil {
		return err
	}
	if calibrate {
		return save(path, bench.Merge(ranges, bench.Calibrate(figures)))
	}
	if wrong := bench.Check(ranges, figures); len(wrong) > 0 {
		for _, line := range wrong {
			fmt.Println(line)
		}
		return fmt.Errorf("%d of %d figures are out of range", len(wrong), len(figures))
	}
	fmt.Printf("%d figures, all in range\n", len(figures))
	return nil
}

func read(files []string) ([]bench.Figure, error) {
	if len(files) == 0 {
		return bench.ReadFigures(os.Stdin)
	}
	var all []bench.Figure
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		figures, err := bench.ReadFigures(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, figures...)
	}
	return all, nil
}

// load reads the ranges; a file that is not there has none.
func load(path string) ([]bench.Range, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var ranges []bench.Range
	if err := json.Unmarshal(text, &ranges); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ranges, nil
}

// save writes a line for each range, so that a change of one is a change of a line.
func save(path string, ranges []bench.Range) error {
	var text bytes.Buffer
	for i, r := range ranges {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		separator := ",\n "
		if i == 0 {
			separator = "[\n "
		}
		text.WriteString(separator)
		text.Write(line)
	}
	text.WriteString("\n]\n")
	return os.WriteFile(path, text.Bytes(), 0o644)
}
