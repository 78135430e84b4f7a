package rollup

import "github.com/cx-operator/cx-operator/internal/store"

// Answered says whether an answer to any question of a program was ever counted, whenever that was; source is as in Query.
// Before the source was read it is false.
func (b *Book) Answered(source string, p store.Key) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, h := range b.holders[p] {
		if source != "" && source != h.source {
			continue
		}
		for k, q := range h.program.questions {
			if !isPseudo(k.name) && q.answered() {
				return true
			}
		}
	}
	return false
}

func (q *question) answered() bool {
	for _, t := range q.touchpoints {
		if t.series.ever() > 0 {
			return true
		}
	}
	return false
}
