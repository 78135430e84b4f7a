package embedded

import "github.com/cx-operator/cx-operator/internal/upkeep"

// tasks are the programs whose stores are looked after. A PostgreSQL store may have programs of other processes, too.
func (e *Endpoint) tasks() []upkeep.Task {
	e.mu.Lock()
	defer e.mu.Unlock()
	var tasks []upkeep.Task
	for _, p := range e.programs {
		t := upkeep.Task{Survey: p.survey, StoreName: p.storeName}
		if s, ok := e.stores[p.storeName]; ok {
			t.Store, t.Shared = s.store, s.uri != ""
		}
		tasks = append(tasks, t)
	}
	return tasks
}
