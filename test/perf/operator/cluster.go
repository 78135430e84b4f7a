package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/cx-operator/cx-operator/controllers"
	"github.com/cx-operator/cx-operator/hack/pinned"
)

const (
	// operatorUser is whom the manager acts as: its ServiceAccount, so that the API server weighs its requests as in a cluster.
	operatorUser = "system:serviceaccount:" + operatorNamespace + ":cx-operator"
	// operatorNamespace is where an installation has the operator.
	operatorNamespace = "cx-operator-system"
	// peopleUser creates what the operator reconciles. It has all rights, and no precedence over others' requests.
	peopleUser = "people"
	// startTimeout is how long etcd and kube-apiserver may each take on a machine that is busy.
	startTimeout = 2 * time.Minute
)

// auditPolicy has what the operator asked, without bodies, and nothing of others.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, users: ["` + operatorUser + `"]}
- {level: None}
`

// cluster is an API server that nobody used before, with this project's kinds and the operator's rights. All that it keeps is
// on disk: etcd waits for it, as in production.
type cluster struct {
	env *envtest.Environment
	dir string
	// admin has all rights, and precedence. The measured requests are not its.
	admin *rest.Config
	// people and operator are the two whose requests are measured.
	people, operator *rest.Config
	kubeconfig       string // of the operator
	audit            *auditLog
}

// startCluster starts etcd and kube-apiserver with their defaults but for three: the audit log of the operator's requests, an
// etcd that is durable (envtest switches that off), and no ServiceAccount admission, since no controller makes ServiceAccounts.
func startCluster(ctx context.Context, root, dir string) (*cluster, error) {
	assets, err := pinned.Assets(root)
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, audit: &auditLog{path: filepath.Join(dir, "audit.log")}}
	for _, folder := range []string{dir, filepath.Join(dir, "etcd")} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
	}
	policy := filepath.Join(dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return nil, err
	}
	c.env = &envtest.Environment{
		BinaryAssetsDirectory: assets, CRDDirectoryPaths: []string{filepath.Join(root, "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true, ControlPlaneStartTimeout: startTimeout, ControlPlaneStopTimeout: startTimeout,
	}
	etcd := &envtest.Etcd{Path: filepath.Join(assets, "etcd"), DataDir: filepath.Join(dir, "etcd")}
	etcd.Configure().Set("unsafe-no-fsync", "false")
	c.env.ControlPlane.Etcd = etcd
	server := c.env.ControlPlane.GetAPIServer()
	server.Path = filepath.Join(assets, "kube-apiserver")
	const oneFile = "1000000" // MB: one file, whatever its size
	server.Configure().Set("audit-policy-file", policy).Set("audit-log-path", c.audit.path).Set("audit-log-maxsize", oneFile)
	if c.admin, err = c.env.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the control plane: %w", err), c.env.Stop())
	}
	if err := c.prepare(ctx, root); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// prepare makes the two users and gives them their rights.
func (c *cluster) prepare(ctx context.Context, root string) error {
	people, err := c.env.AddUser(envtest.User{Name: peopleUser, Groups: []string{peopleUser}}, &rest.Config{QPS: -1})
	if err != nil {
		return fmt.Errorf("making the user %s: %w", peopleUser, err)
	}
	operator, err := c.env.AddUser(envtest.User{
		Name: operatorUser, Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + operatorNamespace},
	}, &rest.Config{QPS: -1})
	if err != nil {
		return fmt.Errorf("making the operator's user: %w", err)
	}
	c.people, c.operator, c.kubeconfig = people.Config(), operator.Config(), filepath.Join(c.dir, "kubeconfig")
	text, err := operator.KubeConfig()
	if err != nil {
		return fmt.Errorf("making the operator's kubeconfig: %w", err)
	}
	if err := os.WriteFile(c.kubeconfig, text, 0o600); err != nil {
		return err
	}
	admin, err := client.New(c.admin, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		return err
	}
	if err := createAll(ctx, admin, []byte(rights)); err != nil {
		return err
	}
	for _, file := range []string{"role.yaml", "role_binding.yaml", "own_role.yaml"} {
		text, err := os.ReadFile(filepath.Join(root, "config", "rbac", file))
		if err != nil {
			return err
		}
		if err := createAll(ctx, admin, text); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

const rights = `apiVersion: v1
kind: Namespace
metadata: {name: ` + operatorNamespace + `}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ` + peopleUser + `}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: ` + peopleUser + `}]
`

// createAll creates the objects of a YAML text.
func createAll(ctx context.Context, c client.Client, text []byte) error {
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		o := &unstructured.Unstructured{}
		err := documents.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(o.Object) == 0 {
			continue
		}
		if err := c.Create(ctx, o); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create %s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
}

// stop ends the processes and removes what they kept.
func (c *cluster) stop() error {
	return errors.Join(c.env.Stop(), os.RemoveAll(filepath.Join(c.dir, "etcd")))
}
