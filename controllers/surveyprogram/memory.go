package surveyprogram

import (
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// remembered is what one pass leaves to the next ones of the same process. Losing it costs no more than what is said of each.
type remembered struct {
	// survey that the Dedicated endpoint serves; nil for none. Without it the one of its ConfigMap is taken.
	survey *survey.Survey
	// program as it was seen last and what is kept when it is deleted, empty for nothing. Without it no event tells of that.
	program *v1alpha1.SurveyProgram
	kept    string
	// rolling is which generation of the pods is not in service, since when. Without it they get their time once more.
	rolling int64
	since   time.Time
}

// memory is what is remembered of each program. The zero value is ready; it may be used by several goroutines.
type memory struct {
	mu       sync.Mutex
	programs map[client.ObjectKey]remembered
}

func (m *memory) of(key client.ObjectKey) remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.programs[key]
}

func (m *memory) note(key client.ObjectKey, change func(*remembered)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.programs == nil {
		m.programs = map[client.ObjectKey]remembered{}
	}
	r := m.programs[key]
	change(&r)
	m.programs[key] = r
}

// forget returns what was remembered of a program that is gone.
func (m *memory) forget(key client.ObjectKey) remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.programs[key]
	delete(m.programs, key)
	return r
}
