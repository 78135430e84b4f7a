package browser

import (
	"bytes"
	"testing"

	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/seal"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

const contactKey = "the key under which contacts are hashed"

// caseKeys seal contacts.
func caseKeys() seal.Ring {
	ring, err := desk.ParseKeys("the key that seals contacts, 32 bytes or more")
	if err != nil {
		panic(err)
	}
	return ring
}

// askContact has a program ask for a contact.
func (e *endpoint) askContact(program string) {
	e.change(program, func(s *survey.Survey) {
		s.Contact = &survey.Contact{}
		s.FollowUps = map[string]survey.FollowUp{"": {
			OpenOn: []string{"ContactRequested", "Detractor"}, NPSAtMost: 6, WithinHours: 48, RetentionDays: 90,
		}}
	})
}

// contacts are those of the program's cases, each of which must have it sealed.
func (e *endpoint) contacts(program string) (all []string) {
	e.t.Helper()
	key := store.Key{Namespace: "test", Name: program}
	page, err := e.store.ListCases(e.t.Context(), key, store.CaseQuery{Limit: 10})
	if err != nil {
		e.t.Fatal(err)
	}
	for _, c := range page.Cases {
		contact, err := desk.Of(e.store, desk.Keys{Cases: caseKeys(), Contact: []byte(contactKey)}).Contact(e.t.Context(), key, c.ID)
		if err != nil {
			e.t.Fatal(err)
		}
		kept, err := e.store.Case(e.t.Context(), key, c.ID)
		if err != nil || len(kept.Contact) == 0 || bytes.Contains(kept.Contact, []byte(contact)) {
			e.t.Errorf("the contact is not sealed: %q, %v", kept.Contact, err)
		}
		all = append(all, contact)
	}
	return all
}

// TestContact: an address is kept with consent alone, sealed; the page says what is missing and keeps what was typed.
func TestContact(t *testing.T) {
	e := newEndpoint(t)
	e.askContact("visit")
	b := newTab(e)
	axe := readAxe(t)
	b.open(e.page("visit", ""))
	b.checkAxe(axe, `{resultTypes: ['violations']}`)
	b.do(click(label("recommend", "2")), write("#_contact", "ana@example.org"))
	b.load(click(send))
	b.sees("Please tick this box")
	b.checkAxe(axe, `{resultTypes: ['violations']}`)
	if got := value[string](b, `document.querySelector('#_contact').value`); got != "ana@example.org" {
		t.Errorf("what was typed is lost: %q", got)
	}
	e.want("visit")
	b.do(click(label("_consent", "yes")))
	b.load(click(send))
	b.sees("Thank you")
	e.want("visit", answers{"recommend": "2"})
	if got := e.contacts("visit"); len(got) != 1 || got[0] != "ana@example.org" {
		t.Errorf("contacts %q", got)
	}
	if got := value[string](b, `location.href + document.body.innerText`); bytes.Contains([]byte(got), []byte("example")) {
		t.Errorf("the thank-you page has the address: %s", got)
	}
}

// TestContactWithoutScript asks to be contacted, in steps, and without the page's script.
func TestContactWithoutScript(t *testing.T) {
	e := newEndpoint(t)
	e.askContact("steps")
	b := newTab(e, withoutScript)
	b.open(e.page("steps", "?recommend=10"))
	b.load(click(send))
	b.sees("The people you met")
	b.load(click(send))
	b.sees("May we contact you?")
	e.want("steps")
	b.do(write("#_contact", "+34 600 000 000"), click(label("_request", "yes")), click(label("_consent", "yes")))
	b.load(click(back))
	b.sees("The people you met")
	b.load(click(send))
	b.load(click(send))
	b.sees("Thank you")
	e.want("steps", answers{"recommend": "10"})
	if got := e.contacts("steps"); len(got) != 1 || got[0] != "+34 600 000 000" {
		t.Errorf("contacts %q", got)
	}
	b.open(e.page("steps", "?recommend=10"))
	b.load(click(send))
	b.load(click(send))
	b.load(click(send))
	b.sees("Thank you")
	if got := e.contacts("steps"); len(got) != 1 {
		t.Errorf("an answer without an address has a case: %q", got)
	}
}
