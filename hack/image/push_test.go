package main

import (
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// What is pushed is what the archive holds, and each platform's image leads to its bill of materials.
func TestPush(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	image := strings.TrimPrefix(server.URL, "http://") + "/team/cx-operator:v1"
	t.Setenv("DOCKER_CONFIG", t.TempDir()) // no credentials of the developer's

	from := origin{version: "v1"}
	o := options{image: image, out: t.TempDir()}
	var images []built
	for _, architecture := range []string{"amd64", "arm64"} {
		platform := v1.Platform{OS: "linux", Architecture: architecture}
		images = append(images, built{platform, must(assemble(from, platform, []byte("program for "+architecture)))})
		write(t, filepath.Join(o.out, bomName(platform)), `{"of": "`+architecture+`"}`)
	}
	joined := index(from, images)
	var said bytes.Buffer
	if err := push(t.Context(), &said, o, joined, images); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said.String(), "pushed to "+image) {
		t.Errorf("said %q", said.String())
	}
	tag := must(name.NewTag(image))
	pushed := must(remote.Index(tag))
	if got, want := must(pushed.Digest()), must(joined.Digest()); got != want {
		t.Errorf("pushed %s, want %s", got, want)
	}
	for _, each := range images {
		subject := tag.Context().Digest(must(each.image.Digest()).String())
		referrers := must(must(remote.Referrers(subject)).IndexManifest()).Manifests
		if len(referrers) != 1 || referrers[0].ArtifactType != bomType {
			t.Fatalf("%s: referrers %+v, want one of type %s", each.platform, referrers, bomType)
		}
		artifact := must(remote.Image(tag.Context().Digest(referrers[0].Digest.String())))
		content := must(io.ReadAll(must(must(artifact.Layers())[0].Uncompressed())))
		if want := `{"of": "` + each.platform.Architecture + `"}`; string(content) != want {
			t.Errorf("%s leads to %s, want %s", each.platform, content, want)
		}
	}
}

func TestPushSaysWhatFailed(t *testing.T) {
	server := httptest.NewServer(nil)
	address := strings.TrimPrefix(server.URL, "http://")
	server.Close() // nobody listens there any more
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	err := push(t.Context(), io.Discard, options{image: address + "/x:v1"}, index(origin{}, nil), nil)
	if err == nil || !strings.Contains(err.Error(), "pushing "+address+"/x:v1") {
		t.Errorf("error = %v, want what was pushed", err)
	}
}
