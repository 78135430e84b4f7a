// Command docs makes what is derived from the declarations of metrics and alerts: the PrometheusRule manifest, the unit
// tests of the rules, and the references of metrics and of alerts. Run it in the root of the repository; "make generate" does.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		// A documentation page is for everybody to read.
		if err := os.WriteFile(filepath.Join(root, path), files[path], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// The files that are read, from the root of the repository.
const (
	rulesFile    = "config/prometheus/rules.yaml"
	alertsFile   = "config/prometheus/testdata/alerts.yaml"
	metricsFile  = "internal/exporter/testdata/metrics.golden"
	runbooksPath = "docs/runbooks"
)

// generate returns the content of every derived file by its path from the root of the repository.
func generate(root string) (map[string][]byte, error) {
	read := func(path string) ([]byte, error) { return os.ReadFile(filepath.Join(root, path)) }
	text, err := read(rulesFile)
	if err != nil {
		return nil, err
	}
	rules, err := parseRules(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rulesFile, err)
	}
	expected, err := read(alertsFile)
	if err != nil {
		return nil, err
	}
	exposition, err := read(metricsFile)
	if err != nil {
		return nil, err
	}
	tests, err := ruleTests(text, expected, exposition)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", alertsFile, err)
	}
	page, err := alertPage(rules, expected)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", alertsFile, err)
	}
	declared, err := declaredMetrics(root, "internal", "controllers")
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		"config/prometheus/prometheusrule.yaml": prometheusRule(text),
		"config/prometheus/rules_test.yaml":     tests,
		"docs/metrics.md":                       reference(declared),
		"docs/alerts.md":                        page,
	}, nil
}
