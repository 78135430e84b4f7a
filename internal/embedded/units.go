package embedded

import "github.com/cx-operator/cx-operator/internal/survey"

// SetUnits has the programs of a namespace accept answers that name one of the units, by name with what each is called, in place of
// those that their surveys were compiled with. The map must not be changed afterwards.
func (e *Endpoint) SetUnits(namespace string, units map[string]string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.units[namespace] = units
	for key, p := range e.programs {
		if key.Namespace == namespace {
			e.publish(key, p)
		}
	}
}

// ExpectUnits makes HasUnits true of a namespace, whose units are about to be set.
func (e *Endpoint) ExpectUnits(namespace string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.units[namespace]; !ok {
		e.units[namespace] = nil
	}
}

// HasUnits says whether the units of a namespace were set, or are about to be.
func (e *Endpoint) HasUnits(namespace string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.units[namespace]
	return ok
}

// withUnits returns the survey with the units of its namespace, where these were set. The caller holds the lock.
func (e *Endpoint) withUnits(s *survey.Survey) *survey.Survey {
	units := e.units[s.Program.Namespace]
	if units == nil {
		return s
	}
	served := *s
	served.Units = units
	return &served
}
