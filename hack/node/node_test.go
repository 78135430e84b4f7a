//go:build linux

package node

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
)

// In version 1 every controller has a tree of its own; in version 2 there is one for all.
func TestControlGroups(t *testing.T) {
	for _, version := range []string{"1", "2"} {
		t.Run("version "+version, func(t *testing.T) {
			mount, trees := t.TempDir(), []string{"."}
			if version == "1" {
				trees = []string{"cpu", "memory"}
				put(t, filepath.Join(mount, "notes", "README"), "no control group")
			} else {
				put(t, filepath.Join(mount, "cgroup.controllers"), "memory")
			}
			for _, tree := range trees {
				put(t, filepath.Join(mount, tree, "cgroup.procs"), "")
			}
			if err := makeCgroups(mount); err != nil {
				t.Fatal(err)
			}
			for _, tree := range trees {
				// What kubelet makes there. (In a real tree the files vanish with their folder.)
				if err := os.MkdirAll(filepath.Join(mount, tree, cgroupRoot, "kubepods", "burstable", "pod1"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := os.Stat(filepath.Join(mount, "notes", cgroupRoot)); err == nil {
				t.Error("a control group was made where there are none")
			}
			for range 2 { // the second time there is nothing to remove
				if err := removeCgroups(mount); err != nil {
					t.Fatal(err)
				}
			}
			for _, tree := range trees {
				if _, err := os.Stat(filepath.Join(mount, tree, cgroupRoot)); err == nil {
					t.Errorf("%s keeps its control group", tree)
				}
			}
			if version == "2" {
				if enabled, _ := os.ReadFile(filepath.Join(mount, "cgroup.subtree_control")); string(enabled) != "+memory" {
					t.Errorf("enabled %q below, want +memory", enabled)
				}
			}
		})
	}
	if err := makeCgroups(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no control groups are mounted") {
		t.Errorf("error = %v, want that there are none", err)
	}
}

// A control group that still has processes cannot be removed: the next try must come.
func TestABusyControlGroupIsAnError(t *testing.T) {
	root := filepath.Join(t.TempDir(), cgroupRoot)
	put(t, filepath.Join(root, "child", "busy"), "")
	if err := removeCgroup(root); err == nil {
		t.Error("no error although it is still there")
	}
}

// checkClient sees that a client certificate is its authority's, and returns whose it is.
func checkClient(t *testing.T, authorityFile, clientFile string, now time.Time) pkix.Name {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(clientFile, clientFile)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(authorityFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	options := x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, CurrentTime: now}
	if _, err := pair.Leaf.Verify(options); err != nil {
		t.Errorf("nobody who trusts %s would know the API server: %v", filepath.Base(authorityFile), err)
	}
	return pair.Leaf.Subject
}

func TestKeys(t *testing.T) {
	folder, now := filepath.Join(t.TempDir(), "keys"), time.Now()
	k, err := makeKeys(folder, now)
	if err != nil {
		t.Fatal(err)
	}
	atKubelet := checkClient(t, k.kubeletClientCA, k.kubeletClient, now)
	if got := atKubelet.Organization; len(got) != 1 || got[0] != "system:masters" {
		t.Errorf("the API server's groups at kubelet are %v", got)
	}
	// An aggregated API believes this name whatever it says of users: it must have no rights of its own.
	if got := checkClient(t, k.frontProxyCA, k.frontProxy, now); got.CommonName != frontProxyName || len(got.Organization) != 0 {
		t.Errorf("aggregated APIs know the API server as %v", got)
	}

	tokens, err := os.ReadFile(k.tokenFile)
	if err != nil {
		t.Fatal(err)
	}
	if want := k.tokens["admin"] + `,admin,admin,"system:masters"`; !strings.Contains(string(tokens), want) {
		t.Error("the token file has no line for admin as kube-apiserver reads it")
	}
	seen := map[string]bool{}
	for user, token := range k.tokens {
		if seen[token] || len(token) < 20 {
			t.Errorf("the token of %s is short or another's", user)
		}
		seen[token] = true
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others", entry.Name())
		}
	}

	file := filepath.Join(folder, "config")
	authority, err := os.ReadFile(k.kubeletClientCA)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.kubeconfig(file, "system:kube-proxy", "https://10.0.0.1:6443", authority); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil || config.BearerToken != k.tokens["system:kube-proxy"] || config.Host != "https://10.0.0.1:6443" {
		t.Errorf("kubeconfig: %+v, %v", config, err)
	}
}

func TestPauseImage(t *testing.T) {
	program, out := filepath.Join(t.TempDir(), "pause"), filepath.Join(t.TempDir(), "pause.tar")
	put(t, program, "machine code")
	if err := writePauseImage(out, program); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	files := unpackAll(t, content)
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal([]byte(files["manifest.json"]), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest[0].RepoTags[0] != pauseImage || !strings.Contains(containerdConfig("/d", "/p"), pauseImage) {
		t.Errorf("the image is called %v, and containerd is told otherwise", manifest[0].RepoTags)
	}
	if layer := unpackAll(t, []byte(files[manifest[0].Layers[0]])); layer["pause"] != "machine code" {
		t.Errorf("the layer holds %v", layer)
	}
	if !strings.Contains(files[manifest[0].Config], `"Entrypoint":["/pause"]`) {
		t.Errorf("configuration %s", files[manifest[0].Config])
	}
}

func TestIsReady(t *testing.T) {
	ready := func(status corev1.ConditionStatus, taints ...corev1.Taint) *corev1.Node {
		n := &corev1.Node{}
		n.Spec.Taints = taints
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeDiskPressure}, {Type: corev1.NodeReady, Status: status}}
		return n
	}
	tests := []struct {
		name string
		node *corev1.Node
		want bool
	}{
		{"ready", ready(corev1.ConditionTrue), true},
		{"not ready", ready(corev1.ConditionFalse), false},
		{"just registered", &corev1.Node{}, false},
		{"still tainted", ready(corev1.ConditionTrue, corev1.Taint{Key: "node.kubernetes.io/not-ready", Effect: corev1.TaintEffectNoSchedule}), false},
		{"a mild taint", ready(corev1.ConditionTrue, corev1.Taint{Key: "x", Effect: corev1.TaintEffectPreferNoSchedule}), true},
	}
	for _, tt := range tests {
		if got := isReady(tt.node); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}

func TestProcesses(t *testing.T) {
	p := newProcesses(t.TempDir())
	if _, err := p.start(0, "sleeper", "sleep", "1000"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.start(0, "faulty", "sh", "-c", "echo what went wrong; exit 3"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.start(0, "absent", filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a program that is not there was started")
	}
	never := func(context.Context) (bool, error) { return false, nil }
	err := poll(t.Context(), "it", p.died, never)
	if err == nil || !strings.Contains(err.Error(), "faulty ended (exit status 3)") || !strings.Contains(err.Error(), "what went wrong") {
		t.Errorf("error = %v, want how faulty ended and what it said", err)
	}
	sleeper := p.all[0]
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-sleeper.ended:
	default:
		t.Error("stop returned before sleeper had ended")
	}
	select {
	case err := <-p.died:
		t.Errorf("stopping counts as dying: %v", err)
	default:
	}
}

func TestPollEnds(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	asked := 0
	err := poll(ctx, "the moon", nil, func(context.Context) (bool, error) {
		if asked++; asked == 2 {
			cancel(cause)
		}
		return false, nil
	})
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "the moon") {
		t.Errorf("error = %v, want the cause and what was awaited", err)
	}
	if err := poll(t.Context(), "x", nil, func(context.Context) (bool, error) { return false, cause }); !errors.Is(err, cause) {
		t.Errorf("error = %v, want that of the check", err)
	}
}

func unpackAll(t *testing.T, content []byte) map[string]string {
	t.Helper()
	files := map[string]string{}
	reader := tar.NewReader(bytes.NewReader(content))
	for {
		header, err := reader.Next()
		if err != nil {
			return files
		}
		var file bytes.Buffer
		if _, err := file.ReadFrom(reader); err != nil {
			t.Fatal(err)
		}
		files[header.Name] = file.String()
	}
}

func put(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
