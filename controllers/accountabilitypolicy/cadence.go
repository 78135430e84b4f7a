package accountabilitypolicy

import (
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/objectives"
)

// maxCadences is how many programs a status tells of.
const maxCadences = 100

// cadences says how often each program is reviewed. That of a program whose counts cannot be read now stays as it was; pending
// says that there is one.
func (r *Reconciler) cadences(d domain, before []v1alpha1.CadenceChoice, now time.Time) (choices []v1alpha1.CadenceChoice, pending bool) {
	for _, g := range d.programs {
		if g.rules.Review == nil {
			continue
		}
		if len(choices) == maxCadences {
			break
		}
		if objectives.Readable(r.Env, g.program, now) {
			choices = append(choices, objectives.Cadence(r.Env, g.program, g.rules, now))
			continue
		}
		pending = true
		for _, c := range before {
			if c.Program == g.program.Name {
				choices = append(choices, c)
			}
		}
	}
	return choices, pending
}
