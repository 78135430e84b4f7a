package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// healthScripts are in the layout of Argo CD's own repository: GROUP/KIND/health.lua.
const healthScripts = "config/argocd/resource_customizations/cx-operator.io/*/health.lua"

const argocdHeader = `# Made from resource_customizations by "make generate". It teaches Argo CD the health of the operator's kinds:
#   kubectl -n argocd patch configmap argocd-cm --type merge --patch-file config/argocd/argocd-cm.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
  labels:
    app.kubernetes.io/name: argocd-cm
    app.kubernetes.io/part-of: argocd
data:
`

// argocd is the patch for Argo CD's ConfigMap with the health script of each kind.
func argocd(root string) ([]byte, error) {
	scripts, err := filepath.Glob(filepath.Join(root, healthScripts))
	if err != nil {
		return nil, err
	}
	if len(scripts) == 0 {
		return nil, errors.New(healthScripts + ": there is no such file")
	}
	out := bytes.NewBufferString(argocdHeader)
	for _, path := range scripts {
		script, err := os.ReadFile(path) // #nosec G304 -- a file of the repository
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "  resource.customizations.health.cx-operator.io_%s: |\n", filepath.Base(filepath.Dir(path)))
		for line := range bytes.Lines(script) {
			if len(bytes.TrimSpace(line)) > 0 {
				out.WriteString("    ")
			}
			out.Write(line)
		}
	}
	return out.Bytes(), nil
}
