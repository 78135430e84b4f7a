package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// Two checkouts of one commit in different folders, each with an empty build cache, give the same files; a different
// version gives different ones.
func TestOneCommitGivesTheSameBytes(t *testing.T) {
	first, second, other := buildSmall(t, "v1"), buildSmall(t, "v1"), buildSmall(t, "v2")
	for _, name := range []string{archiveName, "cx-operator-linux-amd64.cdx.json", "cx-operator-linux-arm64.cdx.json"} {
		a, b, c := read(t, first, name), read(t, second, name), read(t, other, name)
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs between two builds of one commit", name)
		}
		if bytes.Equal(a, c) {
			t.Errorf("%s is the same for two versions: the comparison proves nothing", name)
		}
	}
}

func TestArchiveHoldsOneIndexOfBothPlatforms(t *testing.T) {
	folder := unpack(t, filepath.Join(buildSmall(t, "v1"), archiveName))
	outer, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	manifest := must(outer.IndexManifest())
	if len(manifest.Manifests) != 1 {
		t.Fatalf("the archive names %d things, want one: a copying tool would have to be told which", len(manifest.Manifests))
	}
	wantNames := map[string]string{
		"io.containerd.image.name":          "docker.io/library/cx-operator:t1",
		"org.opencontainers.image.ref.name": "t1",
	}
	if diff := cmp.Diff(wantNames, manifest.Manifests[0].Annotations); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	inner := must(must(outer.ImageIndex(manifest.Manifests[0].Digest)).IndexManifest())
	var platforms []string
	for _, each := range inner.Manifests {
		platforms = append(platforms, each.Platform.String())
		image := must(must(outer.ImageIndex(manifest.Manifests[0].Digest)).Image(each.Digest))
		checkImage(t, image, each.Platform)
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, platforms); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
}

func checkImage(t *testing.T, image v1.Image, platform *v1.Platform) {
	t.Helper()
	config := must(image.ConfigFile())
	if config.OS != platform.OS || config.Architecture != platform.Architecture {
		t.Errorf("the configuration says %s/%s, the index %s", config.OS, config.Architecture, platform)
	}
	if config.Config.User != "65532:65532" || !cmp.Equal(config.Config.Entrypoint, []string{"/cx-operator"}) {
		t.Errorf("user %q, entry point %q", config.Config.User, config.Config.Entrypoint)
	}
	want := map[string]string{
		"org.opencontainers.image.version": "v1", "org.opencontainers.image.created": "2026-01-02T03:04:05Z",
		"org.opencontainers.image.licenses": "Apache-2.0",
	}
	for key, value := range want {
		if got := config.Config.Labels[key]; got != value {
			t.Errorf("label %s = %q, want %q", key, got, value)
		}
	}
	if len(config.Config.Labels[labelRevision]) != 40 {
		t.Errorf("revision = %q, want a commit", config.Config.Labels[labelRevision])
	}

	modes := map[string]int64{}
	files := tar.NewReader(mutate.Extract(image))
	for {
		header, err := files.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Uid != 0 || header.Gid != 0 {
			t.Errorf("%s belongs to %d:%d: whoever runs could change it", header.Name, header.Uid, header.Gid)
		}
		modes[strings.Trim(header.Name, "/")] = header.Mode
	}
	wantModes := map[string]int64{
		"cx-operator": 0o755, "etc": 0o755, "etc/group": 0o644, "etc/passwd": 0o644, "etc/ssl": 0o755, "etc/ssl/certs": 0o755,
		"etc/ssl/certs/ca-certificates.crt": 0o644, "tmp": 0o1777,
	}
	if diff := cmp.Diff(wantModes, modes); diff != "" {
		t.Errorf("files for %s (-want +got):\n%s", platform, diff)
	}
}

func TestCertificatesAreMozillas(t *testing.T) {
	rest, names := certificates(), map[string]bool{}
	for len(rest) > 0 {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			t.Fatalf("no PEM: %.60q", rest)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if !certificate.IsCA {
			t.Errorf("%s is no authority", certificate.Subject)
		}
		names[certificate.Subject.CommonName] = true
	}
	if len(names) < 100 || !names["ISRG Root X1"] {
		t.Errorf("%d authorities, ISRG Root X1 among them: %t; want more than 100 and true", len(names), names["ISRG Root X1"])
	}
}

func TestTooLargeAnImageFails(t *testing.T) {
	from := origin{version: "v1", created: time.Unix(0, 0)}
	noise := make([]byte, most+1) // incompressible, since every byte depends on a running state
	state := uint32(1)
	for i := range noise {
		state ^= state << 13
		state ^= state >> 17
		state ^= state << 5
		noise[i] = byte(state)
	}
	platform := v1.Platform{OS: "linux", Architecture: "amd64"}
	for _, tt := range []struct {
		size    int
		wantErr bool
	}{{1000, false}, {most + 1, true}} {
		images := []built{{platform, must(assemble(from, platform, noise[:tt.size]))}}
		var out bytes.Buffer
		err := report(&out, "a.tar", "x:v1", index(from, images), images)
		if (err != nil) != tt.wantErr {
			t.Errorf("%d bytes: error = %v, want one: %t", tt.size, err, tt.wantErr)
		}
		if !strings.Contains(out.String(), "linux/amd64") || !strings.Contains(out.String(), "x:v1@sha256:") {
			t.Errorf("report lacks the platform or the digest:\n%s", out.String())
		}
	}
}

// buildSmall builds the image of a small program from a new checkout with an empty build cache, and returns the folder with
// what came out.
func buildSmall(t *testing.T, version string) string {
	t.Helper()
	root, out := t.TempDir(), t.TempDir()
	write(t, filepath.Join(root, "go.mod"), "module github.com/cx-operator/cx-operator\n\ngo 1.26.0\n")
	write(t, filepath.Join(root, "main.go"), "package main\n\nimport \"github.com/cx-operator/cx-operator/internal/version\"\n\n"+
		"func main() { println(version.Version) }\n")
	write(t, filepath.Join(root, "internal", "version", "version.go"), "package version\n\nvar Version = \"dev\"\n")
	t.Setenv("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
	t.Setenv("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z")
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"commit", "-q", "-m", "x"}} {
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=x", "-c", "user.email=x@example.test"}, args...)...)
		cmd.Dir = root
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args[0], err, said)
		}
	}
	t.Setenv("GOCACHE", t.TempDir())
	t.Setenv("SOURCE_DATE_EPOCH", "")
	var said bytes.Buffer
	if err := run(t.Context(), []string{"-root", root, "-out", out, "-version", version, "-image", "cx-operator:t1"}, &said); err != nil {
		t.Fatal(err)
	}
	return out
}

func unpack(t *testing.T, archive string) string {
	t.Helper()
	folder := t.TempDir()
	if said, err := exec.CommandContext(t.Context(), "tar", "-xf", archive, "-C", folder).CombinedOutput(); err != nil {
		t.Fatalf("unpacking: %v\n%s", err, said)
	}
	return folder
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func read(t *testing.T, folder, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
