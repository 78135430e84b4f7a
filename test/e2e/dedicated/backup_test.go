//go:build linux && e2e

package dedicated

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/test/e2e/cluster"
)

// testBackup backs the airport's volume up and restores it, by the very commands of docs/backup.md.
func (s *suite) testBackup(t *testing.T) {
	commands := documented(t, "### A store on a program's own volume\n")
	if len(commands) != 2 {
		t.Fatalf("docs/backup.md has %d blocks of commands there, want those to back up and to restore", len(commands))
	}
	dir := t.TempDir()
	before := s.airport.Stored(t)
	s.bash(t, dir, commands[0])

	s.airport.AnswerInABrowser(t, 5) // which the backup does not have
	if after := s.airport.Stored(t); len(after.Scores) != len(before.Scores)+1 {
		t.Fatalf("%d answers are stored, want one more than %d", len(after.Scores), len(before.Scores))
	}
	s.bash(t, dir, commands[1])
	s.airport.AwaitServed(t, 1)
	if diff := cmp.Diff(before, s.airport.Stored(t)); diff != "" {
		t.Errorf("what was restored (-before +after):\n%s", diff)
	}
}

// documented returns the shell commands of one section of docs/backup.md.
func documented(t *testing.T, heading string) []string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(cluster.Root(), "docs", "backup.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), heading)
	if !found {
		t.Fatalf("docs/backup.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n### ")
	var blocks []string
	for _, m := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllStringSubmatch(section, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// bash runs commands as a reader of the docs would, with this cluster's kubectl and image.
func (s *suite) bash(t *testing.T, dir, commands string) {
	t.Helper()
	commands = strings.ReplaceAll(commands, "registry.example.com/cx-operator:1.0.0", s.Image)
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", commands)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.Kubeconfig(), "PATH="+filepath.Dir(s.Node.Kubectl())+":"+os.Getenv("PATH"))
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, commands, said)
	}
	t.Logf("%s", said)
}
