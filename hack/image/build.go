package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// versionVariable is what the linker sets to the version.
const versionVariable = "github.com/cx-operator/cx-operator/internal/version.Version"

// compile builds the main package in the folder root for a platform and returns the file. Neither the folder nor the
// version control system leaves a trace in it, so one commit and one Go release give one file.
func compile(ctx context.Context, root, folder, version string, platform v1.Platform) (string, error) {
	out := filepath.Join(folder, "cx-operator-"+platform.OS+"-"+platform.Architecture)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X "+versionVariable+"="+version, "-o", out, ".")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=",
		"GOOS="+platform.OS, "GOARCH="+platform.Architecture)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("compiling for %s: %w", platform, err)
	}
	return out, nil
}

// findOrigin reads what git says of the checkout. SOURCE_DATE_EPOCH, seconds since 1970, replaces the commit's time
// (https://reproducible-builds.org/specs/source-date-epoch/). A folder that is no checkout counts as made in 1970.
func findOrigin(ctx context.Context, root, version, epoch string) (origin, error) {
	found := origin{version: version, created: time.Unix(0, 0)}
	if said, err := git(ctx, root, "log", "-1", "--format=%H %ct"); err == nil {
		revision, seconds, _ := strings.Cut(said, " ")
		found.revision = revision
		if epoch == "" {
			epoch = seconds
		}
	}
	if epoch == "" {
		return found, nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil || seconds < 0 {
		return origin{}, fmt.Errorf("SOURCE_DATE_EPOCH=%q: write seconds since 1970", epoch)
	}
	found.created = time.Unix(seconds, 0)
	return found, nil
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = root
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}
