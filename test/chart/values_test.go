package chart

import "maps"

// plainValues need no optional API.
var plainValues = map[string]string{
	"default":    "",
	"embedded":   "embedded: {enabled: true, publicURL: 'https://survey.example.org', trustedProxies: [10.0.0.0/8]}",
	"claim":      "embedded: {enabled: true, persistence: {existingClaim: answers}}",
	"namespaced": "watchNamespaces: [chart-one, chart-two]\nembedded: {enabled: true}",
	"air-gapped": "image: {registry: 'mirror.internal:5000', digest: 'sha256:0123456789012345678901234567890123456789012345678901234567890123'}\nimagePullSecrets: [{name: mirror}]",
	"pod":        podValues,
	"messages":   messages,
	"bare":       "feedbackApi: {enabled: false}\ncrds: {install: false}\nrbac: {create: false, people: false}\nserviceAccount: {create: false}\nnetworkPolicy: {enabled: false}",
}

// valueSets are values that users might have, by name.
func valueSets() map[string]string {
	all := maps.Clone(plainValues)
	all["everything"] = everything
	all["monitoring"] = "serviceMonitor: {enabled: true}\nprometheusRule: {enabled: true}\ndashboards: {enabled: true}\nwatchNamespaces: [chart-one]"
	return all
}
