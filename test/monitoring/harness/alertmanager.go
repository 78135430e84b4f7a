package harness

import (
	"fmt"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"
)

// Alertmanager is a real one that runs until the test ends.
type Alertmanager struct {
	// Address is its host and port.
	Address string
	*Process
}

// StartAlertmanager starts an Alertmanager on the loopback address and waits until it is ready.
func StartAlertmanager(t testing.TB, config []byte) *Alertmanager {
	t.Helper()
	program, err := Program("alertmanager")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a := &Alertmanager{Address: fmt.Sprintf("127.0.0.1:%d", Port(t))}
	a.Process = Start(t, dir, "alertmanager", program, nil,
		"--config.file="+write(t, filepath.Join(dir, "alertmanager.yaml"), config), "--storage.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+a.Address, "--cluster.listen-address=", "--log.level=warn")
	a.awaitOK(t, "http://"+a.Address+"/-/ready")
	return a
}

// DeliverTo is a configuration of Alertmanager whose routes stay and whose receivers all become the given one: each posts to
// base/NAME. Times at which routes are mute are left out, since the test runs at any time.
func DeliverTo(config []byte, base string) ([]byte, error) {
	var all map[string]any
	if err := yaml.Unmarshal(config, &all); err != nil {
		return nil, err
	}
	receivers, ok := all["receivers"].([]any)
	if !ok {
		return nil, fmt.Errorf("the configuration has no receivers")
	}
	for _, r := range receivers {
		receiver, ok := r.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("a receiver is %v", r)
		}
		name := receiver["name"]
		clear(receiver)
		receiver["name"] = name
		receiver["webhook_configs"] = []any{map[string]any{"url": fmt.Sprintf("%s/%v", base, name), "send_resolved": true}}
	}
	walk(all, func(m map[string]any) { delete(m, "mute_time_intervals") })
	return yaml.Marshal(all)
}

// walk visits every mapping of a document.
func walk(node any, visit func(map[string]any)) {
	switch n := node.(type) {
	case map[string]any:
		visit(n)
		for _, child := range n {
			walk(child, visit)
		}
	case []any:
		for _, child := range n {
			walk(child, visit)
		}
	}
}
