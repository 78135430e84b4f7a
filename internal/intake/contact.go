package intake

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/seal"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// The fields of a form in which a respondent can leave a way to be contacted.
const (
	fieldContact = "_contact"
	fieldRequest = "_request"
	fieldConsent = "_consent"
)

// contactView is the part of a form that asks for a way to be contacted.
type contactView struct {
	// Text beside the field, Consent beside the box, and Days, which goes with the page's own words for Consent.
	Text, Consent marked
	Days          string
	// Address, Requested and Consented as they were filled in, and what is wrong.
	Address                    string
	Requested, Consented       bool
	AddressError, ConsentError string
}

// left is what the form leaves to be contacted by; nil for nothing.
func (f form) left() *survey.Left {
	left := survey.Left{
		Address: strings.TrimSpace(f.values.Get(fieldContact)),
		Consent: f.values.Get(fieldConsent) != "", Requested: f.values.Get(fieldRequest) != "",
	}
	if left == (survey.Left{}) {
		return nil
	}
	return &left
}

// history says whether the browser's back button may find the form as it is: not one with an address in it, which the next
// person at a kiosk would find too.
func (f form) history() bool { return f.values.Get(fieldContact) == "" }

// asksContact says whether the part at the index asks for a contact: the last of all does.
func (p page) asksContact(part int) bool {
	return part == len(p.parts)-1 && p.survey.AsksContact(p.touchpoint)
}

// addContact adds to a form's page what asks for a contact. Where another step does, it adds what was filled in there.
func (p page) addContact(v *view, f form) {
	if !p.asksContact(f.step) {
		for _, name := range []string{fieldContact, fieldRequest, fieldConsent} {
			if value := f.values.Get(name); value != "" && p.survey.AsksContact(p.touchpoint) {
				v.Hidden = append(v.Hidden, hiddenField{name, value})
			}
		}
		return
	}
	c := contactView{
		Text:    marked{Text: v.W.ContactText},
		Consent: marked{Text: fmt.Sprintf(v.W.ContactConsentf, cmp.Or(p.survey.DisplayName, p.survey.Asker))},
		Days:    v.W.count(v.W.ContactDays, int(p.survey.FollowUps[p.touchpoint].RetentionDays)),
		Address: f.values.Get(fieldContact), Requested: f.values.Get(fieldRequest) != "", Consented: f.values.Get(fieldConsent) != "",
		AddressError: f.errors[fieldContact], ConsentError: f.errors[fieldConsent],
	}
	if form := p.survey.Contact; len(form.Text) > 0 {
		c.Text = p.text(form.Text)
	}
	if form := p.survey.Contact; len(form.Consent) > 0 {
		c.Consent, c.Days = p.text(form.Consent), ""
	}
	v.Contact = &c
	for _, wrong := range []fault{
		{ID: fieldContact, Question: marked{Text: v.W.ContactAddress}, Text: c.AddressError},
		{ID: fieldConsent, Question: marked{Text: v.W.Contact}, Text: c.ConsentError},
	} {
		if wrong.Text != "" {
			v.Faults = append(v.Faults, wrong)
		}
	}
}

// openCase puts into an accepted response the case that it opens, if it opens one. What the respondent left is sealed here, and
// is nowhere else: of a response that opens none, nothing of it is kept.
func (s *Server) openCase(served *served, r *store.Response, left *survey.Left) *problem {
	opening, opens := served.Survey.Opens(*r, left)
	if !opens {
		return nil
	}
	id, err := newID(s.rand)
	if err != nil {
		s.fault(err)
		return &internal
	}
	keys := desk.Keys{Cases: served.CaseKeys, Contact: served.ContactKey}
	sealed, hash, err := keys.Seal(served.key, id, strings.TrimSpace(left.Address))
	if errors.Is(err, seal.ErrNoKey) {
		p := unavailable.because("Nobody's address can be kept now: the store has no key for it. Send the same id again later, or without contact.").after(retryAway)
		return &p
	}
	r.Case = &store.CaseOpening{
		ID: id, Reasons: opening.Reasons, PromisedBy: opening.PromisedBy, Contact: sealed, ContactHash: hash,
		RetentionDays: opening.RetentionDays,
	}
	return nil
}
