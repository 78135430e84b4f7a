package main

import (
	"maps"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// What the image is, whoever builds it: the Dockerfile says the same, and a test compares them.
const (
	binaryPath = "/cx-operator"
	user       = "65532:65532" // runAsNonRoot wants a number
	certsPath  = "/etc/ssl/certs/ca-certificates.crt"
)

// The keys of labels whose values differ from build to build.
const (
	labelVersion  = "org.opencontainers.image.version"
	labelRevision = "org.opencontainers.image.revision"
	labelCreated  = "org.opencontainers.image.created"
)

// constantLabels are the predefined keys of the OCI image specification
// (https://github.com/opencontainers/image-spec/blob/main/annotations.md) that no build changes.
var constantLabels = map[string]string{
	"org.opencontainers.image.title":         "cx-operator",
	"org.opencontainers.image.description":   "Runs customer-experience programs on Kubernetes.",
	"org.opencontainers.image.url":           "https://github.com/cx-operator/cx-operator",
	"org.opencontainers.image.source":        "https://github.com/cx-operator/cx-operator",
	"org.opencontainers.image.documentation": "https://github.com/cx-operator/cx-operator/tree/main/docs",
	"org.opencontainers.image.licenses":      "Apache-2.0",
}

// origin says what an image was built from.
type origin struct {
	version  string    // as git describe names it
	revision string    // the commit, "" where it is not known
	created  time.Time // the commit's time, so that a later build of it gives the same bytes
}

func (o origin) labels() map[string]string {
	labels := maps.Clone(constantLabels)
	labels[labelVersion] = o.version
	labels[labelCreated] = o.created.UTC().Format(time.RFC3339)
	if o.revision != "" {
		labels[labelRevision] = o.revision
	}
	return labels
}

// config is the image's configuration for one platform.
func (o origin) config(platform v1.Platform) *v1.ConfigFile {
	created := v1.Time{Time: o.created.UTC()}
	return &v1.ConfigFile{
		OS:           platform.OS,
		Architecture: platform.Architecture,
		Created:      created,
		Author:       "cx-operator",
		RootFS:       v1.RootFS{Type: "layers"},
		Config: v1.Config{
			Entrypoint: []string{binaryPath},
			User:       user,
			WorkingDir: "/",
			Labels:     o.labels(),
		},
	}
}
