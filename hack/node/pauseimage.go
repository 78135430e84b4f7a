//go:build linux

package node

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// pauseImage is what containerd runs as the first process of each pod.
const pauseImage = "cx-operator.local/pause:1"

// buildPause compiles hack/node/pause as one static file.
func buildPause(ctx context.Context, source, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, ".")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH, "GOFLAGS=")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compiling the pause program: %w\n%s", err, said)
	}
	return nil
}

// writePauseImage packs the program as an image, in the format of "docker save": the simplest that there is.
func writePauseImage(out, program string) error {
	content, err := os.ReadFile(program)
	if err != nil {
		return fmt.Errorf("reading the pause program: %w", err)
	}
	layer, err := archive([]packed{{"pause", 0o755, content}})
	if err != nil {
		return err
	}
	digest := sha256.Sum256(layer)
	config, err := json.Marshal(map[string]any{
		"os": "linux", "architecture": runtime.GOARCH,
		"config": map[string]any{"Entrypoint": []string{"/pause"}, "User": "65535:65535"},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(digest[:])}},
	})
	if err != nil {
		return fmt.Errorf("writing the pause image: %w", err)
	}
	manifest, err := json.Marshal([]any{map[string]any{
		"Config": "config.json", "Layers": []string{"layer.tar"}, "RepoTags": []string{pauseImage},
	}})
	if err != nil {
		return fmt.Errorf("writing the pause image: %w", err)
	}
	image, err := archive([]packed{{"config.json", 0o644, config}, {"layer.tar", 0o644, layer}, {"manifest.json", 0o644, manifest}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, image, 0o644); err != nil {
		return fmt.Errorf("writing the pause image: %w", err)
	}
	return nil
}

type packed struct {
	name    string
	mode    int64
	content []byte
}

func archive(files []packed) ([]byte, error) {
	var out bytes.Buffer
	writer := tar.NewWriter(&out)
	for _, f := range files {
		if err := writer.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content))}); err != nil {
			return nil, fmt.Errorf("packing %s: %w", f.name, err)
		}
		if _, err := writer.Write(f.content); err != nil {
			return nil, fmt.Errorf("packing %s: %w", f.name, err)
		}
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("packing: %w", err)
	}
	return out.Bytes(), nil
}
