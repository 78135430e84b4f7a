package chart

import (
	"strings"
	"testing"
)

func TestRefusals(t *testing.T) {
	tests := []struct{ name, values, want string }{
		{name: "a standby of an Embedded endpoint", values: "embedded: {enabled: true}\nreplicas: 2", want: "/replicas"},
		{name: "no replica", values: "replicas: 0", want: "/replicas"},
		{name: "an unknown value", values: "replica: 2", want: "'replica' not allowed"},
		{name: "an unknown value within", values: "image: {name: x}", want: "'name' not allowed"},
		{name: "a number for a switch", values: "crds: {keep: 1}", want: "/crds/keep"},
		{name: "a tag in the repository", values: "image: {repository: 'cx-operator:1'}", want: "/image/repository"},
		{name: "a digest that is none", values: "image: {digest: latest}", want: "/image/digest"},
		{name: "a pull policy that is none", values: "image: {pullPolicy: Sometimes}", want: "/image/pullPolicy"},
		{name: "a pull secret without a name", values: "imagePullSecrets: [secret]", want: "/imagePullSecrets/0"},
		{name: "a public address without a scheme", values: "embedded: {publicURL: survey.example.org}", want: "/embedded/publicURL"},
		{name: "no rate at all", values: "embedded: {ratePerMinute: 0}", want: "/embedded/ratePerMinute"},
		{name: "a duration without a unit", values: "manager: {staleAfter: '60'}", want: "/manager/staleAfter"},
		{name: "a flag that is none", values: "manager: {extraArgs: [workers=1]}", want: "/manager/extraArgs/0"},
		{name: "the same namespace twice", values: "watchNamespaces: [a, a]", want: "/watchNamespaces"},
		{name: "a reader without a namespace", values: "monitoring: {readers: [{name: prometheus}]}", want: "/monitoring/readers/0"},
		{name: "less time to end than it needs", values: "terminationGracePeriodSeconds: 5", want: "/terminationGracePeriodSeconds"},
		{name: "e-mail from nobody", values: "notifications: {smtp: {address: 'mail:587'}}", want: "/notifications/smtp"},
		{name: "a mail server without a port", values: "notifications: {smtp: {address: mail, from: a@b}}", want: "/notifications/smtp/address"},
		{name: "two targets in one", values: "notifications: {allowTargets: ['a,b']}", want: "/notifications/allowTargets/0"},
		{name: "a word for a switch", values: "feedbackApi: {enabled: always}", want: "/feedbackApi/enabled"},
		{name: "ServiceMonitors without their API", values: "serviceMonitor: {enabled: true}", want: "serviceMonitor.enabled needs the API monitoring.coreos.com/v1/ServiceMonitor"},
		{name: "rules without their API", values: "prometheusRule: {enabled: true}", want: "prometheusRule.enabled needs the API monitoring.coreos.com/v1/PrometheusRule"},
		{
			name: "GrafanaDashboards without their API", values: "dashboards: {grafanaOperator: {enabled: true}}",
			want: "dashboards.grafanaOperator.enabled needs the API grafana.integreatly.org/v1beta1/GrafanaDashboard",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := template(t, tt.values)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q in it", err, tt.want)
			}
		})
	}
}

// Lint cannot be told of optional APIs, so it sees the values that need none.
func TestLint(t *testing.T) {
	for name, values := range plainValues {
		t.Run(name, func(t *testing.T) {
			if out, err := tool(t, []byte(values), "helm", "lint", "--strict", chartDir(), "--values", "-"); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
