package main

import (
	"bytes"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// The Dockerfile is for those who have Docker: what it makes is the same in what users of the image rely on.
func TestDockerfileAgrees(t *testing.T) {
	content, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(content), "\\\n", " ")
	from := origin{version: "${VERSION}", revision: "${REVISION}", created: time.Unix(0, 0)}
	config := from.config(v1.Platform{}).Config

	last := text[strings.LastIndex(text, "\nFROM ")+1:]
	instruction := func(name string) string {
		found := regexp.MustCompile(`(?m)^`+name+` (.*)$`).FindAllStringSubmatch(last, -1)
		if len(found) == 0 {
			t.Fatalf("no %s in the last stage", name)
		}
		return found[len(found)-1][1]
	}
	if got := instruction("FROM"); got != "scratch" {
		t.Errorf("FROM %s, want scratch: the other has no base either", got)
	}
	if got := instruction("USER"); got != config.User {
		t.Errorf("USER %s, want %s", got, config.User)
	}
	if got, want := instruction("ENTRYPOINT"), `["`+strings.Join(config.Entrypoint, `", "`)+`"]`; got != want {
		t.Errorf("ENTRYPOINT %s, want %s", got, want)
	}
	if !strings.Contains(last, certsPath) || !strings.Contains(last, binaryPath) {
		t.Errorf("the last stage does not copy %s and %s", certsPath, binaryPath)
	}
	got := map[string]string{}
	for _, pair := range regexp.MustCompile(`([\w.]+)="([^"]*)"`).FindAllStringSubmatch(instruction("LABEL"), -1) {
		got[pair[1]] = pair[2]
	}
	want := config.Labels
	want[labelCreated] = "${CREATED}"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

func TestBillOfMaterials(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	extras := []*debug.Module{{Path: "example.test/roots", Version: "v0.1.0", Sum: "h1:x="}}
	from := origin{version: "v1.2.3", revision: "abc", created: time.Unix(1_700_000_000, 0)}
	content, err := billOfMaterials(program, from, v1.Platform{OS: "linux", Architecture: "arm64"}, extras)
	if err != nil {
		t.Fatal(err)
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(content), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if bom.SpecVersion != cdx.SpecVersion1_6 || bom.SerialNumber != "" || bom.Metadata.Timestamp != "2023-11-14T22:13:20Z" {
		t.Errorf("version %s, serial number %q, time %s: want 1.6, none (it would be random) and the commit's",
			bom.SpecVersion, bom.SerialNumber, bom.Metadata.Timestamp)
	}
	if got := bom.Metadata.Component; got.Version != "v1.2.3" || got.Name != "cx-operator" {
		t.Errorf("it is about %s %s", got.Name, got.Version)
	}
	var names []string
	for _, component := range *bom.Components {
		names = append(names, component.BOMRef)
		if component.Name != "std" && component.Version != "" && !strings.HasPrefix((*component.Properties)[0].Value, "h1:") {
			t.Errorf("%s has no checksum", component.Name)
		}
	}
	if !slices.IsSorted(names) {
		t.Error("the components are not in order")
	}
	for _, want := range []string{"pkg:golang/std@1.", "pkg:golang/example.test/roots@v0.1.0", "pkg:golang/github.com/google/go-containerregistry@v0."} {
		if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, want) }) {
			t.Errorf("no %s in %v", want, names)
		}
	}
	if refs := (*bom.Dependencies)[0]; !cmp.Equal(*refs.Dependencies, names) {
		t.Errorf("the image depends on %v, want all components", *refs.Dependencies)
	}
}

func TestBillOfMaterialsWantsAProgram(t *testing.T) {
	if _, err := billOfMaterials("go.mod", origin{}, v1.Platform{}, nil); err == nil {
		t.Error("a text file passed for a program")
	}
	if found, err := ownModules(rootsModule); err != nil || !strings.HasPrefix(found[0].Sum, "h1:") {
		t.Errorf("the certificates' module: %+v, %v", found, err)
	}
	if _, err := ownModules("example.test/none"); err == nil {
		t.Error("a module was found that is not there")
	}
}

func TestPurlEscapes(t *testing.T) {
	if got, want := purl("a.b/c", "v1.0.0+incompatible"), "pkg:golang/a.b/c@v1.0.0%2Bincompatible"; got != want {
		t.Errorf("purl = %s, want %s", got, want)
	}
}

func TestFlags(t *testing.T) {
	tests := []struct {
		name, wantErr string
		args          []string
	}{
		{name: "none"},
		{name: "registry with a port", args: []string{"-image", "registry.example.com:5000/team/cx-operator:v1.0.0-3-gabc"}},
		{name: "one platform", args: []string{"-platforms", "linux/arm64"}},
		{name: "no tag", args: []string{"-image", "cx-operator"}, wantErr: "needs a name in lower case and a tag"},
		{name: "upper case", args: []string{"-image", "CX:v1"}, wantErr: "needs a name in lower case and a tag"},
		{name: "a tag with a slash", args: []string{"-image", "cx:v/1"}, wantErr: "needs a name in lower case and a tag"},
		{name: "another system", args: []string{"-platforms", "windows/amd64"}, wantErr: "write linux/amd64"},
		{name: "half a platform", args: []string{"-platforms", "linux"}, wantErr: "write linux/amd64"},
		{name: "a stray argument", args: []string{"x"}, wantErr: `unknown argument "x"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse(tt.args)
			if tt.wantErr == "" && err != nil || tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
				t.Errorf("error = %v, want %q", err, tt.wantErr)
			}
		})
	}
}

func TestQualified(t *testing.T) {
	for short, want := range map[string]string{
		"cx-operator:v1":               "docker.io/library/cx-operator:v1",
		"team/cx-operator:v1":          "docker.io/team/cx-operator:v1",
		"ghcr.io/team/cx-operator:v1":  "ghcr.io/team/cx-operator:v1",
		"localhost/cx-operator:v1":     "localhost/cx-operator:v1",
		"registry:5000/cx-operator:v1": "registry:5000/cx-operator:v1",
	} {
		if got := qualified(short); got != want {
			t.Errorf("qualified(%s) = %s, want %s", short, got, want)
		}
	}
}

func TestOriginWithoutACheckout(t *testing.T) {
	for _, tt := range []struct {
		epoch, wantErr string
		want           int64
	}{{epoch: "", want: 0}, {epoch: "86400", want: 86400}, {epoch: "soon", wantErr: "write seconds"}, {epoch: "-1", wantErr: "write seconds"}} {
		got, err := findOrigin(t.Context(), t.TempDir(), "v1", tt.epoch)
		if tt.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("%q: error = %v, want %q", tt.epoch, err, tt.wantErr)
			}
			continue
		}
		if err != nil || got.created.Unix() != tt.want || got.revision != "" {
			t.Errorf("%q: %+v, %v", tt.epoch, got, err)
		}
		if _, has := got.labels()[labelRevision]; has {
			t.Errorf("%q: a label without a revision", tt.epoch)
		}
	}
}
