package validate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/test/admission"
)

// TestOneFileHasOneProcess checks what the operator would refuse, since it needs a second object.
func TestOneFileHasOneProcess(t *testing.T) {
	const (
		alone = "SQLite is opened by one pod alone: leave replicas and autoscaling out, or use PostgreSQL"
		inUse = `the SQLite store is in use by the program "routed", and one endpoint alone can open it: create another ResponseStore, or use PostgreSQL`
	)
	onFile := func(program string) string {
		return strings.Replace(program, "storeRef: {name: database}", "storeRef: {name: responses}", 1)
	}
	one := strings.Replace(onFile(admission.Routed), "replicas: 3", "replicas: 1", 1)
	embedded := strings.NewReplacer("name: questionnaire", "name: embedded").Replace(admission.Questionnaire)
	for name, c := range map[string]struct {
		set  []string
		want []string
	}{
		"one pod":         {[]string{admission.ResponseStore, one}, nil},
		"three pods":      {[]string{admission.ResponseStore, onFile(admission.Routed)}, []string{"spec.endpoint.replicas: " + alone}},
		"autoscaling":     {[]string{admission.ResponseStore, onFile(admission.Dedicated)}, []string{"spec.endpoint.autoscaling: " + alone}},
		"two Dedicated":   {[]string{admission.ResponseStore, one, strings.Replace(one, "name: routed}", "name: second}", 1)}, []string{"spec.storeRef: " + inUse}},
		"Embedded beside": {[]string{admission.ResponseStore, one, embedded}, []string{"spec.storeRef: " + inUse}},
		"two Embedded":    {[]string{admission.ResponseStore, admission.Questionnaire, embedded}, nil},
		"two namespaces":  {[]string{admission.ResponseStore, one, strings.Replace(one, "name: routed}", "name: second, namespace: other}", 1)}, nil},
		"PostgreSQL":      {[]string{admission.Database, admission.Routed, admission.Dedicated}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range check(t, Options{AllowMissing: true}, c.set...).Problems {
				got = append(got, p.Field+": "+p.Message)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
