package monitoring

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers"
	"github.com/cx-operator/cx-operator/test/monitoring/harness"
	"github.com/cx-operator/cx-operator/test/testenv"
)

const (
	operatorNamespace = "cx-operator-system"
	airportNamespace  = "sfo"
	airportProgram    = "passenger-experience"
	shopNamespace     = "shop"
)

// cluster is an API server with the operator's rights in place. No controller of Kubernetes runs: what a kubelet and the
// controllers of Services would do for the test, it does itself.
type cluster struct {
	*testing.T
	c       client.Client
	config  *rest.Config
	set     *kubernetes.Clientset
	address string // of this machine, for the backends of Services
	dir     string
	// Ports of the manager.
	survey, metrics, probes int
	manager                 *harness.Process
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	config := testenv.New(t)
	c, err := client.New(config, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	k := &cluster{
		T: t, c: c, config: config, set: kubernetes.NewForConfigOrDie(config), address: harness.Address(t), dir: t.TempDir(),
		survey: harness.Port(t), metrics: harness.Port(t), probes: harness.Port(t),
	}
	k.applyFiles("config/manager/manager.yaml", "config/rbac/*.yaml")
	k.backend(operatorNamespace, "cx-operator", "metrics", k.metrics)
	return k
}

// applyFiles applies the documents of files, but workloads, which no node would run.
func (k *cluster) applyFiles(patterns ...string) {
	k.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(testenv.Root(), pattern))
		if err != nil || len(files) == 0 {
			k.Fatal(pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				k.Fatal(err)
			}
			k.applyText(string(text))
		}
	}
}

func (k *cluster) applyText(text string) {
	k.Helper()
	for _, document := range strings.Split("\n"+text, "\n---") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			k.Fatal(err)
		}
		if kind := o.GetKind(); kind == "" || kind == "StatefulSet" || kind == "Kustomization" {
			continue
		}
		if err := k.c.Apply(k.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("people"), client.ForceOwnership); err != nil {
			k.Fatalf("apply %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

// backend leads a port of a Service to a port of this machine.
func (k *cluster) backend(namespace, service, portName string, port int) {
	k.Helper()
	k.applyText(fmt.Sprintf(`apiVersion: v1
kind: Endpoints
metadata: {name: %s, namespace: %s}
subsets:
- addresses: [{ip: %s}]
  ports: [{name: %s, port: %d}]
`, service, namespace, k.address, portName, port))
}

// account returns the token of a new ServiceAccount with some rights in the whole cluster.
func (k *cluster) account(name string, rules ...rbacv1.PolicyRule) string {
	k.Helper()
	where := metav1.ObjectMeta{Namespace: operatorNamespace, Name: name}
	for _, o := range []client.Object{
		&corev1.ServiceAccount{ObjectMeta: where},
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: operatorNamespace, Name: name}},
		},
	} {
		if err := k.c.Create(k.Context(), o); err != nil {
			k.Fatal(err)
		}
	}
	return k.tokenOf(name)
}

func (k *cluster) tokenOf(account string) string {
	k.Helper()
	made, err := k.set.CoreV1().ServiceAccounts(operatorNamespace).CreateToken(k.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		k.Fatal(err)
	}
	return made.Status.Token
}

// kubeconfig writes a kubeconfig with a token.
func (k *cluster) kubeconfig(name, token string) string {
	k.Helper()
	config := api.NewConfig()
	config.Clusters["c"] = &api.Cluster{Server: k.config.Host, CertificateAuthorityData: k.config.CAData}
	config.AuthInfos["u"] = &api.AuthInfo{Token: token}
	config.Contexts["x"] = &api.Context{Cluster: "c", AuthInfo: "u"}
	config.CurrentContext = "x"
	path := filepath.Join(k.dir, name)
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		k.Fatal(err)
	}
	return path
}

// operate starts the operator with its clock ahead, with the rights and the namespace that the manifests give it. One that
// runs is ended before.
func (k *cluster) operate(ahead time.Duration) {
	k.Helper()
	k.rest()
	local := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	env := []string{asCommand + "=1", "CX_OPERATOR_CLOCK_OFFSET=" + ahead.String()}
	k.manager = harness.Start(k.T, k.dir, "manager", os.Args[0], env, "manager",
		"--kubeconfig", k.kubeconfig("operator", k.tokenOf("cx-operator")), "--leader-elect=false", "--operator-namespace", operatorNamespace,
		"--embedded-endpoint", "--data-dir", k.dir, "--intake-bind-address", local(k.survey), "--public-url", k.url(),
		"--intake-rate-per-minute", "-1", "--endpoint-image", "cx-operator:test", "--stale-after", "15s",
		"--metrics-bind-address", fmt.Sprintf("%s:%d", k.address, k.metrics), "--health-probe-bind-address", local(k.probes))
	harness.Eventually(k.T, patience, "the operator is ready", func() error {
		response, err := http.Get("http://" + local(k.probes) + "/readyz")
		if err != nil {
			return err
		}
		return response.Body.Close()
	})
}

// rest ends the operator.
func (k *cluster) rest() {
	k.Helper()
	if k.manager == nil {
		return
	}
	if err := k.manager.Stop(); err != nil {
		k.Fatal(err)
	}
	k.manager = nil
}

func (k *cluster) url() string { return fmt.Sprintf("http://127.0.0.1:%d", k.survey) }

// awaitReady waits until programs and touchpoints of a namespace are served.
func (k *cluster) awaitReady(namespace string) {
	k.Helper()
	harness.Eventually(k.T, patience, "everything in "+namespace+" is ready", func() error {
		var programs v1alpha1.SurveyProgramList
		var touchpoints v1alpha1.TouchpointList
		for _, list := range []client.ObjectList{&programs, &touchpoints} {
			if err := k.c.List(k.Context(), list, client.InNamespace(namespace)); err != nil {
				return err
			}
		}
		for _, p := range programs.Items {
			if p.Spec.Endpoint.Mode == v1alpha1.EndpointEmbedded && !ready(p.Generation, p.Status.ObservedGeneration, p.Status.Conditions) {
				return fmt.Errorf("program %s: %+v", p.Name, p.Status.Conditions)
			}
		}
		for _, tp := range touchpoints.Items {
			if !ready(tp.Generation, tp.Status.ObservedGeneration, tp.Status.Conditions) {
				return fmt.Errorf("touchpoint %s: %+v", tp.Name, tp.Status.Conditions)
			}
		}
		return nil
	})
}

func ready(generation, observed int64, conditions []metav1.Condition) bool {
	return generation == observed && meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady)
}

// secret returns a value of a Secret, which may be about to be made.
func (k *cluster) secret(namespace, name, key string) string {
	k.Helper()
	var value string
	harness.Eventually(k.T, patience, "secret "+name, func() error {
		var s corev1.Secret
		if err := k.c.Get(k.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &s); err != nil {
			return err
		}
		if value = string(s.Data[key]); value == "" {
			return fmt.Errorf("no key %s", key)
		}
		return nil
	})
	return value
}

// patch changes an object as kubectl patch --type merge does.
func (k *cluster) patch(o client.Object, namespace, name, patch string) {
	k.Helper()
	o.SetNamespace(namespace)
	o.SetName(name)
	if err := k.c.Patch(k.Context(), o, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		k.Fatal(err)
	}
}
