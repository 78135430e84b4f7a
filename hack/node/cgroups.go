//go:build linux

package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	cgroupMount = "/sys/fs/cgroup"
	// cgroupRoot is the control group above those of all pods.
	cgroupRoot = "cx-node"
)

// hierarchies are the folders in which a control group has to be made: one in version 2, one per controller in version 1.
func hierarchies(mount string) ([]string, error) {
	if isFile(filepath.Join(mount, "cgroup.controllers")) {
		return []string{mount}, nil
	}
	entries, err := os.ReadDir(mount)
	if err != nil {
		return nil, fmt.Errorf("reading the control groups: %w", err)
	}
	var all []string
	for _, entry := range entries {
		folder := filepath.Join(mount, entry.Name())
		if entry.IsDir() && isFile(filepath.Join(folder, "cgroup.procs")) {
			all = append(all, folder)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no control groups are mounted at %s", mount)
	}
	return all, nil
}

// makeCgroups makes the control group above those of the pods, with every controller that there is.
func makeCgroups(mount string) error {
	all, err := hierarchies(mount)
	if err != nil {
		return err
	}
	for _, folder := range all {
		root := filepath.Join(folder, cgroupRoot)
		if err := os.MkdirAll(root, 0o755); err != nil {
			return fmt.Errorf("making a control group: %w", err)
		}
		if folder == mount {
			if err := enableAll(folder); err != nil {
				return err
			}
		}
	}
	return nil
}

// enableAll hands all controllers of version 2 down to the control groups below. (kubelet does it from its root on.)
func enableAll(folder string) error {
	controllers, err := os.ReadFile(filepath.Join(folder, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("reading the controllers: %w", err)
	}
	for name := range strings.FieldsSeq(string(controllers)) {
		if err := os.WriteFile(filepath.Join(folder, "cgroup.subtree_control"), []byte("+"+name), 0o644); err != nil {
			return fmt.Errorf("enabling the controller %s: %w", name, err)
		}
	}
	return nil
}

// removeCgroups removes the control groups that a node left. They are empty, since their processes ended with it.
func removeCgroups(mount string) error {
	all, err := hierarchies(mount)
	if err != nil {
		return err
	}
	var errs []error
	for _, folder := range all {
		errs = append(errs, removeCgroup(filepath.Join(folder, cgroupRoot)))
	}
	return errors.Join(errs...)
}

// removeCgroup removes a control group and those below it: the deepest first, by rmdir, which is how it is done.
func removeCgroup(root string) error {
	var folders []string
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			folders = append(folders, name)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("finding control groups: %w", err)
	}
	for i := len(folders) - 1; i >= 0; i-- {
		if err := os.Remove(folders[i]); err != nil {
			return fmt.Errorf("removing a control group: %w", err)
		}
	}
	return nil
}
