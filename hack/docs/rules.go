package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// rule is one alert of the rules file.
type rule struct {
	Alert         string            `json:"alert"`
	Expr          string            `json:"expr"`
	For           string            `json:"for,omitempty"`
	KeepFiringFor string            `json:"keep_firing_for"`
	Labels        map[string]string `json:"labels"`
	Annotations   map[string]string `json:"annotations"`
	// Why is the comment above the rule in the file, which says why it waits as long as it does.
	Why string `json:"-"`
}

func parseRules(text []byte) ([]rule, error) {
	var file struct {
		Groups []struct {
			Name  string `json:"name"`
			Rules []rule `json:"rules"`
		} `json:"groups"`
	}
	if err := yaml.UnmarshalStrict(text, &file); err != nil {
		return nil, err
	}
	var all []rule
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" {
				return nil, fmt.Errorf("group %s: a rule without alert", g.Name)
			}
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no rules")
	}
	why := comments(text)
	for i := range all {
		all[i].Why = why[all[i].Alert]
	}
	return all, nil
}

// comments are those above the rules of a file, by the rule's name.
func comments(text []byte) map[string]string {
	found := map[string]string{}
	var said []string
	for line := range bytes.Lines(text) {
		trimmed := strings.TrimSpace(string(line))
		if comment, ok := strings.CutPrefix(trimmed, "#"); ok {
			said = append(said, strings.TrimSpace(comment))
			continue
		}
		if name, ok := strings.CutPrefix(trimmed, "- alert: "); ok {
			found[name] = strings.Join(said, " ")
		}
		said = nil
	}
	return found
}

const ruleHeader = `# Made from rules.yaml by "make generate": change that file.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: cx-operator
  labels:
    app.kubernetes.io/name: cx-operator
    app.kubernetes.io/managed-by: kustomize
spec:
`

// prometheusRule is the rules file as the spec of a PrometheusRule. It is the text itself, indented, so that comments stay
// and nothing can differ.
func prometheusRule(rules []byte) []byte {
	out := bytes.NewBufferString(ruleHeader)
	inHeader := true
	for line := range bytes.Lines(rules) {
		// What the file says of itself is not for the manifest.
		if inHeader = inHeader && bytes.HasPrefix(line, []byte("#")); inHeader {
			continue
		}
		if len(bytes.TrimSpace(line)) > 0 {
			out.WriteString("  ")
		}
		out.Write(line)
	}
	return out.Bytes()
}
