package render

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// options as the chart would start the operator.
func options() Options {
	return Options{
		Image: "registry.example.org/cx-operator:1.0.0", OperatorNamespace: "cx-operator-system",
		ScrapeTokenHash: "6f1ed002ab5595859014ebf0951522d9f5e2a1e0d5e4f2c5f4d7a1f5f0a1b2c3",
	}
}

// dedicated is a small program with an endpoint of its own.
func dedicated(t testing.TB, name string, store v1alpha1.ResponseStoreSpec) Dedicated {
	t.Helper()
	program := &v1alpha1.SurveyProgram{
		ObjectMeta: metav1.ObjectMeta{Namespace: "sfo", Name: name, UID: "11111111-2222-3333-4444-555555555555"},
		Spec: v1alpha1.SurveyProgramSpec{
			DisplayName: "Passenger experience", Purpose: "Know.", StoreRef: v1alpha1.NameRef{Name: "responses"},
			Survey: v1alpha1.Survey{
				DefaultLanguage: "en", Title: v1alpha1.LocalizedText{"en": "How was it?"},
				Questions: []v1alpha1.Question{{Name: "recommend", Type: v1alpha1.QuestionNPS, Text: v1alpha1.LocalizedText{"en": "Would you recommend us?"}}},
			},
			Endpoint: v1alpha1.Endpoint{Mode: v1alpha1.EndpointDedicated},
		},
	}
	compiled, problems := survey.Compile(program, nil, nil)
	if len(problems) > 0 {
		t.Fatalf("the fixture does not compile: %+v", problems)
	}
	return Dedicated{
		Program: program, Survey: compiled, Options: options(),
		Store: &v1alpha1.ResponseStore{
			ObjectMeta: metav1.ObjectMeta{Namespace: "sfo", Name: "responses", UID: "99999999-8888-7777-6666-555555555555"}, Spec: store,
		},
	}
}

func onSQLite() v1alpha1.ResponseStoreSpec {
	return v1alpha1.ResponseStoreSpec{SQLite: &v1alpha1.SQLiteStore{}}
}

func onPostgres() v1alpha1.ResponseStoreSpec {
	return v1alpha1.ResponseStoreSpec{Postgres: &v1alpha1.PostgresStore{ConnectionSecretRef: v1alpha1.SecretKeyRef{Name: "database", Key: "connection"}}}
}

// allOptions sets everything that can be set beside each other.
func allOptions(d *Dedicated) {
	d.Options.PullPolicy = corev1.PullAlways
	d.Options.PullSecrets = []string{"mirror", "registry"}
	d.Options.MonitoringNamespaces = []string{"monitoring", "observability"}
	d.Program.Spec.Endpoint = v1alpha1.Endpoint{
		Mode:        v1alpha1.EndpointDedicated,
		Autoscaling: &v1alpha1.Autoscaling{MinReplicas: 3, MaxReplicas: 12, TargetCPUPercent: 60},
		Exposure: &v1alpha1.Exposure{Hostname: "survey.example.org", Ingress: &v1alpha1.IngressExposure{
			ClassName: "public", TLSSecretName: "survey-cert", Annotations: map[string]string{"example.org/timeout": "60s"},
		}},
		Pod: &v1alpha1.EndpointPod{
			Resources: &corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("128Mi")},
				Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")},
			},
			NodeSelector:      map[string]string{"kubernetes.io/arch": "arm64"},
			Tolerations:       []corev1.Toleration{{Key: "web", Operator: corev1.TolerationOpExists}},
			Affinity:          &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{Weight: 10, PodAffinityTerm: corev1.PodAffinityTerm{TopologyKey: "rack"}}}}},
			PriorityClassName: "customers",
			ImagePullSecrets:  []v1alpha1.NameRef{{Name: "registry"}, {Name: "own"}},
			Labels:            map[string]string{"cost-center": "4711", "app.kubernetes.io/name": "mine", v1alpha1.LabelProgram: "another"},
			Annotations:       map[string]string{"example.org/note": "x", surveyAnnotation: "mine"},
		},
		RateLimit:      &v1alpha1.RateLimit{PerMinute: 1200, Burst: 50},
		TrustedProxies: []string{"10.0.0.0/8", "2001:db8::1"},
		Monitoring:     &v1alpha1.Monitoring{ServiceMonitor: &v1alpha1.ServiceMonitor{Labels: map[string]string{"release": "prometheus", v1alpha1.LabelManagedBy: "me"}}},
	}
}

// cases are what the golden files hold, by name.
func cases(t testing.TB) map[string]Dedicated {
	t.Helper()
	all := map[string]Dedicated{}

	all["sqlite-minimal"] = dedicated(t, "passenger-experience", onSQLite())

	kept := dedicated(t, "passenger-experience", onSQLite())
	kept.Store.Spec.SQLite = &v1alpha1.SQLiteStore{Size: ptr.To(resource.MustParse("20Gi")), StorageClassName: "fast"}
	kept.Store.Spec.DeletionPolicy = v1alpha1.DeletionDelete
	all["sqlite-volume"] = kept

	all["postgres-default"] = dedicated(t, "passenger-experience", onPostgres())

	full := dedicated(t, "passenger-experience", onPostgres())
	allOptions(&full)
	all["postgres-everything"] = full

	gateway := dedicated(t, "passenger-experience", onPostgres())
	gateway.Program.Spec.Endpoint.Replicas = ptr.To[int32](1)
	gateway.Program.Spec.Endpoint.Exposure = &v1alpha1.Exposure{Hostname: "survey.example.org", Gateway: &v1alpha1.GatewayExposure{
		ParentRefs: []v1alpha1.GatewayRef{{Name: "public", Namespace: "gateways", SectionName: "https"}, {Name: "inside"}},
	}}
	all["gateway"] = gateway

	issuer := dedicated(t, "passenger-experience", onPostgres())
	issuer.Program.Spec.Endpoint.Exposure = &v1alpha1.Exposure{Hostname: "survey.example.org", Scheme: v1alpha1.SchemeHTTPS, Ingress: &v1alpha1.IngressExposure{
		Issuer:      &v1alpha1.CertificateIssuer{Kind: v1alpha1.IssuerCluster, Name: "letters"},
		Annotations: map[string]string{"cert-manager.io/cluster-issuer": "mine"},
	}}
	all["ingress-issuer"] = issuer

	long := dedicated(t, "a-program-with-the-longest-name-that-admission-takes", onPostgres())
	long.Store.Name = "a-store-whose-name-is-as-long-as-admission-takes-one"
	long.Store.Namespace, long.Program.Namespace = "a-namespace-of-sixty-three-characters-which-is-all-that-it-gets", "a-namespace-of-sixty-three-characters-which-is-all-that-it-gets"
	all["long-names"] = long
	return all
}
