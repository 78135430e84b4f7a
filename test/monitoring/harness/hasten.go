package harness

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"sigs.k8s.io/yaml"
)

// waits are the members of rules and of Alertmanager's configuration that say how long something is waited for.
var waits = []string{"for", "keep_firing_for", "group_wait", "group_interval", "repeat_interval"}

// Hasten divides every time that rules or Alertmanager's configuration wait, so that a test sees in seconds what takes
// minutes, and changes nothing else. None becomes shorter than 100 ms.
func Hasten(text []byte, divisor int) ([]byte, error) {
	var all map[string]any
	if err := yaml.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	if divisor < 1 {
		return nil, fmt.Errorf("divisor %d: must be 1 or more", divisor)
	}
	var errs []error
	walk(all, func(m map[string]any) {
		for name, value := range m {
			written, ok := value.(string)
			if !ok || !slices.Contains(waits, name) {
				continue
			}
			d, err := model.ParseDuration(written)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
				continue
			}
			m[name] = model.Duration(max(time.Duration(d)/time.Duration(divisor), 100*time.Millisecond).Truncate(time.Millisecond)).String()
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return yaml.Marshal(all)
}
