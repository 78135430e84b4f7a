package validate

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/config/crd"
	"github.com/cx-operator/cx-operator/test/admission"
)

// TestRefused holds the offline validator against the cases that a real API server refuses.
func TestRefused(t *testing.T) {
	for _, c := range admission.Refused() {
		t.Run(c.Name, func(t *testing.T) {
			report := check(t, Options{AllowMissing: true}, c.Manifest())
			var said []string
			for _, p := range report.Problems {
				said = append(said, p.Field+": "+p.Message)
			}
			all := strings.Join(said, "\n")
			if all == "" {
				t.Fatal("no problem was found")
			}
			for _, part := range c.Want {
				if !strings.Contains(all, part) {
					t.Errorf("no problem says %q:\n%s", part, all)
				}
			}
		})
	}
}

func TestBases(t *testing.T) {
	report := check(t, Options{AllowMissing: true}, admission.Bases()...)
	if len(report.Problems) > 0 {
		t.Errorf("problems in valid manifests: %v", report.Problems)
	}
	if report.Resources != len(admission.Bases()) {
		t.Errorf("%d resources, want %d", report.Resources, len(admission.Bases()))
	}
}

// TestEveryRuleHasACase fails when a rule is added to the API that no case breaks.
func TestEveryRuleHasACase(t *testing.T) {
	var wanted []string
	for _, c := range admission.Refused() {
		wanted = append(wanted, c.Want...)
	}
	for _, u := range admission.Updates() {
		wanted = append(wanted, u.Want...)
	}
	for _, u := range admission.StatusUpdates() {
		wanted = append(wanted, u.Want...)
	}
	rules := 0
	for _, message := range ruleMessages(t) {
		rules++
		if !slices.ContainsFunc(wanted, func(part string) bool { return len(part) >= len("period is fixed") && strings.Contains(message, part) }) {
			t.Errorf("no case breaks the rule %q", message)
		}
	}
	if rules < 20 {
		t.Errorf("only %d rules were found in the CRDs", rules)
	}
}

func ruleMessages(t *testing.T) []string {
	t.Helper()
	files, err := fs.Glob(crd.Bases, "bases/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var messages []string
	for _, file := range files {
		content, err := crd.Bases.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(content, &definition); err != nil {
			t.Fatal(err)
		}
		for _, version := range definition.Spec.Versions {
			messages = appendMessages(messages, *version.Schema.OpenAPIV3Schema)
		}
	}
	return messages
}

func appendMessages(messages []string, schema apiextensionsv1.JSONSchemaProps) []string {
	for _, rule := range schema.XValidations {
		messages = append(messages, rule.Message)
	}
	for _, property := range schema.Properties {
		messages = appendMessages(messages, property)
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		messages = appendMessages(messages, *schema.Items.Schema)
	}
	if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
		messages = appendMessages(messages, *schema.AdditionalProperties.Schema)
	}
	return messages
}
