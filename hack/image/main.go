// Command image builds the operator's container image without a container engine: an OCI archive with one index for all
// platforms, and beside it a bill of materials for each. One commit and one Go release give the same bytes on every machine.
//
//	go run . -root ../.. -out ../../dist -image cx-operator:v1 -version v1 -platforms linux/amd64,linux/arm64
//
// It prints each platform's sizes and the digest of the index, and fails where a platform is too large.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// most is how large the image of one platform may be, in bytes as a registry stores and sends it.
const most = 40_000_000

// archiveName is the archive's name in the folder for output.
const archiveName = "cx-operator.oci.tar"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		stop()
		os.Exit(1)
	}
}

// options are the command's flags.
type options struct {
	root, out, image, version string
	platforms                 []v1.Platform
	push                      bool
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.StringVar(&o.root, "root", "../..", "folder of the operator's module")
	flags.StringVar(&o.out, "out", "../../dist", "folder for the archive and the bills of materials")
	flags.StringVar(&o.image, "image", "cx-operator:dev", "name and tag")
	flags.StringVar(&o.version, "version", "dev", "version to build in")
	flags.BoolVar(&o.push, "push", false, "push to the registry that the image's name begins with")
	flags.Func("platforms", "comma-separated platforms, linux/amd64,linux/arm64 if absent", func(value string) (err error) {
		o.platforms, err = parsePlatforms(value)
		return err
	})
	o.platforms = []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unknown argument %q: only flags are allowed", flags.Arg(0))
	}
	return o, checkReference(o.image)
}

func parsePlatforms(value string) ([]v1.Platform, error) {
	var list []v1.Platform
	for name := range strings.SplitSeq(value, ",") {
		platform, err := v1.ParsePlatform(name)
		if err != nil || platform.OS != "linux" || platform.Architecture == "" {
			return nil, fmt.Errorf("%q is no platform: write linux/amd64 or linux/arm64", name)
		}
		list = append(list, *platform)
	}
	return list, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	from, err := findOrigin(ctx, o.root, o.version, os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return err
	}
	extras, err := ownModules(rootsModule)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return fmt.Errorf("making the folder for output: %w", err)
	}
	work, err := os.MkdirTemp("", "cx-image-")
	if err != nil {
		return fmt.Errorf("making a work folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()

	images := make([]built, 0, len(o.platforms))
	for _, platform := range o.platforms {
		image, err := o.build(ctx, work, from, platform, extras)
		if err != nil {
			return err
		}
		images = append(images, built{platform, image})
	}
	joined := index(from, images)
	archive := filepath.Join(o.out, archiveName)
	if err := writeArchive(archive, filepath.Join(work, "layout"), o.image, joined, from.created); err != nil {
		return err
	}
	if err := report(out, archive, o.image, joined, images); err != nil || !o.push {
		return err
	}
	return push(ctx, out, o, joined, images)
}

// build makes the image of one platform, and its bill of materials in the folder for output.
func (o options) build(ctx context.Context, work string, from origin, platform v1.Platform, extras []*debug.Module) (v1.Image, error) {
	program, err := compile(ctx, o.root, work, from.version, platform)
	if err != nil {
		return nil, err
	}
	bom, err := billOfMaterials(program, from, platform, extras)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(o.out, bomName(platform)), bom, 0o644); err != nil {
		return nil, fmt.Errorf("writing the bill of materials: %w", err)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("reading the program: %w", err)
	}
	return assemble(from, platform, content)
}

// report prints what was built. It fails where an image is larger than it may be.
func report(out io.Writer, archive, reference string, joined v1.ImageIndex, images []built) error {
	digest, err := joined.Digest()
	if err != nil {
		return fmt.Errorf("computing the digest: %w", err)
	}
	fmt.Fprintf(out, "%s\n  %s@%s\n", archive, reference, digest)
	var errs []error
	for _, each := range images {
		compressed, unpacked, err := sizes(each.image)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %-12s %6.1f MB to pull, %6.1f MB unpacked\n", each.platform.String(), megabytes(compressed), megabytes(unpacked))
		if compressed > most {
			errs = append(errs, fmt.Errorf("the image for %s is %.1f MB: more than %.0f", each.platform, megabytes(compressed), megabytes(most)))
		}
	}
	return errors.Join(errs...)
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }
