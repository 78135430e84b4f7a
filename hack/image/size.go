package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// sizes measures an image: what a registry stores and sends (manifest, configuration, layers), and what its layers unpack to.
func sizes(image v1.Image) (compressed, unpacked int64, err error) {
	manifest, err := image.Manifest()
	if err != nil {
		return 0, 0, fmt.Errorf("reading the manifest: %w", err)
	}
	own, err := image.Size()
	if err != nil {
		return 0, 0, fmt.Errorf("measuring the manifest: %w", err)
	}
	compressed = own + manifest.Config.Size
	layers, err := image.Layers()
	if err != nil {
		return 0, 0, fmt.Errorf("reading the layers: %w", err)
	}
	for _, each := range layers {
		size, err := each.Size()
		if err != nil {
			return 0, 0, fmt.Errorf("measuring a layer: %w", err)
		}
		content, err := each.Uncompressed()
		if err != nil {
			return 0, 0, fmt.Errorf("unpacking a layer: %w", err)
		}
		whole, err := io.Copy(io.Discard, content)
		if err := errors.Join(err, content.Close()); err != nil {
			return 0, 0, fmt.Errorf("unpacking a layer: %w", err)
		}
		compressed += size
		unpacked += whole
	}
	return compressed, unpacked, nil
}

// reference is NAME:TAG, where the name may have a registry and its port before it.
var reference = regexp.MustCompile(`^[a-z0-9]+(?:[._:/-]+[a-z0-9]+)*:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

func checkReference(image string) error {
	if reference.MatchString(image) {
		return nil
	}
	return fmt.Errorf("the image %q needs a name in lower case and a tag, such as registry.example.com/cx-operator:v1", image)
}
