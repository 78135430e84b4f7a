package env_test

import (
	"errors"
	"testing"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/embedded"
	"github.com/cx-operator/cx-operator/internal/fleet"
	"github.com/cx-operator/cx-operator/internal/rollup"
)

// TestDesk: cases are worked on where the program is served, and the error says why they cannot be.
func TestDesk(t *testing.T) {
	endpoint, err := embedded.New(embedded.Options{Dir: t.TempDir(), PublicURL: "http://survey.test", Book: rollup.NewBook()})
	if err != nil {
		t.Fatal(err)
	}
	dedicated := &env.Dedicated{Fleet: fleet.New(fleet.Options{Book: rollup.NewBook()})}
	program := &v1alpha1.SurveyProgram{}
	program.Namespace, program.Name = "sfo", "visits"
	followed := &v1alpha1.SurveyProgram{}
	followed.Namespace, followed.Name = "sfo", "arrivals"
	dedicated.Fleet.Follow(fleet.Program{Key: env.KeyOf(followed)})
	for name, c := range map[string]struct {
		e       *env.Env
		program *v1alpha1.SurveyProgram
		mode    v1alpha1.EndpointMode
		want    string
	}{
		"nothing is served":      {&env.Env{}, program, v1alpha1.EndpointEmbedded, "this process serves no Embedded programs"},
		"no Dedicated":           {&env.Env{Endpoint: endpoint}, program, v1alpha1.EndpointDedicated, "this process serves no Dedicated programs"},
		"not served yet":         {&env.Env{Endpoint: endpoint}, program, v1alpha1.EndpointEmbedded, "the program is not served"},
		"not followed yet":       {&env.Env{Dedicated: dedicated}, program, v1alpha1.EndpointDedicated, "the program is not served"},
		"an endpoint of its own": {&env.Env{Dedicated: dedicated}, followed, v1alpha1.EndpointDedicated, ""},
	} {
		p := c.program.DeepCopy()
		p.Spec.Endpoint.Mode = c.mode
		d, err := c.e.Desk(p)
		if c.want == "" {
			if d == nil || err != nil {
				t.Errorf("%s: %v, %v", name, d, err)
			}
			continue
		}
		if d != nil || !errors.Is(err, desk.ErrUnavailable) || err.Error() != desk.ErrUnavailable.Error()+": "+c.want {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
}
