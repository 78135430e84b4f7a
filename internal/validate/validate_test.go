package validate

import (
	"fmt"
	"testing"
)

// check judges manifests, each as a file of its own: 0.yaml, 1.yaml and so on.
func check(t testing.TB, o Options, manifests ...string) Report {
	t.Helper()
	var sources []Source
	for i, m := range manifests {
		sources = append(sources, Source{Name: fmt.Sprintf("%d.yaml", i), Content: []byte(m)})
	}
	report, err := Check(sources, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}
