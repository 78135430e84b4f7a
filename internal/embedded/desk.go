package embedded

import (
	"fmt"

	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/store"
)

// keysOf returns the keys with which contacts are kept. With keys that cannot be read none is kept, and the log says so.
func (e *Endpoint) keysOf(program store.Key, s Secrets) desk.Keys {
	keys := desk.Keys{}
	if s.ContactKey != "" {
		keys.Contact = []byte(s.ContactKey)
	}
	ring, err := desk.ParseKeys(s.CaseKeys)
	if err != nil {
		e.options.Log.Error(err, "The keys of cases cannot be used: no answer with a contact is taken", "program", program.String())
	}
	keys.Cases = ring
	return keys
}

// Desk returns where people work on the cases of a program that is served here. The error is desk.ErrUnavailable.
func (e *Endpoint) Desk(key store.Key) (desk.Desk, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p, served := e.programs[key]
	if !served {
		return nil, fmt.Errorf("%w: the program is not served", desk.ErrUnavailable)
	}
	s, open := e.stores[p.storeName]
	if !open {
		return nil, fmt.Errorf("%w: the store is not open", desk.ErrUnavailable)
	}
	return desk.Of(s.store, p.keys), nil
}
