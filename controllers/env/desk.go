package env

import (
	"fmt"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/desk"
)

// Desk returns where people work on a program's cases: in the store of an Embedded program, through the endpoint of a Dedicated
// one. The error is desk.ErrUnavailable where this process does not serve or follow the program, or its store is not open.
func (e *Env) Desk(p *v1alpha1.SurveyProgram) (desk.Desk, error) {
	mode := ServedBy(p)
	switch {
	case !e.Serves(mode):
		return nil, fmt.Errorf("%w: this process serves no %s programs", desk.ErrUnavailable, mode)
	case mode == v1alpha1.EndpointDedicated:
		return e.Dedicated.Fleet.Desk(KeyOf(p))
	}
	return e.Endpoint.Desk(KeyOf(p))
}
