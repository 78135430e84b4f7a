package embedded

import (
	"slices"
	"strings"
	"testing"

	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

func TestUnits(t *testing.T) {
	e, err := New(Options{Dir: t.TempDir(), PublicURL: "http://survey.test", Book: rollup.NewBook()})
	if err != nil {
		t.Fatal(err)
	}
	key := store.Key{Namespace: "sfo", Name: "visits"}
	s := &survey.Survey{Program: key, Hash: "1", Units: map[string]string{"owner": "Owner"}}
	if err := e.Serve("answers", s, Secrets{}); err != nil {
		t.Fatal(err)
	}
	units := func() map[string]string {
		p, ok := e.registry.Get(key)
		if !ok {
			t.Fatal("it is not served")
		}
		return p.Survey.Units
	}
	if len(units()) != 1 || e.HasUnits("sfo") {
		t.Errorf("units %v before any were set", units())
	}
	e.ExpectUnits("sfo")
	if !e.HasUnits("sfo") || len(units()) != 1 {
		t.Errorf("units %v while they are expected", units())
	}
	e.SetUnits("sfo", map[string]string{"owner": "Owner", "gate": "Gate"})
	e.SetUnits("lhr", map[string]string{})
	if units()["gate"] != "Gate" || len(s.Units) != 1 {
		t.Errorf("units %v, and %v as compiled", units(), s.Units)
	}
	if last, err := e.LastGood(key); err != nil || last.Units["gate"] != "Gate" {
		t.Errorf("the last good survey %+v, %v", last, err)
	}
}

func TestPagesChanged(t *testing.T) {
	key := store.Key{Namespace: "sfo", Name: "visits"}
	with := func(storeName string, pages map[string][]string) program {
		s := &survey.Survey{Program: key, Touchpoints: map[string]survey.Touchpoint{}}
		for name, questions := range pages {
			s.Touchpoints[name] = survey.Touchpoint{Questions: questions}
		}
		return program{storeName: storeName, survey: s}
	}
	last := with("answers", map[string][]string{"desk": {"ease"}, "gate": {"ease"}, "door": {"ease"}})
	for name, c := range map[string]struct {
		last, next program
		want       string
	}{
		"at first":      {program{}, last, "all"},
		"another store": {last, with("others", nil), "all"},
		"nothing":       {last, last, ""},
		"some":          {last, with("answers", map[string][]string{"desk": {"ease"}, "gate": {"ease", "wait"}, "hall": {"ease"}}), "door gate hall"},
	} {
		var names []string
		for _, p := range pagesChanged(c.last, c.next) {
			switch {
			case p.Program != key:
				t.Errorf("%s: place %+v", name, p)
			case p.All:
				names = append(names, "all")
			case p.Touchpoint != "":
				names = append(names, p.Touchpoint)
			}
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
