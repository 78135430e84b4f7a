package fleet

import (
	"context"
	"fmt"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/themes"
)

// Themes asks the endpoint of a program that is followed what recurs in its comments. Errors: themes.ErrUnavailable, and those of
// operations.Client.
func (f *Fleet) Themes(ctx context.Context, key store.Key, w themes.Window) ([]themes.Theme, error) {
	m, known := f.member(key)
	if !known {
		return nil, fmt.Errorf("%w: the program is not followed", themes.ErrUnavailable)
	}
	return m.client.Themes(ctx, w)
}
