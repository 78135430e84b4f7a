package endpoint

import (
	"fmt"

	"github.com/cx-operator/cx-operator/internal/desk"
)

// caseKeys returns the keys with which contacts are kept. With keys that cannot be read none is kept, and the log says so once.
// The caller holds the lock.
func (e *Endpoint) caseKeys() desk.Keys {
	keys := desk.Keys{}
	if e.secrets.contactKey != "" {
		keys.Contact = []byte(e.secrets.contactKey)
	}
	ring, err := desk.ParseKeys(e.secrets.caseKeys)
	e.keyComplaints.note("The keys of cases cannot be used: no answer with a contact is taken", err)
	keys.Cases = ring
	return keys
}

// desk is where people work on the program's cases, as the store and the keys are now.
func (e *Endpoint) desk() (desk.Desk, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.opened.Store == nil {
		return nil, fmt.Errorf("%w: %s", desk.ErrUnavailable, e.opened.Why)
	}
	return desk.Of(e.opened.Store, e.caseKeys()), nil
}
