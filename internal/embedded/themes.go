package embedded

import (
	"context"
	"fmt"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/themes"
)

// Themes returns what recurs in the comments of a program that is served here. Errors: themes.ErrUnavailable, and those of
// themes.Read.
func (e *Endpoint) Themes(ctx context.Context, key store.Key, w themes.Window) ([]themes.Theme, error) {
	e.mu.Lock()
	p, served := e.programs[key]
	s, open := e.stores[p.storeName]
	e.mu.Unlock()
	switch {
	case !served:
		return nil, fmt.Errorf("%w: the program is not served", themes.ErrUnavailable)
	case !open:
		return nil, fmt.Errorf("%w: the store is not open", themes.ErrUnavailable)
	}
	ctx, cancel := context.WithTimeout(ctx, themes.ReadTimeout)
	defer cancel()
	return themes.Read(ctx, s.store, p.survey, w)
}
