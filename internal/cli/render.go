package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/exit"
	"github.com/cx-operator/cx-operator/internal/policy"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/validate"
)

// renderOptions are the flags of the command, which say what the manager would be started with.
type renderOptions struct {
	namespace            string
	image                string
	operatorNamespace    string
	monitoringNamespaces []string
}

func newRenderCommand() *cobra.Command {
	var o renderOptions
	cmd := &cobra.Command{
		Use:   "render FILE...",
		Short: "Print what the operator would apply for Dedicated programs",
		Long: `Print what the operator would apply for Dedicated programs, as YAML, without a cluster.

FILE is a YAML or JSON file, a folder with such files, or - for standard input. The files must hold the programs, their
ResponseStores, and the Touchpoints and Teams that are to be in the survey. They are checked first, as validate does.

What only a cluster knows is left out: owners, the Secrets with tokens and certificates, and the hash of the scrape token.

Exit code: 0 if something was printed, 1 with problems or without a Dedicated program, 2 if the command line is wrong or a
file cannot be read.`,
		Example: `  cx-operator render --image registry.example.org/cx-operator:1.0.0 programs/
  kustomize build . | cx-operator render -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, paths []string) error { return runRender(cmd, o, paths) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.namespace, "namespace", "n", "default", "namespace of objects that name none")
	f.StringVar(&o.image, "image", cmp.Or(os.Getenv("CX_OPERATOR_IMAGE"), "cx-operator:latest"), "image of the pods; the default is $CX_OPERATOR_IMAGE where it is set")
	f.StringVar(&o.operatorNamespace, "operator-namespace", "cx-operator-system", "namespace of the operator, whose pods may reach the operations ports")
	f.StringSliceVar(&o.monitoringNamespaces, "monitoring-namespaces", nil, "namespaces whose pods may reach the operations ports, too")
	return cmd
}

func runRender(cmd *cobra.Command, o renderOptions, paths []string) error {
	if o.image == "" {
		return exit.WithUsage(errors.New("--image must name the image of the pods"))
	}
	sources, err := validate.Read(paths, cmd.InOrStdin())
	if err != nil {
		return exit.WithUsage(err)
	}
	report, objects, err := validate.Load(sources, validate.Options{Namespace: o.namespace, AllowMissing: true})
	if err != nil {
		return err
	}
	if len(report.Problems) > 0 {
		return errors.Join(report.WriteText(cmd.ErrOrStderr()), exit.WithProblems(nil))
	}
	rendered, err := renderAll(o, objects)
	if err != nil {
		return err
	}
	if len(rendered) == 0 {
		return fmt.Errorf("nothing to render: none of the programs in these files (%d) has spec.endpoint.mode Dedicated", len(objects.Programs))
	}
	return writeManifests(cmd.OutOrStdout(), rendered)
}

// renderAll returns the objects of all Dedicated programs.
func renderAll(o renderOptions, objects validate.Objects) ([]render.Object, error) {
	var all []render.Object
	for _, program := range objects.Programs {
		if program.Spec.Endpoint.Mode != v1alpha1.EndpointDedicated {
			continue
		}
		rendered, err := renderProgram(o, program, objects)
		if err != nil {
			return nil, fmt.Errorf("SurveyProgram %s/%s: %w", program.Namespace, program.Name, err)
		}
		all = append(all, rendered...)
	}
	return all, nil
}

func renderProgram(o renderOptions, program *v1alpha1.SurveyProgram, objects validate.Objects) ([]render.Object, error) {
	at := slices.IndexFunc(objects.Stores, func(s *v1alpha1.ResponseStore) bool {
		return s.Namespace == program.Namespace && s.Name == program.Spec.StoreRef.Name
	})
	if at < 0 {
		return nil, fmt.Errorf("spec.storeRef: the ResponseStore %q is in none of these files", program.Spec.StoreRef.Name)
	}
	compiled, problems := survey.Compile(program, objects.Touchpoints, objects.Teams,
		survey.WithFollowUps(policy.FollowUps(objects.Policies, program, objects.Touchpoints)))
	if compiled == nil {
		return nil, fmt.Errorf("%s: %s", problems[0].Field, problems[0].Message) // validate has reported all of them
	}
	return render.Dedicated{Program: program, Store: objects.Stores[at], Survey: compiled, Options: render.Options{
		Image: o.image, OperatorNamespace: o.operatorNamespace, MonitoringNamespaces: o.monitoringNamespaces,
	}}.Objects()
}

// writeManifests writes objects as YAML documents.
func writeManifests(w io.Writer, objects []render.Object) error {
	for _, object := range objects {
		manifest, err := render.Manifest(object)
		if err != nil {
			return err
		}
		body, err := yaml.Marshal(manifest.Object)
		if err != nil {
			return fmt.Errorf("write %s %s: %w", manifest.GetKind(), manifest.GetName(), err)
		}
		if _, err := fmt.Fprintf(w, "---\n%s", body); err != nil {
			return err
		}
	}
	return nil
}
