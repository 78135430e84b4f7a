package fleet

import (
	"fmt"

	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Desk returns where people work on the cases of a program that is followed: its endpoint is asked. The error is
// desk.ErrUnavailable.
func (f *Fleet) Desk(key store.Key) (desk.Desk, error) {
	m, known := f.member(key)
	if !known {
		return nil, fmt.Errorf("%w: the program is not served", desk.ErrUnavailable)
	}
	return m.client.Desk(), nil
}
