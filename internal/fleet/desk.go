package fleet

import (
	"fmt"

	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Desk returns where people work on the cases of a program that is followed. The error is desk.ErrUnavailable.
func (f *Fleet) Desk(key store.Key) (desk.Desk, error) {
	return nil, fmt.Errorf("%w: the program is not served", desk.ErrUnavailable)
}
