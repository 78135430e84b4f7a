// Package harness runs a real Prometheus and a real Alertmanager for tests: configured as the shipped manifests say, on
// ports of the loopback address, in folders that go with the test, and with a receiver that keeps what it is told.
package harness

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Root is the top folder of the repository, wherever the test runs.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// Program returns the path of prometheus, promtool, alertmanager, amtool or scrapeconfig, as hack/prometheus.sh has it: what
// is missing is brought in or built, once per machine.
func Program(name string) (string, error) {
	cmd := exec.Command(filepath.Join(Root(), "hack", "prometheus.sh"), name)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("find %s: %w: %s", name, err, &said)
	}
	path := strings.TrimSpace(string(out))
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	return path, nil
}
