package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cx-operator/cx-operator/internal/exit"
	"github.com/cx-operator/cx-operator/internal/validate"
)

type validateOptions struct {
	namespace    string
	allowMissing bool
	output       string
}

func newValidateCommand() *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check manifests offline, as the API server and the operator would",
		Long: `Check manifests offline, as the API server and the operator would.

FILE is a YAML or JSON file, a folder with such files, or - for standard input. Each object is checked against the
schema and the rules of its kind, and the references between objects across all files. Objects of other groups are
passed over.

Exit code: 0 without problems, 1 with problems, 2 if the command line is wrong or a file cannot be read.`,
		Example: `  cx-operator validate programs/
  kustomize build . | cx-operator validate -n sfo -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, paths []string) error { return runValidate(cmd, o, paths) },
	}
	cmd.Flags().StringVarP(&o.namespace, "namespace", "n", "default", "namespace of objects that name none")
	cmd.Flags().BoolVar(&o.allowMissing, "allow-missing", false, "only warn of references to objects that are not in the files")
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "text or json")
	return cmd
}

func runValidate(cmd *cobra.Command, o validateOptions, paths []string) error {
	if o.output != "text" && o.output != "json" {
		return exit.WithUsage(fmt.Errorf("--output %q is unknown, write text or json", o.output))
	}
	sources, err := validate.Read(paths, cmd.InOrStdin())
	if err != nil {
		return exit.WithUsage(err)
	}
	report, err := validate.Check(sources, validate.Options{Namespace: o.namespace, AllowMissing: o.allowMissing})
	if err != nil {
		return err
	}
	if err := printReport(cmd, o.output, report); err != nil {
		return err
	}
	if len(report.Problems) > 0 {
		return exit.WithProblems(nil)
	}
	return nil
}

func printReport(cmd *cobra.Command, output string, report validate.Report) error {
	if output == "text" {
		return report.WriteText(cmd.OutOrStdout())
	}
	encoder := json.NewEncoder(cmd.OutOrStdout())
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(report)
}
