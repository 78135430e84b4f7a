package embedded

import (
	"strings"
	"testing"

	"github.com/cx-operator/cx-operator/internal/intake"
)

// Every secret reaches the HTTP server, and another one is another program.
func TestSecrets(t *testing.T) {
	s := start(t, t.TempDir())
	s.serve(form("A"))
	s.tell()
	if p, _ := s.registry.Get(visits); p.ContactKey != nil {
		t.Error("a key that nobody gave")
	}
	last := Secrets{Tokens: tokens}
	for name, change := range map[string]func(*Secrets){
		"import":  func(x *Secrets) { x.Tokens.Import = "i" },
		"read":    func(x *Secrets) { x.Tokens.Read = "r" },
		"sign":    func(x *Secrets) { x.Tokens.Sign = "s" },
		"contact": func(x *Secrets) { x.ContactKey = "c" },
		"cases":   func(x *Secrets) { x.CaseKeys = strings.Repeat("k", 43) },
	} {
		change(&last)
		if err := s.Serve("answers", form("A"), last); err != nil {
			t.Fatal(err)
		}
		s.tell()
		if p, ok := s.registry.Get(visits); !ok || p.Tokens != last.Tokens || string(p.ContactKey) != last.ContactKey || p.CaseKeys.IsEmpty() != (last.CaseKeys == "") {
			t.Errorf("%s: served are %+v and %q", name, p.Tokens, p.ContactKey)
		}
	}
	s.open()
	s.tell()
	want := intake.Tokens{Import: "i", Read: "r", Sign: "s"}
	if p, _ := s.registry.Get(visits); p.Store == nil || p.Tokens != want || string(p.ContactKey) != "c" {
		t.Errorf("once the store is open: %+v", p)
	}
}
