package main

import (
	"bytes"
	"errors"
	"fmt"

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
	return all, nil
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
