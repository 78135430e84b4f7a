package controllers_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/internal/cli"
	"github.com/cx-operator/cx-operator/internal/pki"
	"github.com/cx-operator/cx-operator/internal/store"
)

// node does what a cluster's controllers and kubelets do for Dedicated endpoints, on the loopback address: it runs one process
// for each Deployment and StatefulSet of a world, with the arguments and files that the pod has, and writes their status. Its
// volumes outlive the processes.
type node struct {
	w         *world
	authority pki.Pair
	dir       string

	mu   sync.Mutex
	pods map[string]*pod
	// ports are the operations and survey ports of each workload, kept over its restarts.
	ports map[string][2]string
	// held are the workloads whose pods do not become ready, paused those that have none.
	held, paused map[string]bool
}

// pod is a process of an endpoint.
type pod struct {
	generation int64
	stop       context.CancelFunc
	ended      chan struct{}
}

// startNode runs a node beside the world's operator, until the test ends.
func startNode(w *world) *node {
	w.t.Helper()
	authority, err := pki.NewAuthority(rand.Reader, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	n := &node{w: w, authority: authority, dir: w.t.TempDir(), pods: map[string]*pod{}, ports: map[string][2]string{}, held: map[string]bool{}, paused: map[string]bool{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(30 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := n.sync(ctx); err != nil && ctx.Err() == nil {
				w.t.Logf("node: %v", err)
			}
		}
	}()
	w.t.Cleanup(func() {
		cancel()
		<-done
		n.stopAll()
	})
	return n
}

func (n *node) stopAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name := range n.pods {
		n.end(name)
	}
}

// end ends a pod and waits for it. The caller holds the lock.
func (n *node) end(name string) {
	if p, ok := n.pods[name]; ok {
		p.stop()
		<-p.ended
		delete(n.pods, name)
	}
}

// hold keeps the pods of a workload from becoming ready, or no longer does.
func (n *node) hold(name string, hold bool) { n.set(n.held, name, hold) }

// pause takes the pods of a workload away, or brings them back.
func (n *node) pause(name string, pause bool) { n.set(n.paused, name, pause) }

func (n *node) set(of map[string]bool, name string, value bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	of[name] = value
}

// address is where the operator finds the operations port of a program's endpoint.
func (n *node) address(program store.Key) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return "https://" + n.portsOf(program.Name + "-endpoint")[0]
}

// survey is where people find its pages.
func (n *node) survey(program string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return "http://" + n.portsOf(program + "-endpoint")[1]
}

// portsOf returns host:port of both ports. The caller holds the lock.
func (n *node) portsOf(name string) [2]string {
	if _, ok := n.ports[name]; !ok {
		var ports [2]string
		for i := range ports {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				n.w.t.Error(err)
				continue
			}
			_, port, _ := net.SplitHostPort(listener.Addr().String())
			ports[i] = "localhost:" + port
			_ = listener.Close()
		}
		n.ports[name] = ports
	}
	return n.ports[name]
}

// workload is a Deployment or a StatefulSet.
type workload struct {
	object   client.Object
	replicas int32
	template corev1.PodTemplateSpec
	report   func(ready int32)
	reported bool
}

func (n *node) workloads(ctx context.Context) ([]workload, error) {
	deployments, sets := &appsv1.DeploymentList{}, &appsv1.StatefulSetList{}
	if err := errors.Join(n.w.c.List(ctx, deployments, client.InNamespace(n.w.ns)), n.w.c.List(ctx, sets, client.InNamespace(n.w.ns))); err != nil {
		return nil, err
	}
	var all []workload
	for i := range deployments.Items {
		d := &deployments.Items[i]
		r := *d.Spec.Replicas
		all = append(all, workload{d, r, d.Spec.Template, func(ready int32) {
			d.Status.ObservedGeneration, d.Status.Replicas, d.Status.UpdatedReplicas = d.Generation, r, r
			d.Status.ReadyReplicas, d.Status.AvailableReplicas, d.Status.UnavailableReplicas = ready, ready, r-ready
		}, false})
	}
	for i := range sets.Items {
		d := &sets.Items[i]
		r := *d.Spec.Replicas
		all = append(all, workload{d, r, d.Spec.Template, func(ready int32) {
			d.Status.ObservedGeneration, d.Status.Replicas, d.Status.UpdatedReplicas = d.Generation, r, r
			d.Status.ReadyReplicas, d.Status.AvailableReplicas = ready, ready
		}, false})
	}
	return all, nil
}

// sync brings the processes and the status to what the workloads say.
func (n *node) sync(ctx context.Context) error {
	all, err := n.workloads(ctx)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	there := map[string]bool{}
	for _, w := range all {
		name := w.object.GetName()
		if w.object.GetDeletionTimestamp() != nil || n.orphan(ctx, w.object) {
			continue
		}
		there[name] = true
		if err := n.run(ctx, w); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for name := range n.pods {
		if !there[name] {
			n.end(name)
		}
	}
	return nil
}

// orphan deletes what the garbage collector would.
func (n *node) orphan(ctx context.Context, o client.Object) bool {
	owner := metav1.GetControllerOf(o)
	if owner == nil {
		return false
	}
	p := newProgram()
	err := n.w.c.Get(ctx, n.w.key(owner.Name), p)
	if client.IgnoreNotFound(err) != nil || err == nil && p.UID == owner.UID {
		return false
	}
	_ = n.w.c.Delete(ctx, o)
	return true
}

// run brings one workload's process and status up to date. The caller holds the lock.
func (n *node) run(ctx context.Context, w workload) error {
	name := w.object.GetName()
	away := n.paused[name] || w.replicas == 0
	if p, ok := n.pods[name]; away || ok && p.generation != w.object.GetGeneration() {
		n.end(name)
	}
	mounted, err := n.mount(ctx, name, w.template.Spec)
	if err != nil {
		return err
	}
	if _, ok := n.pods[name]; !ok && mounted && !away {
		n.begin(w)
	}
	ready := int32(0)
	if n.pods[name] != nil && !n.held[name] && n.isReady(ctx, name) {
		ready = w.replicas
	}
	before := w.object.DeepCopyObject().(client.Object)
	w.report(ready)
	patch := client.MergeFrom(before)
	if data, err := patch.Data(w.object); err != nil || string(data) == "{}" {
		return err
	}
	return client.IgnoreNotFound(n.w.c.Status().Patch(ctx, w.object, patch))
}

// probes ask without looking at certificates, as a kubelet does.
var probes = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}, Timeout: 5 * time.Second}

func (n *node) isReady(ctx context.Context, name string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+n.portsOf(name)[0]+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := probes.Do(r)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

// begin starts the process of a workload. The caller holds the lock.
func (n *node) begin(w workload) {
	name := w.object.GetName()
	ports := n.portsOf(name)
	var args []string
	for _, arg := range w.template.Spec.Containers[0].Args {
		flag, value, _ := strings.Cut(arg, "=")
		switch {
		case flag == "--intake-bind-address":
			arg = flag + "=" + ports[1]
		case flag == "--operations-bind-address":
			arg = flag + "=" + ports[0]
		case flag == "--drain":
			arg = flag + "=0s"
		case strings.HasPrefix(value, "/"):
			arg = flag + "=" + n.path(name, w.template.Spec, value)
		}
		args = append(args, arg)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &pod{generation: w.object.GetGeneration(), stop: stop, ended: make(chan struct{})}
	n.pods[name] = p
	go func() {
		defer close(p.ended)
		out := &testWriter{n.w.t}
		if code := cli.Main(ctx, args, strings.NewReader(""), out, out); code != 0 {
			n.w.t.Logf("the endpoint %s ended with %d", name, code)
		}
	}()
}

// testWriter writes to the log of a test.
type testWriter struct{ t *testing.T }

func (w *testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// path is where a path of the container is on this machine.
func (n *node) path(name string, spec corev1.PodSpec, path string) string {
	for _, mount := range spec.Containers[0].VolumeMounts {
		if rest, ok := strings.CutPrefix(path, mount.MountPath); ok {
			return filepath.Join(n.volume(name, spec, mount.Name), rest)
		}
	}
	return path
}

// volume is the folder of a volume; that of a claim is shared by all who name it.
func (n *node) volume(name string, spec corev1.PodSpec, volume string) string {
	for _, v := range spec.Volumes {
		if v.Name == volume && v.PersistentVolumeClaim != nil {
			return filepath.Join(n.dir, "claims", v.PersistentVolumeClaim.ClaimName)
		}
	}
	return filepath.Join(n.dir, "pods", name, volume)
}

// mount writes the files of a pod's volumes, and says whether all that it needs is there.
func (n *node) mount(ctx context.Context, name string, spec corev1.PodSpec) (bool, error) {
	for _, v := range spec.Volumes {
		folder := n.volume(name, spec, v.Name)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return false, err
		}
		files, err := n.files(ctx, v)
		if client.IgnoreNotFound(err) != nil {
			return false, err
		}
		if err != nil && !(v.Secret != nil && v.Secret.Optional != nil && *v.Secret.Optional) {
			return false, nil
		}
		if v.Name == "tls" {
			if files, err = n.forLoopback(files); err != nil {
				return false, err
			}
		}
		for file, data := range files {
			path := filepath.Join(folder, file)
			if last, err := os.ReadFile(path); err == nil && (string(last) == string(data) || v.Name == "tls") {
				continue
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// files returns the files of a volume.
func (n *node) files(ctx context.Context, v corev1.Volume) (map[string][]byte, error) {
	files := map[string][]byte{}
	switch {
	case v.ConfigMap != nil:
		c := &corev1.ConfigMap{}
		if err := n.w.c.Get(ctx, n.w.key(v.ConfigMap.Name), c); err != nil {
			return nil, err
		}
		for key, text := range c.Data {
			files[key] = []byte(text)
		}
	case v.Secret != nil:
		s := &corev1.Secret{}
		if err := n.w.c.Get(ctx, n.w.key(v.Secret.SecretName), s); err != nil {
			return nil, err
		}
		if len(v.Secret.Items) == 0 {
			return s.Data, nil
		}
		for _, item := range v.Secret.Items {
			files[item.Path] = s.Data[item.Key]
		}
	case v.PersistentVolumeClaim != nil:
		return nil, n.w.c.Get(ctx, n.w.key(v.PersistentVolumeClaim.ClaimName), &corev1.PersistentVolumeClaim{})
	}
	return files, nil
}

// forLoopback is a certificate of the same authority for the name under which this machine is reached.
func (n *node) forLoopback(files map[string][]byte) (map[string][]byte, error) {
	given := pki.Pair{Certificate: files["tls.crt"], Key: files["tls.key"]}
	if !given.Fits(n.authority, []string{"endpoint.cx-operator.internal"}, n.w.clock.Now()) {
		return nil, fmt.Errorf("the certificate is not the authority's, or too old")
	}
	own, err := n.authority.Issue(rand.Reader, time.Now(), []string{"localhost"})
	return map[string][]byte{"tls.crt": own.Certificate, "tls.key": own.Key}, err
}
