// Command dashboards writes the Grafana dashboards of config/grafana. Run it in the root of the repository; "make generate"
// does.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	files, err := generate()
	if err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		// Manifests are for everybody to read.
		if err := os.WriteFile(filepath.Join(root, path), files[path], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// folder holds the dashboards, from the root of the repository.
const folder = "config/grafana"

// dashboards by the name of their file, without its extension.
func dashboards() map[string]dashboard {
	return map[string]dashboard{
		"program-overview":    overview(),
		"touchpoint-detail":   touchpoint(),
		"accountability":      accountability(),
		"follow-through":      followThrough(),
		"endpoint-operations": endpoint(),
	}
}

// generate returns the content of every file by its path from the root of the repository.
func generate() (map[string][]byte, error) {
	files := map[string][]byte{}
	for name, d := range dashboards() {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(d); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files[filepath.Join(folder, name+".json")] = text.Bytes()
	}
	return files, nil
}
