// Package chart tests the Helm chart: what it renders and refuses, and what schemas and a real API server say of it.
package chart

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/hack/pinned"
	"github.com/cx-operator/cx-operator/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Start(m)) }

const (
	release = "cx-operator"
	system  = "cx-operator-system"
)

// optionalAPIs are those that the chart's options need.
var optionalAPIs = []string{
	"monitoring.coreos.com/v1/ServiceMonitor", "monitoring.coreos.com/v1/PrometheusRule",
	"grafana.integreatly.org/v1beta1/GrafanaDashboard",
}

func chartDir() string { return filepath.Join(testenv.Root(), "charts", "cx-operator") }

// tool runs a pinned program and returns its standard output, and its error output within the error.
func tool(t *testing.T, stdin []byte, name string, args ...string) ([]byte, error) {
	t.Helper()
	dir, err := pinned.HelmDir(testenv.Root())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, name), args...)
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	cmd.Stdin = bytes.NewReader(stdin)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return out.Bytes(), errors.New(err.Error() + "\n" + said.String() + out.String())
	}
	return out.Bytes(), nil
}

// template runs "helm template" with values, which are YAML.
func template(t *testing.T, values string, more ...string) ([]byte, error) {
	t.Helper()
	args := append([]string{"template", release, chartDir(), "--namespace", system, "--values", "-"}, more...)
	return tool(t, []byte(values), "helm", args...)
}

// render is template with all optional APIs, parsed.
func render(t *testing.T, values string) objects {
	t.Helper()
	var more []string
	for _, api := range optionalAPIs {
		more = append(more, "--api-versions", api)
	}
	out, err := template(t, values, more...)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, out)
}

type objects []*unstructured.Unstructured

func parse(t *testing.T, text []byte) objects {
	t.Helper()
	var all objects
	documents := utilyaml.NewYAMLReader(newReader(text))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		content := map[string]any{}
		if err := yaml.UnmarshalStrict(document, &content); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if len(content) > 0 { // a document may hold comments alone
			all = append(all, &unstructured.Unstructured{Object: content})
		}
	}
}

// find returns the object "Kind/name" or "Kind/namespace/name", nil for none.
func (o objects) find(t *testing.T, id string) *unstructured.Unstructured {
	t.Helper()
	var found *unstructured.Unstructured
	for _, object := range o {
		short := object.GetKind() + "/" + object.GetName()
		long := object.GetKind() + "/" + object.GetNamespace() + "/" + object.GetName()
		if id != short && id != long {
			continue
		}
		if found != nil {
			t.Fatalf("there are two %s", id)
		}
		found = object
	}
	return found
}

// need is find for an object that must be there.
func (o objects) need(t *testing.T, id string) *unstructured.Unstructured {
	t.Helper()
	found := o.find(t, id)
	if found == nil {
		t.Fatalf("no %s among %s", id, strings.Join(o.ids(), ", "))
	}
	return found
}

func (o objects) ids() []string {
	var ids []string
	for _, object := range o {
		ids = append(ids, object.GetKind()+"/"+object.GetNamespace()+"/"+object.GetName())
	}
	return ids
}
