package main

import (
	"fmt"
	"testing"

	"github.com/cx-operator/cx-operator/test/perf/bench"
)

// counts measures what is the same in every run.
func counts(o options, report *bench.Report) error {
	for _, c := range []struct {
		density
		touchpoints int
	}{{densities[0], oneOf}, {densities[3], perProgram}} { // more busy ones take minutes to fill
		d, touchpoints := c.density, c.touchpoints
		w := newWorld()
		w.fillBook(d, touchpoints)
		subjects, err := w.subjects(d, touchpoints)
		if err != nil {
			return err
		}
		for _, s := range subjects {
			if err := w.pass(s); err != nil {
				return err
			}
		}
		if name := d.name + ": an evaluation of two objectives"; o.has(name) {
			n := testing.AllocsPerRun(100, func() {
				if _, failed := w.judge(subjects[0]); failed != nil {
					err = failed
				}
			})
			report.Add(bench.Alone(name, "allocations", bench.Sample{n}))
		}
		if err != nil {
			return err
		}
		if name := fmt.Sprintf("%s: judged of %d touchpoints when 1 %% changed", d.name, touchpoints); touchpoints >= oneOf && o.has(name) {
			_, judged, err := w.judgeChanged(subjects, 0)
			if err != nil {
				return err
			}
			report.Add(bench.Within(name, "reconciles", bench.Sample{float64(judged)}, float64(touchpoints/oneOf), bench.AtMost(1)))
		}
	}
	return nil
}
