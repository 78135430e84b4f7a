package render

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func TestTheSameInputGivesTheSameObjects(t *testing.T) {
	for name := range cases(t) {
		first, again := manifests(t, cases(t)[name]), manifests(t, cases(t)[name])
		if !bytes.Equal(first, again) {
			t.Errorf("%s: %s", name, cmp.Diff(string(first), string(again)))
		}
	}
}

func TestNothingThatIsGivenIsChanged(t *testing.T) {
	d := cases(t)["postgres-everything"]
	program, options := d.Program.DeepCopy(), d.Options
	options.PullSecrets = append([]string(nil), d.Options.PullSecrets...)
	manifests(t, d)
	if diff := cmp.Diff(program, d.Program); diff != "" {
		t.Errorf("program: %s", diff)
	}
	if diff := cmp.Diff(options, d.Options); diff != "" {
		t.Errorf("options: %s", diff)
	}
}

func TestLabelsAndSelectorsMatch(t *testing.T) {
	for name, d := range cases(t) {
		template := templateOf(t, d)
		pods := labels.Set(template.Labels)
		for _, object := range mustObjects(t, d) {
			for key, want := range Labels(d.Program.Name) {
				if got := object.GetLabels()[key]; got != want {
					t.Errorf("%s: %T has %s=%q, want %q", name, object, key, got, want)
				}
			}
			selects := selectorOf(object)
			if selects == nil {
				continue
			}
			if !labels.SelectorFromSet(selects).Matches(pods) {
				t.Errorf("%s: %T selects %v, the pods have %v", name, object, selects, pods)
			}
			other := Labels("another-program")
			if labels.SelectorFromSet(selects).Matches(labels.Set(other)) {
				t.Errorf("%s: %T selects another program's pods", name, object)
			}
		}
	}
}

// selectorOf returns the labels by which an object finds the pods, nil where it looks for none.
func selectorOf(object Object) map[string]string {
	switch object := object.(type) {
	case *appsv1.Deployment:
		return object.Spec.Selector.MatchLabels
	case *appsv1.StatefulSet:
		return object.Spec.Selector.MatchLabels
	case *corev1.Service:
		return object.Spec.Selector
	case *networkingv1.NetworkPolicy:
		return object.Spec.PodSelector.MatchLabels
	case *policyv1.PodDisruptionBudget:
		return object.Spec.Selector.MatchLabels
	}
	return nil
}

func TestPodsPassTheRestrictedStandard(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for name, d := range cases(t) {
		template := templateOf(t, d)
		for _, result := range evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec) {
			if !result.Allowed {
				t.Errorf("%s: %s: %s", name, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
	}
	worse := templateOf(t, cases(t)["postgres-default"])
	worse.Spec.Containers[0].SecurityContext.Capabilities = nil
	if policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &worse.ObjectMeta, &worse.Spec)).Allowed {
		t.Error("a pod with capabilities passes: nothing is checked")
	}
}

func TestNoSecretLeavesItsFile(t *testing.T) {
	for name, d := range cases(t) {
		for _, object := range mustObjects(t, d) {
			if _, ok := object.(*corev1.Secret); ok {
				t.Errorf("%s: a Secret is among the objects", name)
			}
		}
		template := templateOf(t, d)
		for _, container := range template.Spec.Containers {
			if len(container.EnvFrom) > 0 {
				t.Errorf("%s: %s takes its environment from elsewhere", name, container.Name)
			}
			for _, variable := range container.Env {
				if variable.ValueFrom != nil || variable.Name != "GOMEMLIMIT" {
					t.Errorf("%s: the environment has %s", name, variable.Name)
				}
			}
		}
		for _, volume := range template.Spec.Volumes {
			if volume.Secret != nil && ptr.Deref(volume.Secret.DefaultMode, 0o644)&0o007 != 0 {
				t.Errorf("%s: everybody may read the files of %s", name, volume.Name)
			}
		}
	}
}

func TestTheOperationsPortIsNeverExposed(t *testing.T) {
	for name, d := range cases(t) {
		for _, object := range mustObjects(t, d) {
			if ingress, ok := object.(*networkingv1.Ingress); ok {
				backend := ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service
				if backend.Port.Name != "survey" {
					t.Errorf("%s: the Ingress serves %+v", name, backend)
				}
			}
			if policy, ok := object.(*networkingv1.NetworkPolicy); ok {
				for _, rule := range policy.Spec.Ingress {
					for _, port := range rule.Ports {
						if port.Port.IntValue() == OperationsPort && len(rule.From) == 0 {
							t.Errorf("%s: everybody may reach the operations port", name)
						}
					}
				}
			}
		}
	}
}

// Outside a cluster, or where nobody monitors, nobody needs the operations port; a rule without peers would open it to all.
func TestWithoutAnOperatorsNamespaceThePortIsClosed(t *testing.T) {
	d := cases(t)["postgres-default"]
	d.Options.OperatorNamespace = ""
	for _, rule := range d.networkPolicy().Spec.Ingress {
		if rule.Ports[0].Port.IntValue() != SurveyPort {
			t.Errorf("%+v", rule)
		}
	}
}

func TestWhatCannotBeRendered(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Dedicated)
		want   string
	}{
		"no image":           {func(d *Dedicated) { d.Options.Image = "" }, "--endpoint-image"},
		"replicas on SQLite": {func(d *Dedicated) { d.Program.Spec.Endpoint.Replicas = ptr.To[int32](2) }, "spec.endpoint.replicas: the file of the SQLite store responses is opened by one pod"},
		"autoscaling on SQLite": {func(d *Dedicated) {
			d.Program.Spec.Endpoint.Autoscaling = &v1alpha1.Autoscaling{MaxReplicas: 2}
		}, "spec.endpoint.autoscaling"},
		"no engine":         {func(d *Dedicated) { d.Store.Spec = v1alpha1.ResponseStoreSpec{} }, "neither sqlite nor postgres"},
		"a survey of 1 MiB": {func(d *Dedicated) { d.Survey.Title["en"] = strings.Repeat("x", 1<<20) }, "spec.survey: compiled, with its touchpoints and teams, it has 10"},
	} {
		t.Run(name, func(t *testing.T) {
			d := dedicated(t, "flights", onSQLite())
			c.change(&d)
			if _, err := d.Objects(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	one := dedicated(t, "flights", onSQLite())
	one.Program.Spec.Endpoint.Replicas = ptr.To[int32](1)
	if _, err := one.Objects(); err != nil {
		t.Errorf("one replica on SQLite: %v", err)
	}
}

func TestTheLastGoodSurveyIsReadBack(t *testing.T) {
	d := dedicated(t, "flights", onPostgres())
	configMap, err := d.configMap()
	if err != nil {
		t.Fatal(err)
	}
	got, err := SurveyOf(configMap)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d.Survey, got); diff != "" {
		t.Error(diff)
	}
	if _, err := SurveyOf(&corev1.ConfigMap{}); err == nil {
		t.Error("a ConfigMap without a survey has one")
	}
	if _, err := SurveyOf(&corev1.ConfigMap{Data: map[string]string{surveyKey: "{"}}); err == nil {
		t.Error("half a survey is one")
	}
}

// Pods are replaced when the survey changes, and not when only its arrival does.
func TestTheHashFollowsTheSurvey(t *testing.T) {
	hash := func(d Dedicated) string { return templateOf(t, d).Annotations[surveyAnnotation] }
	before, same := dedicated(t, "flights", onPostgres()), dedicated(t, "flights", onPostgres())
	if hash(before) != hash(same) || hash(before) == "" {
		t.Errorf("%q and %q", hash(before), hash(same))
	}
	same.Survey.Title["en"] = "Another"
	if hash(before) == hash(same) {
		t.Error("another survey has the same hash")
	}
}

func TestMemoryLimit(t *testing.T) {
	for limit, want := range map[string]string{"256Mi": "241591911", "1Gi": "966367642", "": "", "0": ""} {
		resources := corev1.ResourceRequirements{}
		if limit != "" {
			resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(limit)}
		}
		got := ""
		if env := memoryLimit(resources); len(env) > 0 {
			got = env[0].Value
		}
		if got != want {
			t.Errorf("%q: %q, want %q", limit, got, want)
		}
	}
}

func TestDisruptionBudgets(t *testing.T) {
	for name, c := range map[string]struct {
		endpoint v1alpha1.Endpoint
		sqlite   bool
		want     bool
	}{
		"two by default":   {want: true},
		"one":              {endpoint: v1alpha1.Endpoint{Replicas: ptr.To[int32](1)}},
		"up to three":      {endpoint: v1alpha1.Endpoint{Autoscaling: &v1alpha1.Autoscaling{MinReplicas: 1, MaxReplicas: 3}}, want: true},
		"one by one":       {endpoint: v1alpha1.Endpoint{Autoscaling: &v1alpha1.Autoscaling{MinReplicas: 1, MaxReplicas: 1}}},
		"one file":         {sqlite: true},
		"one file, stated": {sqlite: true, endpoint: v1alpha1.Endpoint{Replicas: ptr.To[int32](1)}},
	} {
		store := onPostgres()
		if c.sqlite {
			store = onSQLite()
		}
		d := dedicated(t, "flights", store)
		d.Program.Spec.Endpoint = c.endpoint
		got := false
		for _, object := range mustObjects(t, d) {
			if _, ok := object.(*policyv1.PodDisruptionBudget); ok {
				got = true
			}
		}
		if got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// What is printed for a program in a file has no owner: it has no UID yet.
func TestWithoutAUIDThereIsNoOwner(t *testing.T) {
	d := dedicated(t, "flights", onSQLite())
	d.Program.UID, d.Store.UID = "", ""
	d.Store.Spec.DeletionPolicy = v1alpha1.DeletionDelete
	for _, object := range mustObjects(t, d) {
		if len(object.GetOwnerReferences()) > 0 {
			t.Errorf("%T: %v", object, object.GetOwnerReferences())
		}
	}
}

func TestCertificateSecret(t *testing.T) {
	d := dedicated(t, "flights", onPostgres())
	secret := CertificateSecret(d.Program, []byte("c"), []byte("k"), []byte("a"))
	want := map[string][]byte{"tls.crt": []byte("c"), "tls.key": []byte("k"), "ca.crt": []byte("a")}
	if diff := cmp.Diff(want, secret.Data); diff != "" || secret.Type != corev1.SecretTypeTLS || secret.Name != "flights-endpoint-tls" {
		t.Errorf("%s %s %s", secret.Name, secret.Type, diff)
	}
	if secret.Labels[v1alpha1.LabelTokens] != "true" || !metav1.IsControlledBy(secret, d.Program) {
		t.Errorf("%+v", secret.ObjectMeta)
	}
}

func mustObjects(t testing.TB, d Dedicated) []Object {
	t.Helper()
	objects, err := d.Objects()
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func templateOf(t testing.TB, d Dedicated) corev1.PodTemplateSpec {
	t.Helper()
	for _, object := range mustObjects(t, d) {
		switch object := object.(type) {
		case *appsv1.Deployment:
			return object.Spec.Template
		case *appsv1.StatefulSet:
			return object.Spec.Template
		}
	}
	t.Fatal("no pods")
	return corev1.PodTemplateSpec{}
}
