package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// bomType is the media type of a CycloneDX bill of materials as JSON
// (https://www.iana.org/assignments/media-types/application/vnd.cyclonedx+json).
const bomType = "application/vnd.cyclonedx+json"

// push sends the index to its registry, and each bill of materials as a referrer of the image it is about: whoever has the
// image finds it there. It uses the credentials of "docker login" or "podman login".
func push(ctx context.Context, out io.Writer, o options, joined v1.ImageIndex, images []built) error {
	tag, err := name.NewTag(o.image)
	if err != nil {
		return fmt.Errorf("reading the image's name: %w", err)
	}
	settings := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	if err := remote.WriteIndex(tag, joined, settings...); err != nil {
		return fmt.Errorf("pushing %s: %w", tag, err)
	}
	for _, each := range images {
		referrer, err := o.referrer(each)
		if err != nil {
			return err
		}
		digest, err := referrer.Digest()
		if err != nil {
			return fmt.Errorf("computing the digest: %w", err)
		}
		if err := remote.Write(tag.Context().Digest(digest.String()), referrer, settings...); err != nil {
			return fmt.Errorf("pushing the bill of materials for %s: %w", each.platform, err)
		}
	}
	fmt.Fprintf(out, "  pushed to %s, with %d bills of materials\n", tag, len(images))
	return nil
}

// referrer wraps the bill of materials of an image as an artifact that refers to the image
// (https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage).
func (o options) referrer(each built) (v1.Image, error) {
	content, err := os.ReadFile(filepath.Join(o.out, bomName(each.platform)))
	if err != nil {
		return nil, fmt.Errorf("reading the bill of materials: %w", err)
	}
	subject, err := partial.Descriptor(each.image)
	if err != nil {
		return nil, fmt.Errorf("describing the image for %s: %w", each.platform, err)
	}
	artifact := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), bomType)
	artifact, err = mutate.AppendLayers(artifact, static.NewLayer(content, bomType))
	if err != nil {
		return nil, fmt.Errorf("wrapping the bill of materials: %w", err)
	}
	referrer, _ := mutate.Subject(artifact, *subject).(v1.Image) // what it returns is what it was given
	return referrer, nil
}

func bomName(platform v1.Platform) string {
	return "cx-operator-" + strings.ReplaceAll(platform.String(), "/", "-") + ".cdx.json"
}
