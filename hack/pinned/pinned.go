// Package pinned builds programs that other projects publish, at the versions that a Go module of
// this repository pins, once per machine, into the user's cache folder.
//
// hack/kube pins the control plane that tests and the demo run on; hack/tools pins the generators
// and linters, hack/helm what installs and checks the chart. A fresh clone finds what an earlier one has built.
package pinned

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

const (
	// EnvAssets names the variable with a folder of ready control plane binaries, the one that
	// controller-runtime's envtest reads too. Where it is set, nothing is built.
	EnvAssets = "KUBEBUILDER_ASSETS"
	// EnvKubeCache names the variable with the folder for built control planes, one folder per version.
	EnvKubeCache = "CX_KUBE_CACHE"
	// EnvToolsCache names the variable with the folder for built tools, one folder per set of pins.
	EnvToolsCache = "CX_TOOLS_CACHE"
)

// Program is one binary and the package it is built from.
type Program struct {
	// Name is the file name of the binary.
	Name string
	// Package is the import path of its main package.
	Package string
}

// Set is a group of programs that one Go module pins and that stand in one folder.
type Set struct {
	// Module is the folder of the Go module that pins the programs.
	Module string
	// Dir is the folder that holds the finished programs.
	Dir string
	// Programs are what the set consists of, in the order they are built.
	Programs []Program
	// Stamp is passed to the linker as the value of -X, "" for none.
	Stamp string
	// Note tells a person, before a build starts, how long it takes. "" for nothing to say.
	Note string
}

// Missing lists the programs of the set that its folder lacks.
func (s Set) Missing() []Program {
	var missing []Program
	for _, p := range s.Programs {
		if !isExecutable(filepath.Join(s.Dir, p.Name)) {
			missing = append(missing, p)
		}
	}
	return missing
}

// Only narrows the set to the named programs. No name means the whole set. An unknown name is an
// error that lists the known ones.
func (s Set) Only(names ...string) (Set, error) {
	if len(names) == 0 {
		return s, nil
	}
	byName := map[string]Program{}
	known := make([]string, 0, len(s.Programs))
	for _, p := range s.Programs {
		byName[p.Name] = p
		known = append(known, p.Name)
	}
	s.Programs = nil
	for _, name := range names {
		p, ok := byName[name]
		if !ok {
			return Set{}, fmt.Errorf("no program is called %q: use one of %s", name, strings.Join(known, ", "))
		}
		s.Programs = append(s.Programs, p)
	}
	return s, nil
}

// Tools is the set of generators and linters that hack/tools pins. Its folder is named after the
// pins and the Go release, since a linter that an older Go built cannot read a newer Go's code.
func Tools(root string) (Set, error) {
	return underItsPins(root, Set{
		Module: "tools",
		Programs: []Program{
			{Name: "controller-gen", Package: "sigs.k8s.io/controller-tools/cmd/controller-gen"},
			{Name: "kustomize", Package: "sigs.k8s.io/kustomize/kustomize/v5"},
			{Name: "golangci-lint", Package: "sigs.k8s.io/kube-api-linter/cmd/golangci-lint-kube-api-linter"},
			{Name: "crd-ref-docs", Package: "github.com/elastic/crd-ref-docs"},
			{Name: "govulncheck", Package: "golang.org/x/vuln/cmd/govulncheck"},
		},
		Note: "The pinned tools are built from source once per machine: up to 5 minutes for a linter, less for the others.",
	})
}

// Helm is helm and what checks charts, as hack/helm pins them.
func Helm(root string) (Set, error) {
	return underItsPins(root, Set{
		Module: "helm",
		Programs: []Program{
			{Name: "helm", Package: "helm.sh/helm/v4/cmd/helm"},
			{Name: "kubeconform", Package: "github.com/yannh/kubeconform/cmd/kubeconform"},
		},
		Note: "Helm is built from source once per machine: about 4 minutes on 2 cores.",
	})
}

// ErrHelmMissing says that helm has not been built here.
var ErrHelmMissing = errors.New("helm is not built: run 'make helm' (once per machine, about 4 minutes)")

// HelmDir is the folder of the programs of Helm for the checkout at root. The error wraps ErrHelmMissing where one of them
// was not built yet.
func HelmDir(root string) (string, error) {
	set, err := Helm(root)
	if err != nil {
		return "", err
	}
	if missing := set.Missing(); len(missing) > 0 {
		return "", fmt.Errorf("no %s in %s: %w", names(missing), set.Dir, ErrHelmMissing)
	}
	return set.Dir, nil
}

// underItsPins finishes a set whose Module names a folder of hack: the set's folder is named after that module's pins and the
// Go release.
func underItsPins(root string, set Set) (Set, error) {
	name := set.Module
	set.Module = filepath.Join(root, "hack", name)
	hash := sha256.New()
	for _, file := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(set.Module, file))
		if err != nil {
			return Set{}, fmt.Errorf("reading the pins of the tools: %w", err)
		}
		hash.Write(content)
	}
	hash.Write([]byte(runtime.Version()))

	cache, err := cacheDir(EnvToolsCache, "tools")
	if err != nil {
		return Set{}, err
	}
	set.Dir = filepath.Join(cache, hex.EncodeToString(hash.Sum(nil))[:12])
	return set, nil
}

// Kube is the control plane that hack/kube pins, in the folder of its Kubernetes version.
func Kube(root string) (Set, error) {
	module := filepath.Join(root, "hack", "kube")
	content, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return Set{}, fmt.Errorf("reading the pins of the control plane: %w", err)
	}
	version, err := requiredVersion(content, "k8s.io/kubernetes")
	if err != nil {
		return Set{}, err
	}
	cache, err := cacheDir(EnvKubeCache, "kube")
	if err != nil {
		return Set{}, err
	}
	return Set{
		Module: module,
		Dir:    filepath.Join(cache, version),
		Programs: []Program{
			{Name: "etcd", Package: "go.etcd.io/etcd/server/v3"},
			{Name: "kube-apiserver", Package: "k8s.io/kubernetes/cmd/kube-apiserver"},
			{Name: "kube-controller-manager", Package: "k8s.io/kubernetes/cmd/kube-controller-manager"},
			{Name: "kubectl", Package: "k8s.io/kubernetes/cmd/kubectl"},
		},
		Stamp: "k8s.io/component-base/version.gitVersion=" + version,
		Note: "Kubernetes " + version + " is built from source once per machine: about 5 to 7 minutes on 2 cores. " +
			"Later runs and other clones reuse it.",
	}, nil
}

// ErrAssetsMissing says that the control plane has not been built here.
var ErrAssetsMissing = errors.New("the Kubernetes control plane is not built: run 'make kube' (once per machine, about 6 minutes)")

// Assets is the folder of the control plane's binaries for the checkout at root: what EnvAssets
// names, else where Kube builds to. The error wraps ErrAssetsMissing where nothing was built yet, and says
// which binary is missing where EnvAssets names an incomplete folder.
func Assets(root string) (string, error) {
	if given := os.Getenv(EnvAssets); given != "" {
		return givenAssets(given)
	}
	set, err := Kube(root)
	if err != nil {
		return "", err
	}
	if missing := set.Missing(); len(missing) > 0 {
		return "", fmt.Errorf("no %s in %s: %w", names(missing), set.Dir, ErrAssetsMissing)
	}
	return set.Dir, nil
}

// HasControllerManager tells whether the assets folder holds kube-controller-manager, which is
// optional in a folder that EnvAssets names.
func HasControllerManager(assets string) bool {
	return isExecutable(filepath.Join(assets, "kube-controller-manager"))
}

func givenAssets(given string) (string, error) {
	dir, err := filepath.Abs(given) // programs that are told the folder run elsewhere
	if err != nil {
		return "", fmt.Errorf("%s=%s: %w", EnvAssets, given, err)
	}
	set := Set{Dir: dir, Programs: []Program{{Name: "etcd"}, {Name: "kube-apiserver"}, {Name: "kubectl"}}}
	if missing := set.Missing(); len(missing) > 0 {
		return "", fmt.Errorf("%s=%s has no %s: name a folder with etcd, kube-apiserver and kubectl, or unset it to build them",
			EnvAssets, given, names(missing))
	}
	return dir, nil
}

// requiredVersion reads the version of a module from a go.mod file. It reads the one line that is
// needed instead of asking the go command, which tests would have to wait for.
func requiredVersion(gomod []byte, module string) (string, error) {
	line := regexp.MustCompile(`(?m)^(?:require)?\s*` + regexp.QuoteMeta(module) + `\s+(v\S+)`)
	found := line.FindSubmatch(gomod)
	if found == nil {
		return "", fmt.Errorf("go.mod requires no version of %s", module)
	}
	return string(found[1]), nil
}

func cacheDir(variable, name string) (string, error) {
	if dir := os.Getenv(variable); dir != "" {
		return filepath.Abs(dir)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache folder (%s sets it): %w", variable, err)
	}
	return filepath.Join(base, "cx-operator", name), nil
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&fs.FileMode(0o111) != 0
}

func names(programs []Program) string {
	list := make([]string, len(programs))
	for i, p := range programs {
		list[i] = p.Name
	}
	return strings.Join(list, ", ")
}
