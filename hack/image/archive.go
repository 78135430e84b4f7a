package main

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// assemble makes the image of one platform from its program.
func assemble(from origin, platform v1.Platform, program []byte) (v1.Image, error) {
	configured, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), from.config(platform))
	if err != nil {
		return nil, fmt.Errorf("configuring the image for %s: %w", platform, err)
	}
	configured = mutate.ConfigMediaType(configured, types.OCIConfigJSON)
	parts := []struct {
		what  string
		files []file
	}{
		{"certificates, users", base()},
		{"cx-operator " + from.version, []file{{name: binaryPath[1:], mode: 0o755, content: program}}},
	}
	adds := make([]mutate.Addendum, 0, len(parts))
	for _, part := range parts {
		packed, err := layer(part.files, from.created)
		if err != nil {
			return nil, err
		}
		adds = append(adds, mutate.Addendum{
			Layer:     packed,
			History:   v1.History{Created: v1.Time{Time: from.created.UTC()}, CreatedBy: "make image", Comment: part.what},
			MediaType: types.OCILayer,
		})
	}
	image, err := mutate.Append(configured, adds...)
	if err != nil {
		return nil, fmt.Errorf("assembling the image for %s: %w", platform, err)
	}
	return image, nil
}

// built is the image of one platform.
type built struct {
	platform v1.Platform
	image    v1.Image
}

// index joins the images of all platforms.
func index(from origin, images []built) v1.ImageIndex {
	joined := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, each := range images {
		joined = mutate.AppendManifests(joined, mutate.IndexAddendum{
			Add:        each.image,
			Descriptor: v1.Descriptor{Platform: &each.platform},
		})
	}
	annotated, _ := mutate.Annotations(joined, from.labels()).(v1.ImageIndex) // what it returns is what it was given
	return annotated
}

// writeArchive writes an OCI image layout (https://github.com/opencontainers/image-spec/blob/main/image-layout.md) that
// holds the index under the reference NAME:TAG, as one tar file.
func writeArchive(out, folder, reference string, content v1.ImageIndex, at time.Time) error {
	named := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{
		Add: content,
		Descriptor: v1.Descriptor{Annotations: map[string]string{
			// By this containerd names it on import, by the other everybody else.
			"io.containerd.image.name":          qualified(reference),
			"org.opencontainers.image.ref.name": reference[strings.LastIndexByte(reference, ':')+1:],
		}},
	})
	if _, err := layout.Write(folder, named); err != nil {
		return fmt.Errorf("writing the image layout: %w", err)
	}
	partial := out + ".new"
	defer func() { _ = os.Remove(partial) }() // there is one only after a failure
	if err := pack(partial, folder, at); err != nil {
		return err
	}
	return os.Rename(partial, out)
}

// qualified is how Kubernetes and containerd complete a short name.
func qualified(reference string) string {
	first, _, several := strings.Cut(reference, "/")
	switch {
	case !several:
		return "docker.io/library/" + reference
	case strings.ContainsAny(first, ".:") || first == "localhost":
		return reference
	}
	return "docker.io/" + reference
}

// pack puts a folder's files into a tar file, in the order of their names, without anything of this machine.
func pack(out, folder string, at time.Time) error {
	target, err := os.Create(out)
	if err != nil {
		return fmt.Errorf("writing the archive: %w", err)
	}
	defer target.Close()
	packed := tar.NewWriter(target)
	err = filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == folder {
			return err
		}
		inside, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return packed.WriteHeader(&tar.Header{
				Typeflag: tar.TypeDir, Name: filepath.ToSlash(inside) + "/", Mode: 0o755, ModTime: at,
			})
		}
		return packFile(packed, name, filepath.ToSlash(inside), at)
	})
	if err != nil {
		return fmt.Errorf("writing the archive: %w", err)
	}
	if err := packed.Close(); err != nil {
		return fmt.Errorf("writing the archive: %w", err)
	}
	return target.Close()
}

func packFile(packed *tar.Writer, name, inside string, at time.Time) error {
	source, err := os.Open(name)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: inside, Mode: 0o644, Size: info.Size(), ModTime: at}
	if err := packed.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(packed, source)
	return err
}
