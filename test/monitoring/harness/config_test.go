package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func shipped(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Root(), "config/prometheus", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Hastened rules wait shorter, in everything that they wait for, and are otherwise the same.
func TestHasten(t *testing.T) {
	rules := shipped(t, "rules.yaml")
	fast, err := Hasten(rules, 60)
	if err != nil {
		t.Fatal(err)
	}
	slow := strings.NewReplacer("for: 5s", "for: 5m", "for: 10s", "for: 10m").Replace(string(fast))
	want, got := map[string]any{}, map[string]any{}
	if err := yaml.Unmarshal(rules, &want); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(slow), &got); err != nil {
		t.Fatal(err)
	}
	is, _ := yaml.Marshal(got)
	should, _ := yaml.Marshal(want)
	if string(is) != string(should) {
		t.Errorf("something else changed:\n%s", is)
	}
	kept := strings.Count(string(rules), "keep_firing_for: 5m")
	if strings.Contains(string(fast), "for: 5m") || kept == 0 || strings.Count(string(fast), "keep_firing_for: 5s") != kept {
		t.Errorf("not all of it was hastened:\n%s", fast)
	}
}

func TestHastenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		divisor int
	}{
		"no YAML": {"a: [", 2}, "no time": {"groups: [{rules: [{for: soon}]}]", 2}, "nothing to divide by": {"for: 5m", 0},
	} {
		if out, err := Hasten([]byte(c.text), c.divisor); err == nil {
			t.Errorf("%s: %s", name, out)
		}
	}
	out, err := Hasten([]byte("group_wait: 1s"), 1000)
	if err != nil || strings.TrimSpace(string(out)) != "group_wait: 100ms" {
		t.Errorf("%s, %v", out, err)
	}
}

// What is delivered to is the receiver of the test alone, under the names of the shipped ones, at any time of the day.
func TestDeliverTo(t *testing.T) {
	out, err := DeliverTo(shipped(t, "alertmanager-example.yaml"), "http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Route     struct{ Routes []map[string]any }
		Receivers []map[string]any
	}
	if err := yaml.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Route.Routes) != 6 || len(got.Receivers) != 5 {
		t.Errorf("%d routes, %d receivers", len(got.Route.Routes), len(got.Receivers))
	}
	for _, unwanted := range []string{"email_configs", "example.com", "mute_time_intervals"} {
		if strings.Contains(string(out), unwanted) {
			t.Errorf("it still has %s", unwanted)
		}
	}
	for _, r := range got.Receivers {
		if !strings.Contains(string(out), "url: http://127.0.0.1:1/"+r["name"].(string)+"\n") {
			t.Errorf("%v is not at the test", r)
		}
	}
	for name, text := range map[string]string{"no receivers": "route: {}", "a receiver of text": "receivers: [x]", "no YAML": "a: ["} {
		if out, err := DeliverTo([]byte(text), "http://x"); err == nil {
			t.Errorf("%s: %s", name, out)
		}
	}
}
