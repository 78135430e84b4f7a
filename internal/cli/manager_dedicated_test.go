package cli_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// beside returns another replica of the same installation, which is not started yet.
func (in *installation) beside() *installation {
	in.t.Helper()
	other := *in
	other.process, other.log, other.dir = nil, &lockedBuffer{}, in.t.TempDir()
	other.survey, other.metrics, other.probes = "http://"+freeAddress(in.t), "https://"+freeAddress(in.t)+"/metrics", freeAddress(in.t)
	in.t.Cleanup(other.kill)
	return &other
}

// The manager with the rights that the project deploys makes Dedicated endpoints and takes them away, a standby is ready, both
// have certificates of the same authority, and programs of namespaces that are not watched are left alone.
func TestManagerDedicated(t *testing.T) {
	in := install(t)
	in.more = []string{"--operator-namespace", systemNames, "--endpoint-image", "registry.test/cx-operator:test", "--watch-namespaces", in.ns}
	in.start()
	standby := in.beside()
	standby.start()

	elsewhere := *in
	elsewhere.ns = install(t).ns
	dedicated := strings.Replace(visits, "  timeZone:", "  endpoint: {mode: Dedicated, exposure: {hostname: survey.test, ingress: {}}}\n  timeZone:", 1)
	elsewhere.applyYAML(dedicated)
	in.applyYAML(dedicated)
	set := &appsv1.StatefulSet{}
	in.eventually("the endpoint is made", func() error { return in.c.Get(context.Background(), in.key("visits-endpoint"), set) })
	if image := set.Spec.Template.Spec.Containers[0].Image; image != "registry.test/cx-operator:test" {
		t.Errorf("image %q", image)
	}
	program := &v1alpha1.SurveyProgram{}
	in.eventually("the program waits for its pods", func() error {
		if err := in.c.Get(context.Background(), in.key("visits"), program); err != nil {
			return err
		}
		ready := meta.FindStatusCondition(program.Status.Conditions, v1alpha1.ConditionEndpointReady)
		if ready == nil || ready.Reason != v1alpha1.ReasonEndpointStarting || !meta.IsStatusConditionTrue(program.Status.Conditions, v1alpha1.ConditionExposed) {
			return fmt.Errorf("conditions %+v", program.Status.Conditions)
		}
		return nil
	})
	in.eventually("the spec is changed", func() error {
		if err := in.c.Get(context.Background(), in.key("visits"), program); err != nil {
			return err
		}
		program.Spec.Endpoint = v1alpha1.Endpoint{Mode: v1alpha1.EndpointDedicated}
		return in.c.Update(context.Background(), program)
	})
	in.eventually("the page is no longer exposed", func() error {
		if err := in.c.Get(context.Background(), in.key("visits"), program); err != nil {
			return err
		}
		if meta.FindStatusCondition(program.Status.Conditions, v1alpha1.ConditionExposed) != nil {
			return fmt.Errorf("conditions %+v", program.Status.Conditions)
		}
		return nil
	})
	if err := elsewhere.c.Get(t.Context(), elsewhere.key("visits"), program); err != nil || program.Status.ObservedGeneration != -1 {
		t.Errorf("a program of another namespace was seen: %+v, %v", program.Status, err)
	}

	published := &corev1.ConfigMap{}
	if err := in.c.Get(t.Context(), client.ObjectKey{Namespace: systemNames, Name: "cx-operator-endpoints-ca"}, published); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(published.Data["ca.crt"])) {
		t.Fatal("no authority is published")
	}
	prometheus := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "manager.cx-operator.internal"}}}
	for _, address := range []string{in.metrics, standby.metrics} {
		response, err := prometheus.Get(address)
		if err != nil {
			t.Error(err)
			continue
		}
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s answers %d to who says nothing", address, response.StatusCode)
		}
		_ = response.Body.Close()
	}
	for _, one := range []*installation{in, standby} {
		if err := one.terminate(); err != nil {
			t.Errorf("a replica ended with %v", err)
		}
		for line := range strings.Lines(one.log.String()) {
			if lower := strings.ToLower(line); strings.Contains(lower, "forbidden") || strings.Contains(lower, "panic") {
				t.Errorf("the log says %s", line)
			}
		}
	}
}
