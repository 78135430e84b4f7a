package env

import (
	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/apply"
	"github.com/cx-operator/cx-operator/internal/fleet"
	"github.com/cx-operator/cx-operator/internal/pki"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Dedicated is what Dedicated endpoints are made and followed with.
type Dedicated struct {
	// Fleet follows the endpoints.
	Fleet *fleet.Fleet
	// Applier makes their objects.
	Applier *apply.Applier
	// Render is what the objects are made with.
	Render render.Options
	// Authority signs the certificates of their operations ports.
	Authority pki.Pair
}

// ServedBy returns the mode that serves a program, and where none does yet, the one that is to.
func ServedBy(p *v1alpha1.SurveyProgram) v1alpha1.EndpointMode {
	if p.Status.Endpoint != nil {
		return p.Status.Endpoint.Mode
	}
	return p.Spec.Endpoint.Mode
}

// KeyOf returns the key of a program.
func KeyOf(p *v1alpha1.SurveyProgram) store.Key {
	return store.Key{Namespace: p.Namespace, Name: p.Name}
}

// StoreOf returns the key of a program's store.
func StoreOf(p *v1alpha1.SurveyProgram) store.Key {
	return store.Key{Namespace: p.Namespace, Name: p.Spec.StoreRef.Name}
}

// CountsOf returns the name under which the book knows a program's counts: those of what serves it.
func (e *Env) CountsOf(p *v1alpha1.SurveyProgram) string {
	if e.Dedicated != nil && ServedBy(p) == v1alpha1.EndpointDedicated {
		return e.Dedicated.Fleet.Source(KeyOf(p))
	}
	return StoreOf(p).String()
}

// Serves says whether this operator serves programs of a mode.
func (e *Env) Serves(mode v1alpha1.EndpointMode) bool {
	if mode == v1alpha1.EndpointDedicated {
		return e.Dedicated != nil
	}
	return e.Endpoint != nil
}

// pages are what serves programs of one mode.
type pages interface {
	Page(program store.Key, touchpoint string) (questions []string, known bool)
	URL(program store.Key, touchpoint string) string
}

// pagesOf returns what serves a program; nil where this operator does not.
func (e *Env) pagesOf(p *v1alpha1.SurveyProgram) pages {
	mode := ServedBy(p)
	switch {
	case !e.Serves(mode):
		return nil
	case mode == v1alpha1.EndpointDedicated:
		return e.Dedicated.Fleet
	}
	return e.Endpoint
}

// Page returns the questions of a touchpoint's page as it is served, none where there is no such page. Known is false while
// nothing is known of the program: since the start, or since it is served no more.
func (e *Env) Page(p *v1alpha1.SurveyProgram, touchpoint string) (questions []string, known bool) {
	if of := e.pagesOf(p); of != nil {
		return of.Page(KeyOf(p), touchpoint)
	}
	return nil, false
}

// URL returns the address of a page, as what serves the program has it, empty for none; touchpoint may be empty.
func (e *Env) URL(p *v1alpha1.SurveyProgram, touchpoint string) string {
	if of := e.pagesOf(p); of != nil {
		return of.URL(KeyOf(p), touchpoint)
	}
	return ""
}
