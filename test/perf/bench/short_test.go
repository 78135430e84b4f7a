package bench

import (
	"flag"
	"testing"
)

// A size that somebody gave stays, also where it is the usual one; the others become short.
func TestShorten(t *testing.T) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	rounds, loads, edits := flags.Int("rounds", 5, ""), flags.Int("loads", 7, ""), flags.Int("edits", 100, "")
	if err := flags.Parse([]string{"-rounds", "5", "-edits=1"}); err != nil {
		t.Fatal(err)
	}
	sizes := map[string]func(){"rounds": func() { *rounds = 1 }, "loads": func() { *loads = 3 }, "edits": func() { *edits = 25 }}
	Shorten(flags, sizes)
	if *rounds != 5 || *loads != 3 || *edits != 1 {
		t.Errorf("%d rounds, %d loads, %d edits", *rounds, *loads, *edits)
	}
	defer func() {
		if recover() == nil {
			t.Error("a name that is no flag is let pass")
		}
	}()
	Shorten(flags, map[string]func(){"round": func() {}})
}
