// Command chart makes what the Helm chart holds of other files, since Helm reads nothing outside the chart's folder: CRDs,
// rights, alerts and dashboards; and the chart's README from the comments of its values. It also
// puts Argo CD's health scripts into the ConfigMap that Argo CD reads. Run it in the root of the
// repository; "make generate" does.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

const (
	chartPath = "charts/cx-operator"
	// filesPath holds nothing but what this command writes: what is there beside is removed.
	filesPath = chartPath + "/files"
)

func run(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(root, filesPath)); err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		target := filepath.Join(root, path)
		// The chart is for everybody to read.
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, files[path], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the content of every derived file by its path from the root of the repository.
func generate(root string) (map[string][]byte, error) {
	files, err := copies(root)
	if err != nil {
		return nil, err
	}
	read := func(path string) ([]byte, error) { return os.ReadFile(filepath.Join(root, path)) }
	values, err := read(chartPath + "/values.yaml")
	if err != nil {
		return nil, err
	}
	text, err := read("hack/chart/readme.md")
	if err != nil {
		return nil, err
	}
	readme, err := readme(text, values)
	if err != nil {
		return nil, fmt.Errorf("%s/values.yaml: %w", chartPath, err)
	}
	files[chartPath+"/README.md"] = readme
	if files["config/argocd/argocd-cm.yaml"], err = argocd(root); err != nil {
		return nil, err
	}
	return files, nil
}
