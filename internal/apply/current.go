package apply

import "github.com/cx-operator/cx-operator/internal/render"

// Current says whether an object, as a cache has it, is of the last time that wanted was applied: a cache can be behind. What
// others changed of it since does not count.
func Current(wanted, current render.Object) (bool, error) {
	u, err := manifest(wanted)
	if err != nil {
		return false, err
	}
	return current.GetAnnotations()[Annotation] == u.GetAnnotations()[Annotation], nil
}
