package render

import (
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

func TestEndpointName(t *testing.T) {
	for program, want := range map[string]string{
		"flights":                     "flights-endpoint",
		"a":                           "a-endpoint",
		strings.Repeat("x", 43):       strings.Repeat("x", 43) + "-endpoint",
		strings.Repeat("x", 44):       strings.Repeat("x", 34) + "-a808b4f9-endpoint",
		"2026":                        "p-2026-ab36f2a8-endpoint",
		"9" + strings.Repeat("y", 51): "p-9" + strings.Repeat("y", 31) + "-0d8f2d3f-endpoint",
	} {
		got := EndpointName(program)
		if hashed := regexp.MustCompile(`-[0-9a-f]{8}-endpoint$`); hashed.MatchString(want) {
			want, got = hashed.ReplaceAllString(want, "-HASH-endpoint"), hashed.ReplaceAllString(got, "-HASH-endpoint")
		}
		if got != want {
			t.Errorf("%s: %s, want %s", program, got, want)
		}
	}
	if EndpointName(strings.Repeat("x", 50)+"-a") == EndpointName(strings.Repeat("x", 50)+"-b") {
		t.Error("two programs have one name")
	}
}

func TestPublicURL(t *testing.T) {
	d := dedicated(t, "flights", onPostgres())
	for want, exposure := range map[string]*v1alpha1.Exposure{
		"http://flights-endpoint.sfo.svc": nil,
		"https://survey.example.org":      {Hostname: "survey.example.org"},
		"http://survey.example.org":       {Hostname: "survey.example.org", Scheme: v1alpha1.SchemeHTTP},
	} {
		d.Program.Spec.Endpoint.Exposure = exposure
		if got := PublicURL(d.Program); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestCertificateHosts(t *testing.T) {
	got := strings.Join(CertificateHosts(store.Key{Namespace: "sfo", Name: "flights"}), " ")
	if want := "flights-endpoint.sfo.svc flights-endpoint.sfo flights-endpoint endpoint.cx-operator.internal"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

var admitted = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// FuzzNames holds the names of objects to what Kubernetes takes, whatever a program is called.
func FuzzNames(f *testing.F) {
	f.Add("flights", "responses", int32(1), true)
	f.Add(strings.Repeat("a", 52), strings.Repeat("b", 52), int32(3), false)
	f.Add("2026-"+strings.Repeat("-", 40)+"z", "1", int32(0), true)
	f.Add("", "", int32(-1), false)
	f.Fuzz(func(t *testing.T, program, storeName string, replicas int32, sqlite bool) {
		d := dedicated(t, "flights", onPostgres())
		if sqlite {
			d.Store.Spec, replicas = onSQLite(), 1
		}
		d.Program.Name, d.Store.Name, d.Program.Spec.Endpoint.Replicas = program, storeName, ptr.To(replicas)
		objects, err := d.Objects()
		if err != nil {
			t.Fatal(err)
		}
		if !admitted.MatchString(program) || len(program) > 52 || !admitted.MatchString(storeName) || len(storeName) > 52 {
			return // refused by admission; there was no panic
		}
		for _, object := range objects {
			kind, name := object.GetObjectKind().GroupVersionKind().Kind, object.GetName()
			problems := validation.IsDNS1035Label(name)
			switch kind {
			case "PersistentVolumeClaim":
				problems = validation.IsDNS1123Subdomain(name)
			case "StatefulSet":
				// The label controller-revision-hash of its pods is the name and a hash of up to 10 characters.
				problems = append(problems, validation.IsValidLabelValue(name+"-1234567890")...)
			}
			for key, value := range object.GetLabels() {
				problems = append(problems, validation.IsQualifiedName(key)...)
				problems = append(problems, validation.IsValidLabelValue(value)...)
			}
			if len(problems) > 0 {
				t.Errorf("%s %s: %v", kind, name, problems)
			}
		}
		for _, name := range []string{TokensName(program), KeysName(storeName), CertificateName(program)} {
			if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
				t.Errorf("%s: %v", name, problems)
			}
		}
		if schema := Schema(store.Key{Namespace: "sfo", Name: storeName}); len(schema) > 63 {
			t.Errorf("schema %s", schema)
		}
	})
}
