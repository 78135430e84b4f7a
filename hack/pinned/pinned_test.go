package pinned

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRequiredVersion(t *testing.T) {
	tests := []struct{ name, gomod, want, wantErr string }{
		{name: "in a block", gomod: "module m\n\nrequire (\n\ta.io/b v0.1.0\n\tk8s.io/kubernetes v1.36.3 // indirect\n)\n", want: "v1.36.3"},
		{name: "on its own line", gomod: "require k8s.io/kubernetes v1.2.3\n", want: "v1.2.3"},
		{name: "a replacement is no requirement", gomod: "replace (\n\tk8s.io/kubernetes => k8s.io/kubernetes v1.0.0\n)\n", wantErr: "requires no version of k8s.io/kubernetes"},
		{name: "a tool is no requirement", gomod: "tool k8s.io/kubernetes/cmd/kubectl\n", wantErr: "requires no version"},
		{name: "a longer path is another module", gomod: "require x/k8s.io/kubernetes v9.0.0\n", wantErr: "requires no version"},
		{name: "empty", wantErr: "requires no version"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := requiredVersion([]byte(tt.gomod), "k8s.io/kubernetes")
			checkError(t, err, tt.wantErr)
			if got != tt.want {
				t.Errorf("version = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestKubeStandsUnderItsVersion(t *testing.T) {
	cache := t.TempDir()
	t.Setenv(EnvKubeCache, cache)
	set, err := Kube(checkout(t, "require k8s.io/kubernetes v1.99.0\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(cache, "v1.99.0"); set.Dir != want {
		t.Errorf("Dir = %s, want %s", set.Dir, want)
	}
	if want := "k8s.io/component-base/version.gitVersion=v1.99.0"; set.Stamp != want {
		t.Errorf("Stamp = %s, want %s", set.Stamp, want)
	}
	if got, want := names(set.Missing()), "etcd, kube-apiserver, kube-controller-manager, kubectl"; got != want {
		t.Errorf("Missing() = %s, want %s", got, want)
	}
}

func TestKubeUsesTheUserCacheByDefault(t *testing.T) {
	cache := t.TempDir()
	t.Setenv(EnvKubeCache, "")
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	set, err := Kube(checkout(t, "require k8s.io/kubernetes v1.99.0\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(set.Dir, cache) || !strings.HasSuffix(set.Dir, filepath.Join("cx-operator", "kube", "v1.99.0")) {
		t.Errorf("Dir = %s, want it in %s", set.Dir, cache)
	}
}

func TestToolsFolderFollowsThePins(t *testing.T) {
	t.Setenv(EnvToolsCache, t.TempDir())
	dir := func(gomod string) string {
		set, err := Tools(checkout(t, gomod))
		if err != nil {
			t.Fatal(err)
		}
		return set.Dir
	}
	one, again, other := dir("require a.io/b v1.0.0\n"), dir("require a.io/b v1.0.0\n"), dir("require a.io/b v1.0.1\n")
	if one != again {
		t.Errorf("the same pins stand in %s and in %s", one, again)
	}
	if one == other {
		t.Errorf("other pins stand in the same folder %s", one)
	}
}

func TestToolsNeedTheirPins(t *testing.T) {
	_, err := Tools(t.TempDir())
	checkError(t, err, "reading the pins of the tools")
	_, err = Kube(t.TempDir())
	checkError(t, err, "reading the pins of the control plane")
}

func TestOnly(t *testing.T) {
	set := Set{Programs: []Program{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	tests := []struct {
		name    string
		ask     []string
		want    string
		wantErr string
	}{
		{name: "none means all", want: "a, b, c"},
		{name: "in the order asked", ask: []string{"c", "a"}, want: "c, a"},
		{name: "unknown", ask: []string{"a", "z"}, wantErr: `no program is called "z": use one of a, b, c`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := set.Only(tt.ask...)
			checkError(t, err, tt.wantErr)
			if names(got.Programs) != tt.want {
				t.Errorf("programs = %s, want %s", names(got.Programs), tt.want)
			}
		})
	}
}

func TestMissingWantsExecutableFiles(t *testing.T) {
	set := Set{Dir: t.TempDir(), Programs: []Program{{Name: "ready"}, {Name: "plain"}, {Name: "folder"}, {Name: "absent"}}}
	write(t, filepath.Join(set.Dir, "ready"), "", 0o755)
	write(t, filepath.Join(set.Dir, "plain"), "", 0o644)
	if err := os.Mkdir(filepath.Join(set.Dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, want := names(set.Missing()), "plain, folder, absent"; got != want {
		t.Errorf("Missing() = %s, want %s", got, want)
	}
}

func TestAssets(t *testing.T) {
	root := checkout(t, "require k8s.io/kubernetes v1.99.0\n")

	t.Run("nothing built", func(t *testing.T) {
		t.Setenv(EnvAssets, "")
		t.Setenv(EnvKubeCache, t.TempDir())
		_, err := Assets(root)
		if !errors.Is(err, ErrAssetsMissing) {
			t.Fatalf("error = %v, want ErrAssetsMissing", err)
		}
		checkError(t, err, "make kube")
	})
	t.Run("built", func(t *testing.T) {
		cache := t.TempDir()
		t.Setenv(EnvAssets, "")
		t.Setenv(EnvKubeCache, cache)
		fill(t, filepath.Join(cache, "v1.99.0"), "etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
		dir, err := Assets(root)
		checkError(t, err, "")
		if want := filepath.Join(cache, "v1.99.0"); dir != want {
			t.Errorf("dir = %s, want %s", dir, want)
		}
		if !HasControllerManager(dir) {
			t.Error("HasControllerManager = false")
		}
	})
	t.Run("given", func(t *testing.T) {
		given := t.TempDir()
		fill(t, given, "etcd", "kube-apiserver", "kubectl")
		t.Setenv(EnvAssets, given)
		dir, err := Assets(root)
		checkError(t, err, "")
		if dir != given {
			t.Errorf("dir = %s, want %s", dir, given)
		}
		if HasControllerManager(dir) {
			t.Error("HasControllerManager = true without one")
		}
	})
	t.Run("given by a relative path", func(t *testing.T) {
		given := t.TempDir()
		fill(t, filepath.Join(given, "assets"), "etcd", "kube-apiserver", "kubectl")
		t.Chdir(given)
		t.Setenv(EnvAssets, "assets")
		dir, err := Assets(root)
		checkError(t, err, "")
		if !filepath.IsAbs(dir) {
			t.Errorf("dir = %s, want an absolute path", dir)
		}
	})
	t.Run("given but incomplete", func(t *testing.T) {
		given := t.TempDir()
		fill(t, given, "etcd")
		t.Setenv(EnvAssets, given)
		_, err := Assets(root)
		checkError(t, err, "has no kube-apiserver, kubectl: name a folder")
	})
}

// TestRepositoryPins reads the pins of this very checkout, which everything else stands on.
func TestRepositoryPins(t *testing.T) {
	root := filepath.Join("..", "..")
	for _, pinned := range []func(string) (Set, error){Kube, Node, Tools, Helm} {
		set, err := pinned(root)
		if err != nil {
			t.Fatal(err)
		}
		gomod, err := os.ReadFile(filepath.Join(set.Module, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range set.Programs {
			if !strings.Contains(string(gomod), "\t"+p.Package+"\n") {
				t.Errorf("%s/go.mod has no tool line for %s", set.Module, p.Package)
			}
		}
	}
}

func TestHelmDirSaysHowToBuildIt(t *testing.T) {
	t.Setenv(EnvToolsCache, t.TempDir())
	root := checkout(t, "require a.io/b v1.0.0\n")
	_, err := HelmDir(root)
	checkError(t, err, "no helm, kubeconform")
	if !errors.Is(err, ErrHelmMissing) {
		t.Errorf("error = %v, want ErrHelmMissing", err)
	}
	set, err := Helm(root)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, set.Dir, "helm", "kubeconform")
	if dir, err := HelmDir(root); err != nil || dir != set.Dir {
		t.Errorf("HelmDir() = %s, %v, want %s", dir, err, set.Dir)
	}
}

// checkout makes a folder that looks like this repository to the code that reads the pins.
func checkout(t *testing.T, gomod string) string {
	t.Helper()
	root := t.TempDir()
	for _, module := range []string{"kube", "tools", "helm"} {
		write(t, filepath.Join(root, "hack", module, "go.mod"), gomod, 0o644)
		write(t, filepath.Join(root, "hack", module, "go.sum"), "", 0o644)
	}
	return root
}

func fill(t *testing.T, dir string, programs ...string) {
	t.Helper()
	for _, name := range programs {
		write(t, filepath.Join(dir, name), "", 0o755)
	}
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// checkError wants an error with the text, or none where the text is empty.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Fatalf("unexpected error: %v", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Fatalf("error = %v, want one with %q", err, want)
	}
}
