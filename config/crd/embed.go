// Package crd holds the generated CustomResourceDefinitions.
package crd

import "embed"

// Bases holds the CustomResourceDefinitions as bases/*.yaml, one in each file.
//
//go:embed bases/*.yaml
var Bases embed.FS
