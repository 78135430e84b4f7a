package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/controllers"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/apply"
	"github.com/cx-operator/cx-operator/internal/exit"
	"github.com/cx-operator/cx-operator/internal/fleet"
	"github.com/cx-operator/cx-operator/internal/render"
)

// dedicatedOptions are the flags of the manager that Dedicated endpoints need.
type dedicatedOptions struct {
	image                string
	pullPolicy           string
	pullSecrets          []string
	operatorNamespace    string
	monitoringNamespaces []string
}

func (d *dedicatedOptions) addTo(f *pflag.FlagSet) {
	f.StringVar(&d.image, "endpoint-image", os.Getenv("CX_OPERATOR_IMAGE"), "image of the pods of Dedicated programs: the operator's own; empty uses $CX_OPERATOR_IMAGE, and without it none are served")
	f.StringVar(&d.pullPolicy, "endpoint-image-pull-policy", "", "Always, IfNotPresent or Never; empty leaves it to Kubernetes")
	f.StringSliceVar(&d.pullSecrets, "endpoint-image-pull-secrets", nil, "Secrets, in the namespace of each Dedicated program, that its pods pull the image with")
	f.StringVar(&d.operatorNamespace, "operator-namespace", "", "namespace that the operator runs in; empty uses $POD_NAMESPACE, then the pod's service account")
	f.StringSliceVar(&d.monitoringNamespaces, "monitoring-namespaces", nil, "namespaces that may reach the operations ports of Dedicated programs, beside the operator's")
}

// check refuses what cannot be meant.
func (d *dedicatedOptions) check() error {
	switch corev1.PullPolicy(d.pullPolicy) {
	case "", corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever:
		return nil
	}
	return exit.WithUsage(fmt.Errorf("--endpoint-image-pull-policy: %q is none of Always, IfNotPresent and Never", d.pullPolicy))
}

// share returns what all endpoints have in common, nil where the operator's namespace cannot be found out.
func (d *dedicatedOptions) share(ctx context.Context, cfg *rest.Config) (*shared, error) {
	namespace := operatorNamespace(d.operatorNamespace)
	if namespace == "" {
		return nil, nil
	}
	c, err := client.New(cfg, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		return nil, fmt.Errorf("reach the API server: %w", err)
	}
	return share(ctx, c, namespace)
}

// cacheLag is how long the cache may take, at the most, until it has what was written.
const cacheLag = 10 * time.Second

// prepare gives the controllers what they make Dedicated endpoints with, in some namespaces or, with none, in all of them, or the
// reason for which they cannot.
func (d *dedicatedOptions) prepare(e *env.Env, mgr ctrl.Manager, common *shared, namespaces []string) error {
	switch {
	case common == nil:
		e.Undedicated = "its namespace is not known; it needs --operator-namespace or $POD_NAMESPACE"
		return nil
	case d.image == "":
		e.Undedicated = "no image is known for their pods; it needs --endpoint-image"
		return nil
	}
	followed := fleet.New(fleet.Options{
		Book: e.Book, Clock: e.Clock, StaleAfter: e.StaleAfter, Log: ctrl.Log.WithName("fleet"),
		CA: func() []byte { return common.authority.Certificate },
	})
	if err := mgr.Add(followed); err != nil {
		return fmt.Errorf("add the fleet: %w", err)
	}
	e.Dedicated = &env.Dedicated{
		Fleet: followed,
		Applier: &apply.Applier{
			Client: mgr.GetClient(), Reader: mgr.GetAPIReader(), Owner: env.FieldOwner, Lag: cacheLag, Namespaces: namespaces,
		},
		Authority: common.authority,
		Render: render.Options{
			Image: d.image, PullPolicy: corev1.PullPolicy(d.pullPolicy), PullSecrets: d.pullSecrets,
			OperatorNamespace: common.namespace, MonitoringNamespaces: d.monitoringNamespaces, ScrapeTokenHash: common.scrapeHash,
		},
	}
	return nil
}
