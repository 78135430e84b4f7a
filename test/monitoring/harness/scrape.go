package harness

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// ServiceMonitors say what is scraped, and from where.
type ServiceMonitors struct {
	// Manifests are YAML documents, of which those of other kinds are passed over.
	Manifests []byte
	// Kubeconfig is the path of one that may read the Secrets and ConfigMaps that they name, and list Services, Endpoints and
	// pods.
	Kubeconfig string
	// Token is that of Prometheus' ServiceAccount, which is shown to the manager.
	Token string
	// Every is how often is scraped instead of what the manifests say; zero leaves it.
	Every time.Duration
}

// ScrapeConfigs returns the configuration that the Prometheus operator makes of ServiceMonitors, for a Prometheus on this
// machine. Until the test ends, a process beside it finds the targets, since Debian's Prometheus is built without service
// discovery in Kubernetes.
func ScrapeConfigs(t testing.TB, m ServiceMonitors) []byte {
	t.Helper()
	program, err := Program("scrapeconfig")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), []byte(m.Token))
	manifests := write(t, filepath.Join(dir, "servicemonitors.yaml"), m.Manifests)
	args := []string{"-kubeconfig", m.Kubeconfig, "-files", dir, "-monitors", manifests}
	if m.Every > 0 {
		args = append(args, "-interval", m.Every.String())
	}
	p := Start(t, dir, "scrapeconfig", program, nil, args...)
	var config []byte
	Eventually(t, startLimit, "the configuration is made", func() error {
		p.mustRun(t)
		config, err = os.ReadFile(filepath.Join(dir, "prometheus.yaml"))
		return err
	})
	return config
}
