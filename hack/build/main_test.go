package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/hack/pinned"
)

func TestRun(t *testing.T) {
	full := assets(t, "etcd", "kube-apiserver", "kubectl", "kube-controller-manager")
	small := assets(t, "etcd", "kube-apiserver", "kubectl")
	tests := []struct {
		name    string
		args    []string
		given   string // KUBEBUILDER_ASSETS
		want    string
		wantLog string
		wantErr string
	}{
		{name: "nothing asked", wantErr: "usage: build kube"},
		{name: "unknown set", args: []string{"cube"}, wantErr: `"cube" is none of kube, node, helm and tools`},
		{name: "unknown tool", args: []string{"tools", "hammer"}, wantErr: `no program is called "hammer"`},
		{name: "given assets", args: []string{"kube"}, given: full, want: full, wantLog: "Using the control plane in"},
		{name: "given assets without a controller manager", args: []string{"kube"}, given: small, want: small, wantLog: "not garbage-collected"},
		{name: "given assets that are none", args: []string{"kube"}, given: t.TempDir(), wantErr: "has no etcd, kube-apiserver, kubectl"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(pinned.EnvAssets, tt.given)
			t.Chdir(filepath.Join("..", "..")) // run reads the pins of the checkout it stands in
			log, err := os.Create(filepath.Join(t.TempDir(), "log"))
			if err != nil {
				t.Fatal(err)
			}
			defer log.Close()

			got, err := run(t.Context(), tt.args, pinned.NewReporter(log, time.Now))
			if tt.wantErr == "" && err != nil || tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
				t.Fatalf("error = %v, want %q", err, tt.wantErr)
			}
			if got != tt.want {
				t.Errorf("dir = %q, want %q", got, tt.want)
			}
			if written, _ := os.ReadFile(log.Name()); !strings.Contains(string(written), tt.wantLog) {
				t.Errorf("said %q, want %q in it", written, tt.wantLog)
			}
		})
	}
}

func assets(t *testing.T, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range programs {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
