package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/embedded"
	"github.com/cx-operator/cx-operator/internal/exit"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/unmanaged"
	"github.com/cx-operator/cx-operator/internal/version"
)

// managerOptions are the flags of the manager.
type managerOptions struct {
	kubeconfig         string
	metricsAddress     string
	metricsSecure      bool
	metricsCertDir     string
	probeAddress       string
	leaderElect        bool
	leaderNamespace    string
	workers            int
	apiQPS             float32
	staleAfter         time.Duration
	embedded           bool
	intakeAddress      string
	publicURL          string
	dataDir            string
	ratePerMinute      int
	rateBurst          int
	trustedProxies     []string
	pprofAddress       string
	logDevelopmentMode bool
	watchNamespaces    []string
	dedicated          dedicatedOptions
	feedback           feedbackOptions
	notify             notifyOptions
}

func newManagerCommand() *cobra.Command {
	var o managerOptions
	cmd := &cobra.Command{
		Use:   "manager",
		Short: "Run the controllers and, with --embedded-endpoint, the survey pages",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runManager(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "path of a kubeconfig; empty uses $KUBECONFIG, then the pod's service account, then ~/.kube/config")
	f.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443", "host:port of /metrics; 0 switches it off")
	f.BoolVar(&o.metricsSecure, "metrics-secure", true, "serve /metrics by TLS to clients that the API server authenticates and authorizes; false is plain HTTP for everybody")
	f.StringVar(&o.metricsCertDir, "metrics-cert-dir", "", "folder with tls.crt and tls.key for /metrics; empty uses a certificate of the authority in the ConfigMap cx-operator-endpoints-ca, and outside a cluster a self-signed one")
	f.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", "host:port of /healthz and /readyz")
	f.BoolVar(&o.leaderElect, "leader-elect", true, "run only while holding the lease, so that one of several replicas acts")
	f.StringVar(&o.leaderNamespace, "leader-election-namespace", "", "namespace of the lease; empty uses the pod's")
	f.IntVar(&o.workers, "workers", 16, "reconciles at once, for each kind")
	f.Float32Var(&o.apiQPS, "api-qps", -1, "requests per second to the API server at the most; -1 sets no limit beside its own priority and fairness")
	f.DurationVar(&o.staleAfter, "stale-after", time.Minute, "how long counts may be unread before verdicts are Stale")
	f.BoolVar(&o.embedded, "embedded-endpoint", false, "serve Embedded programs in this process")
	f.StringVar(&o.intakeAddress, "intake-bind-address", ":8080", "host:port of survey pages and submissions")
	f.StringVar(&o.publicURL, "public-url", "http://localhost:8080", "base address that respondents use, for the status and links")
	f.StringVar(&o.dataDir, "data-dir", "/var/lib/cx-operator", "folder for answers; it must survive a restart")
	f.IntVar(&o.ratePerMinute, "intake-rate-per-minute", 600, "submissions per minute and client address; -1 switches the limit off, imports are exempt")
	f.IntVar(&o.rateBurst, "intake-rate-burst", 100, "submissions at once per client address")
	f.StringSliceVar(&o.trustedProxies, "intake-trusted-proxies", nil, "addresses or CIDRs of proxies whose X-Forwarded-For is believed")
	f.StringSliceVar(&o.watchNamespaces, "watch-namespaces", nil, "namespaces whose programs are run; without any those of all namespaces")
	o.dedicated.addTo(f)
	o.feedback.addTo(f)
	o.notify.addTo(f)
	f.StringVar(&o.pprofAddress, "pprof-bind-address", "", "host:port of profiles for whoever may connect, such as 127.0.0.1:6060; empty switches them off")
	f.BoolVar(&o.logDevelopmentMode, "log-development", false, "log as text for people instead of JSON")
	return cmd
}

func runManager(ctx context.Context, o managerOptions) error {
	if err := errors.Join(o.dedicated.check(), o.feedback.check()); err != nil {
		return err
	}
	collectOften()
	log := zap.New(zap.UseDevMode(o.logDevelopmentMode))
	ctrl.SetLogger(log)
	clock, err := clockMoved(os.Getenv(envClock), time.Now)
	if err != nil {
		return exit.WithUsage(err)
	}
	e := &env.Env{
		Clock: clock, Book: rollup.NewBook(), Exporter: exporter.New(), StaleAfter: o.staleAfter, HoldFor: env.DefaultHold,
	}
	if err := o.equip(e); err != nil {
		return err
	}
	cfg, err := restConfig(o)
	if err != nil {
		return err
	}
	common, err := o.dedicated.share(ctx, cfg)
	if err != nil {
		return err
	}
	cfg.Wrap(unmanaged.Watches(v1alpha1.GroupVersion.Group))
	mgr, err := newManager(o, cfg, common, e.Exporter)
	if err != nil {
		return err
	}
	e.Client, e.Recorder = mgr.GetClient(), mgr.GetEventRecorder("cx-operator")
	if err := o.dedicated.prepare(e, mgr, common, o.watchNamespaces); err != nil {
		return err
	}
	if e.Endpoint != nil {
		if err := mgr.Add(e.Endpoint); err != nil {
			return fmt.Errorf("add endpoint: %w", err)
		}
	}
	if err := controllers.Setup(ctx, mgr, e, o.workers); err != nil {
		return err
	}
	if err := o.feedback.add(ctx, mgr, cfg, e, common, o.watchNamespaces); err != nil {
		return err
	}
	if err := errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("ping", healthz.Ping)); err != nil {
		return fmt.Errorf("add probes: %w", err)
	}
	log.Info("Starting", "version", version.Version)
	defer keepSmall(ctx, log)()
	return mgr.Start(ctx)
}

// equip adds what the process sends messages and serves Embedded programs by.
func (o managerOptions) equip(e *env.Env) (err error) {
	if e.Notify, err = o.notify.sender(e.Clock); err != nil {
		return err
	}
	if o.embedded {
		e.Endpoint, err = newEndpoint(o, e.Book, e.Clock)
	}
	return err
}

func newManager(o managerOptions, cfg *rest.Config, common *shared, shown *exporter.Exporter) (ctrl.Manager, error) {
	served := metricsserver.Options{BindAddress: o.metricsAddress, SecureServing: o.metricsSecure, CertDir: o.metricsCertDir}
	served.FilterProvider = answeredBy(shown.Handler(metrics.Registry), nil)
	if o.metricsSecure {
		served.FilterProvider = answeredBy(shown.Handler(metrics.Registry), authenticated)
	}
	if common != nil && o.metricsCertDir == "" {
		own := newOwnCertificate(common.authority, common.namespace)
		served.TLSOpts = append(served.TLSOpts, func(c *tls.Config) { c.GetCertificate = own.get })
	}
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme: controllers.Scheme(), Cache: controllers.CacheOptions(o.watchNamespaces...), Metrics: served,
		HealthProbeBindAddress: o.probeAddress, PprofBindAddress: o.pprofAddress, LeaderElection: o.leaderElect,
		LeaderElectionID: "cx-operator.cx-operator.io", LeaderElectionNamespace: o.leaderNamespace,
		// The binary ends when the manager does, so the lease can be given up at once.
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return nil, fmt.Errorf("create manager: %w", err)
	}
	return mgr, nil
}

func newEndpoint(o managerOptions, book *rollup.Book, clock func() time.Time) (*embedded.Endpoint, error) {
	proxies, err := parseProxies("--intake-trusted-proxies", o.trustedProxies)
	if err != nil {
		return nil, exit.WithUsage(err)
	}
	rate := o.ratePerMinute
	if rate == 0 {
		rate = -1
	}
	log := ctrl.Log.WithName("endpoint")
	endpoint, err := embedded.New(embedded.Options{
		Dir: o.dataDir, Address: o.intakeAddress, PublicURL: o.publicURL, Book: book, Clock: clock,
		StaleAfter: o.staleAfter, Log: log,
		Intake: intake.Config{
			RatePerMinute: rate, RateBurst: o.rateBurst, TrustedProxies: proxies, Clock: clock, Log: log,
			Registerer: metrics.Registry,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("prepare the endpoint: %w", err)
	}
	return endpoint, nil
}

// restConfig finds the API server.
func restConfig(o managerOptions) (*rest.Config, error) {
	var cfg *rest.Config
	var err error
	if o.kubeconfig != "" {
		cfg, err = clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	} else {
		cfg, err = config.GetConfig()
	}
	if err != nil {
		return nil, fmt.Errorf("find the API server: %w", err)
	}
	cfg.QPS, cfg.Burst = -1, 0
	if o.apiQPS > 0 {
		cfg.QPS, cfg.Burst = o.apiQPS, max(1, int(2*o.apiQPS))
	}
	return cfg, nil
}
