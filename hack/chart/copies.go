package main

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// copied is a set of files that the chart holds as they are.
type copied struct {
	from string // pattern from the root of the repository
	to   string // folder in the chart
	many bool   // there may be none yet
}

var copiedSets = []copied{
	{from: "config/crd/bases/*.yaml", to: filesPath + "/crds"},
	{from: "config/prometheus/rules.yaml", to: filesPath},
	{from: "config/grafana/*.json", to: filesPath + "/dashboards", many: true},
}

// role is a file with a role, of which the chart holds the role alone: names and bindings depend on the release.
type role struct{ from, kind, to string }

var roles = []role{
	{"config/rbac/role.yaml", "ClusterRole", filesPath + "/role.yaml"},
	{"config/rbac/leader_election_role.yaml", "Role", filesPath + "/leader-election-role.yaml"},
	{"config/rbac/own_role.yaml", "Role", filesPath + "/own-role.yaml"},
	{"config/rbac/feedback_role.yaml", "ClusterRole", filesPath + "/feedback-cluster-role.yaml"},
	{"config/rbac/feedback_role.yaml", "Role", filesPath + "/feedback-role.yaml"},
}

func copies(root string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, set := range copiedSets {
		found, err := filepath.Glob(filepath.Join(root, set.from))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 && !set.many {
			return nil, fmt.Errorf("%s: there is no such file", set.from)
		}
		for _, name := range found {
			content, err := os.ReadFile(name) // #nosec G304 -- a file of the repository
			if err != nil {
				return nil, err
			}
			files[path.Join(set.to, filepath.Base(name))] = content
		}
	}
	for _, r := range roles {
		content, err := os.ReadFile(filepath.Join(root, r.from))
		if err != nil {
			return nil, err
		}
		if files[r.to], err = document(content, r.kind); err != nil {
			return nil, fmt.Errorf("%s: %w", r.from, err)
		}
	}
	return files, nil
}

// document is the one document of a kind in a file with several. More than one is an error, so that no rule is left out in
// silence.
func document(content []byte, kind string) ([]byte, error) {
	var found []byte
	for part := range bytes.SplitSeq(content, []byte("\n---\n")) {
		var head struct {
			Kind string `json:"kind"`
		}
		if err := yaml.Unmarshal(part, &head); err != nil {
			return nil, err
		}
		if head.Kind != kind {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("there are two documents of kind %s, and the chart expects one", kind)
		}
		found = part
	}
	if found == nil {
		return nil, fmt.Errorf("there is no document of kind %s", kind)
	}
	return append(bytes.TrimPrefix(bytes.TrimSpace(found), []byte("---\n")), '\n'), nil
}
