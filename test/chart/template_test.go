package chart

import (
	"bufio"
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/internal/cli"
)

func newReader(text []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(text)) }

// expectation is what one field of one object must be.
type expectation struct {
	object string // Kind/name
	path   string // such as spec.template.spec.containers[0].image; "" for the object itself
	want   string // YAML; "" for absent
	has    string // instead of want: an item of the list at path
	lacks  string // instead of want: the beginning of no item of the list at path
}

const (
	pod     = "spec.template.spec"
	manager = pod + ".containers[0]"
)

var templateTests = []struct {
	name   string
	values string
	expect []expectation
}{
	{
		name: "two replicas and a lease by default",
		expect: []expectation{
			{object: "Deployment/cx-operator", path: "spec.replicas", want: "2"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--leader-elect=true"},
			{object: "Deployment/cx-operator", path: manager + ".args", lacks: "--embedded-endpoint"},
			{object: "Deployment/cx-operator", path: manager + ".readinessProbe.httpGet.path", want: "/readyz"},
			{object: "Deployment/cx-operator", path: manager + ".env[0]", want: "{name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}"},
			{object: "Deployment/cx-operator", path: pod + ".topologySpreadConstraints[0].topologyKey", want: "kubernetes.io/hostname"},
			{object: "StatefulSet/cx-operator"},
			{object: "PodDisruptionBudget/cx-operator", path: "spec.maxUnavailable", want: "1"},
			{object: "Service/cx-operator", path: "spec.ports", want: "[{name: metrics, port: 8443, targetPort: metrics}]"},
			{object: "Role/cx-operator-leader-election", path: "metadata.namespace", want: system},
			{object: "ServiceMonitor/cx-operator"}, {object: "PrometheusRule/cx-operator"},
		},
	},
	{
		name:   "one replica with a volume where it serves Embedded programs",
		values: "embedded: {enabled: true, publicURL: 'https://survey.example.org', trustedProxies: [10.0.0.0/8, '::1'], persistence: {size: 2Gi, storageClassName: fast}}",
		expect: []expectation{
			{object: "Deployment/cx-operator"},
			{object: "StatefulSet/cx-operator", path: "spec.replicas", want: "1"},
			{object: "StatefulSet/cx-operator", path: "spec.serviceName", want: "cx-operator"},
			{object: "StatefulSet/cx-operator", path: manager + ".args", has: "--leader-elect=false"},
			{object: "StatefulSet/cx-operator", path: manager + ".args", has: "--embedded-endpoint"},
			{object: "StatefulSet/cx-operator", path: manager + ".args", has: "--public-url=https://survey.example.org"},
			{object: "StatefulSet/cx-operator", path: manager + ".args", has: "--intake-trusted-proxies=10.0.0.0/8,::1"},
			{object: "StatefulSet/cx-operator", path: manager + ".readinessProbe.tcpSocket.port", want: "survey"},
			{object: "StatefulSet/cx-operator", path: "spec.volumeClaimTemplates[0].spec", want: "{accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 2Gi}}}"},
			{object: "StatefulSet/cx-operator", path: pod + ".topologySpreadConstraints"},
			{object: "PodDisruptionBudget/cx-operator"}, // it would hold up every drain for nothing
			{object: "Service/cx-operator", path: "spec.ports[0]", want: "{name: survey, port: 8080, targetPort: survey}"},
			{object: "NetworkPolicy/cx-operator", path: "spec.ingress[1]", want: "{ports: [{port: survey, protocol: TCP}]}"},
		},
	},
	{
		name:   "a claim that exists, and the Service's address",
		values: "embedded: {enabled: true, persistence: {existingClaim: answers}}\nreplicas: 1",
		expect: []expectation{
			{object: "StatefulSet/cx-operator", path: "spec.volumeClaimTemplates"},
			{object: "StatefulSet/cx-operator", path: pod + ".volumes", has: "{name: data, persistentVolumeClaim: {claimName: answers}}"},
			{object: "StatefulSet/cx-operator", path: manager + ".args", has: "--public-url=http://cx-operator." + system + ".svc:8080"},
		},
	},
	{
		name:   "one image from one registry for operator and endpoints",
		values: "image: {registry: 'mirror.internal:5000/hub', repository: cx/op, tag: '1.2', pullPolicy: Always}\nimagePullSecrets: [{name: one}, {name: two}]",
		expect: []expectation{
			{object: "Deployment/cx-operator", path: manager + ".image", want: "mirror.internal:5000/hub/cx/op:1.2"},
			{object: "Deployment/cx-operator", path: manager + ".imagePullPolicy", want: "Always"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--endpoint-image=mirror.internal:5000/hub/cx/op:1.2"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--endpoint-image-pull-policy=Always"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--endpoint-image-pull-secrets=one,two"},
			{object: "Deployment/cx-operator", path: pod + ".imagePullSecrets", want: "[{name: one}, {name: two}]"},
		},
	},
	{
		name:   "a digest goes before the tag, and no registry is none",
		values: "image: {registry: '', repository: cx-operator, tag: e2e, digest: 'sha256:" + strings.Repeat("a", 64) + "'}",
		expect: []expectation{
			{object: "Deployment/cx-operator", path: manager + ".image", want: "cx-operator@sha256:" + strings.Repeat("a", 64)},
		},
	},
	{
		name:   "flags and pod options",
		values: podValues,
		expect: []expectation{
			{object: "Deployment/cx-operator", path: "spec.replicas", want: "3"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--workers=8"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--api-qps=12.5"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--stale-after=90s"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--log-development"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--metrics-bind-address=:9443"},
			{object: "Deployment/cx-operator", path: manager + ".resources", want: "{requests: {cpu: 1, memory: 64Mi}, limits: {memory: 1Gi}}"},
			{object: "Deployment/cx-operator", path: pod + ".nodeSelector", want: "{pool: system}"},
			{object: "Deployment/cx-operator", path: pod + ".tolerations", want: "[{key: system, operator: Exists}]"},
			{object: "Deployment/cx-operator", path: pod + ".affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key", want: "zone"},
			{object: "Deployment/cx-operator", path: pod + ".priorityClassName", want: "system-cluster-critical"},
			{object: "Deployment/cx-operator", path: "spec.template.metadata.labels", want: "{team: platform, cost: cx, app.kubernetes.io/name: cx-operator, app.kubernetes.io/instance: cx-operator}"},
			{object: "Deployment/cx-operator", path: "spec.template.metadata.annotations", want: "{note: here, more: there}"},
			{object: "ServiceAccount/robot", path: "metadata.annotations", want: "{note: here, role: arn}"},
			{object: "Deployment/cx-operator", path: pod + ".serviceAccountName", want: "robot"},
			{object: "ClusterRoleBinding/cx-operator-manager", path: "subjects[0].name", want: "robot"},
		},
	},
	{
		name: "the feedback API by default",
		expect: []expectation{
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--feedback-api-bind-address=:6443"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--feedback-api-service=" + system + "/cx-operator-feedback"},
			{object: "Deployment/cx-operator", path: manager + ".env[1]", want: "{name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}"},
			{object: "Deployment/cx-operator", path: manager + ".ports[1]", want: "{name: feedback, containerPort: 6443}"},
			{object: "Service/cx-operator-feedback", path: "spec.selector", want: "{app.kubernetes.io/name: cx-operator, app.kubernetes.io/instance: cx-operator, cx-operator.io/serves-feedback: 'true'}"},
			{object: "APIService/v1alpha1.feedback.cx-operator.io", path: "spec.caBundle"},
			{object: "RoleBinding/kube-system/cx-operator-feedback-authentication-reader", path: "roleRef.name", want: "extension-apiserver-authentication-reader"},
			{object: "NetworkPolicy/cx-operator", path: "spec.ingress[1]", want: "{ports: [{port: feedback, protocol: TCP}]}"},
			{object: "Deployment/cx-operator", path: manager + ".args", lacks: "--smtp"},
		},
	},
	{
		name:   "no feedback API",
		values: "feedbackApi: {enabled: false}",
		expect: []expectation{
			{object: "Deployment/cx-operator", path: manager + ".args", lacks: "--feedback-api"},
			{object: "APIService/v1alpha1.feedback.cx-operator.io"}, {object: "Service/cx-operator-feedback"},
			{object: "ClusterRole/cx-operator-feedback"}, {object: "RoleBinding/cx-operator-feedback-authentication-reader"},
			{object: "NetworkPolicy/cx-operator", path: "spec.ingress[1]"},
			{object: "Deployment/cx-operator", path: manager + ".env[1]"},
		},
	},
	{
		name:   "messages to people",
		values: messages,
		expect: []expectation{
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--smtp-address=mail.example.org:587"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--smtp-from=cx@example.org"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--smtp-username=cx"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--smtp-password-file=/etc/cx-operator/smtp-password/password"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--smtp-ca-file=/etc/cx-operator/smtp-ca/ca.crt"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--notify-allow-targets=10.1.0.0/16,chat.internal"},
			{object: "Deployment/cx-operator", path: manager + ".volumeMounts", has: "{name: smtp-password, mountPath: /etc/cx-operator/smtp-password, readOnly: true}"},
			{object: "Deployment/cx-operator", path: pod + ".volumes", has: "{name: smtp-password, secret: {secretName: smtp, items: [{key: secret, path: password}]}}"},
			{object: "Deployment/cx-operator", path: pod + ".volumes", has: "{name: smtp-ca, configMap: {name: authorities, items: [{key: ca.crt, path: ca.crt}]}}"},
		},
	},
	{
		name:   "one namespace's rights",
		values: "watchNamespaces: [sfo, oak]",
		expect: []expectation{
			{object: "Role/sfo/cx-operator-manager", path: "metadata.namespace", want: "sfo"},
			{object: "RoleBinding/oak/cx-operator-manager", path: "subjects[0].namespace", want: system},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--watch-namespaces=sfo,oak"},
		},
	},
	{
		name:   "CRDs that go with the release",
		values: "crds: {keep: false}",
		expect: []expectation{
			{object: "CustomResourceDefinition/touchpoints.cx-operator.io", path: "metadata.annotations.helm\\.sh/resource-policy"},
		},
	},
	{
		name: "CRDs that stay",
		expect: []expectation{
			{object: "CustomResourceDefinition/touchpoints.cx-operator.io", path: "metadata.annotations.helm\\.sh/resource-policy", want: "keep"},
		},
	},
	{name: "CRDs by other means", values: "crds: {install: false}", expect: []expectation{{object: "CustomResourceDefinition/touchpoints.cx-operator.io"}}},
	{
		name:   "nothing but the operator",
		values: "networkPolicy: {enabled: false}\npodDisruptionBudget: {enabled: false}\nrbac: {create: false, people: false}\nserviceAccount: {create: false}",
		expect: []expectation{
			{object: "NetworkPolicy/cx-operator"}, {object: "PodDisruptionBudget/cx-operator"}, {object: "ServiceAccount/cx-operator"},
			{object: "ClusterRole/cx-operator-manager"}, {object: "ClusterRole/cx-office"}, {object: "ClusterRole/cx-operator-metrics-reader"},
			{object: "Deployment/cx-operator", path: pod + ".serviceAccountName", want: "default"},
		},
	},
	{
		name:   "monitoring",
		values: everything,
		expect: []expectation{
			{object: "ServiceMonitor/cx-operator", path: "spec.endpoints[0].authorization.credentials", want: "{name: prometheus-token, key: token}"},
			{object: "ServiceMonitor/cx-operator", path: "spec.endpoints[0].bearerTokenFile"},
			{object: "ServiceMonitor/cx-operator", path: "spec.endpoints[0].tlsConfig.serverName", want: "manager.cx-operator.internal"},
			{object: "ServiceMonitor/cx-operator", path: "metadata.labels.release", want: "prometheus"},
			{object: "ServiceMonitor/cx-operator-endpoints", path: "spec.namespaceSelector", want: "{any: true}"},
			{object: "ServiceMonitor/cx-operator-endpoints", path: "spec.endpoints[0].interval", want: "15s"},
			{object: "PrometheusRule/cx-operator", path: "metadata.labels.release", want: "prometheus"},
			{object: "NetworkPolicy/cx-operator", path: "spec.ingress[0].from[0].namespaceSelector.matchExpressions[0].values", want: "[monitoring]"},
			{object: "NetworkPolicy/cx-operator", path: "spec.policyTypes", want: "[Ingress, Egress]"},
			{object: "Deployment/cx-operator", path: manager + ".args", has: "--monitoring-namespaces=monitoring"},
			{object: "ClusterRoleBinding/cx-operator-metrics-reader", path: "subjects", want: "[{kind: ServiceAccount, name: prometheus, namespace: monitoring}]"},
			{object: "ClusterRoleBinding/cx-office", path: "subjects[0].name", want: "cx-office"},
			{object: "ServiceMonitor/cx-operator", path: "metadata.labels.owner", want: "platform"},
		},
	},
	{
		name:   "monitoring of one namespace, with the token of Prometheus' own pod",
		values: "serviceMonitor: {enabled: true}\nwatchNamespaces: [sfo]",
		expect: []expectation{
			{object: "ServiceMonitor/cx-operator", path: "spec.endpoints[0].bearerTokenFile", want: "/var/run/secrets/kubernetes.io/serviceaccount/token"},
			{object: "ServiceMonitor/cx-operator-endpoints", path: "spec.namespaceSelector", want: "{matchNames: [sfo]}"},
		},
	},
	{
		name:   "other names",
		values: "fullnameOverride: cx",
		expect: []expectation{
			{object: "Deployment/cx", path: "spec.selector.matchLabels", want: "{app.kubernetes.io/name: cx-operator, app.kubernetes.io/instance: cx-operator}"},
			{object: "ClusterRole/cx-manager", path: "kind", want: "ClusterRole"},
		},
	},
}

const podValues = `
replicas: 3
manager: {workers: 8, apiQPS: 12.5, staleAfter: 90s, logDevelopment: true, extraArgs: ["--metrics-bind-address=:9443"]}
resources: {requests: {cpu: 1}, limits: {memory: 1Gi}}
nodeSelector: {pool: system}
tolerations: [{key: system, operator: Exists}]
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [a]}]}]
priorityClassName: system-cluster-critical
commonLabels: {team: platform, app.kubernetes.io/name: other}
commonAnnotations: {note: here}
podLabels: {cost: cx, app.kubernetes.io/instance: other}
podAnnotations: {more: there}
serviceAccount: {name: robot, annotations: {role: arn}}
`

const messages = `
notifications:
  smtp:
    address: mail.example.org:587
    from: cx@example.org
    username: cx
    passwordSecretRef: {name: smtp, key: secret}
    caConfigMap: {name: authorities}
  allowTargets: [10.1.0.0/16, chat.internal]
`

const everything = `
commonLabels: {owner: platform}
monitoring: {namespaces: [monitoring], readers: [{namespace: monitoring, name: prometheus}]}
serviceMonitor: {enabled: true, labels: {release: prometheus}, interval: 15s, tokenSecret: {name: prometheus-token}}
prometheusRule: {enabled: true, labels: {release: prometheus}}
dashboards: {enabled: true, namespace: monitoring, annotations: {grafana_folder: CX}, grafanaOperator: {enabled: true, instanceSelector: {dashboards: grafana}}}
rbac: {officeSubjects: [{kind: Group, name: cx-office, apiGroup: rbac.authorization.k8s.io}]}
networkPolicy: {egress: [{ports: [{port: 443}]}]}
`

func TestTemplates(t *testing.T) {
	for _, tt := range templateTests {
		t.Run(tt.name, func(t *testing.T) {
			all := render(t, tt.values)
			for _, e := range tt.expect {
				e.check(t, all)
			}
		})
	}
}

func (e expectation) check(t *testing.T, all objects) {
	t.Helper()
	object := all.find(t, e.object)
	if e.path == "" {
		if object != nil {
			t.Errorf("%s is there", e.object)
		}
		return
	}
	if object == nil {
		t.Errorf("no %s among %s", e.object, strings.Join(all.ids(), ", "))
		return
	}
	got, found := lookUp(object.Object, e.path)
	list, _ := got.([]any)
	switch {
	case e.has != "":
		if !slices.ContainsFunc(list, func(item any) bool { return reflect.DeepEqual(item, fromYAML(t, e.has)) }) {
			t.Errorf("%s %s = %s, want %s in it", e.object, e.path, text(got), e.has)
		}
	case e.lacks != "":
		if len(list) == 0 || slices.ContainsFunc(list, func(item any) bool { return strings.HasPrefix(text(item), `"`+e.lacks) }) {
			t.Errorf("%s %s = %s, want nothing that begins with %s", e.object, e.path, text(got), e.lacks)
		}
	case e.want == "":
		if found {
			t.Errorf("%s %s = %s, want none", e.object, e.path, text(got))
		}
	case !reflect.DeepEqual(got, fromYAML(t, e.want)):
		t.Errorf("%s %s = %s, want %s", e.object, e.path, text(got), e.want)
	}
}

// lookUp follows a path of keys and indexes; `\.` is a dot within a key.
func lookUp(from any, path string) (any, bool) {
	for _, step := range strings.Split(strings.NewReplacer(`\.`, "\x00", "[", ".[").Replace(path), ".") {
		step = strings.ReplaceAll(step, "\x00", ".")
		if index, isIndex := strings.CutPrefix(step, "["); isIndex {
			list, _ := from.([]any)
			i, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
			if err != nil || i >= len(list) {
				return nil, false
			}
			from = list[i]
			continue
		}
		mapping, _ := from.(map[string]any)
		next, found := mapping[step]
		if !found {
			return nil, false
		}
		from = next
	}
	return from, true
}

func fromYAML(t *testing.T, document string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(document), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func text(v any) string {
	content, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(content)
}

// The manager knows every flag that the chart gives it, and takes its value.
func TestFlagsAreTheManagers(t *testing.T) {
	for name, values := range valueSets() {
		t.Run(name, func(t *testing.T) {
			for _, object := range render(t, values) {
				args, found := lookUp(object.Object, manager+".args")
				if !found {
					continue
				}
				var given []string
				for _, arg := range args.([]any) {
					given = append(given, arg.(string))
				}
				command, flags, err := cli.NewRootCommand().Find(given)
				if err != nil || command.Name() != "manager" {
					t.Fatalf("command = %v, %v", command, err)
				}
				if err := command.ParseFlags(flags); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
