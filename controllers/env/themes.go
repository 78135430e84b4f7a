package env

import (
	"context"
	"fmt"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/themes"
)

// Themes returns what recurs in a program's comments: from the store of an Embedded program, from the endpoint of a Dedicated one.
// The comments themselves never come here. It takes as long as the store takes to read them, a minute at the most. Errors:
// themes.ErrUnavailable where this process does not serve or follow the program, and those of whom it asks.
func (e *Env) Themes(ctx context.Context, p *v1alpha1.SurveyProgram, w themes.Window) ([]themes.Theme, error) {
	mode := ServedBy(p)
	switch {
	case !e.Serves(mode):
		return nil, fmt.Errorf("%w: this process serves no %s programs", themes.ErrUnavailable, mode)
	case mode == v1alpha1.EndpointDedicated:
		return e.Dedicated.Fleet.Themes(ctx, KeyOf(p), w)
	}
	return e.Endpoint.Themes(ctx, KeyOf(p), w)
}
