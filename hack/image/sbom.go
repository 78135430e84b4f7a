package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// rootsModule is where the image's certificates come from.
const rootsModule = "golang.org/x/crypto/x509roots/fallback"

// billOfMaterials lists, as CycloneDX 1.6 JSON, what a program was built from, as the program itself says
// (go version -m), and the certificates that the image adds. extras are those modules of this builder.
func billOfMaterials(program string, from origin, platform v1.Platform, extras []*debug.Module) ([]byte, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("reading what %s was built from: %w", program, err)
	}
	main := cdx.Component{
		BOMRef:     "cx-operator",
		Type:       cdx.ComponentTypeContainer,
		Name:       "cx-operator",
		Version:    from.version,
		PackageURL: purl(info.Main.Path, from.version),
		Licenses:   &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}},
		Properties: properties("os", platform.OS, "architecture", platform.Architecture, "git:revision", from.revision),
	}
	components := []cdx.Component{library("std", strings.TrimPrefix(info.GoVersion, "go"), "")}
	for _, module := range append(slices.Clone(info.Deps), extras...) {
		if module.Replace != nil {
			module = module.Replace
		}
		components = append(components, library(module.Path, module.Version, module.Sum))
	}
	slices.SortFunc(components, func(a, b cdx.Component) int { return strings.Compare(a.BOMRef, b.BOMRef) })
	refs := make([]string, len(components))
	for i, component := range components {
		refs[i] = component.BOMRef
	}

	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: from.created.UTC().Format(time.RFC3339), Component: &main}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	var out bytes.Buffer
	if err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return nil, fmt.Errorf("writing the bill of materials: %w", err)
	}
	return out.Bytes(), nil
}

// ownModules finds modules of the running program by path.
func ownModules(paths ...string) ([]*debug.Module, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil, fmt.Errorf("this program does not know what it was built from")
	}
	var found []*debug.Module
	for _, path := range paths {
		at := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == path })
		if at < 0 {
			return nil, fmt.Errorf("this program was built without %s", path)
		}
		found = append(found, info.Deps[at])
	}
	return found, nil
}

func library(path, version, sum string) cdx.Component {
	component := cdx.Component{
		BOMRef:     purl(path, version),
		Type:       cdx.ComponentTypeLibrary,
		Name:       path,
		Version:    version,
		PackageURL: purl(path, version),
		Scope:      cdx.ScopeRequired,
	}
	if sum != "" {
		component.Properties = properties("go:sum", sum)
	}
	return component
}

// purl is the package URL of a Go module (https://github.com/package-url/purl-spec, type golang).
func purl(path, version string) string {
	return "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
}

// properties are pairs of name and value under this project's prefix. Pairs without a value are left out.
func properties(pairs ...string) *[]cdx.Property {
	list := make([]cdx.Property, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			list = append(list, cdx.Property{Name: "cx-operator:" + pairs[i], Value: pairs[i+1]})
		}
	}
	return &list
}
