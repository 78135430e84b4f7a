package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	dedicated "github.com/cx-operator/cx-operator/internal/endpoint"
	"github.com/cx-operator/cx-operator/internal/exit"
	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/transfer"
	"github.com/cx-operator/cx-operator/internal/version"
)

// endpointOptions are the flags of the endpoint.
type endpointOptions struct {
	program, store                   string
	survey, tokens, keys, tls        string
	sqliteDir                        string
	postgresURI, postgresSchema      string
	postgresConnections              int
	publicURL                        string
	intakeAddress, operationsAddress string
	ratePerMinute, rateBurst         int
	trustedProxies                   []string
	scrapeTokenHash                  string
	drain                            time.Duration
	logDevelopmentMode               bool
}

func newEndpointCommand() *cobra.Command {
	var o endpointOptions
	cmd := &cobra.Command{
		Use:   "endpoint",
		Short: "Serve the survey of one Dedicated program: what its pods run",
		Long: `Serve the survey of one Dedicated program: what its pods run.

Tokens, keys, the certificate and the connection URI are read again when they change. At SIGTERM the process is no longer
ready, but goes on serving for --drain; then it finishes what it has begun, within 20 s, and closes the store.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runEndpoint(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.program, "program", "", "the program, as NAMESPACE/NAME")
	f.StringVar(&o.store, "store", "", "the ResponseStore that answers are kept in, as NAMESPACE/NAME")
	f.StringVar(&o.survey, "survey", "", "file with the compiled survey")
	f.StringVar(&o.tokens, "tokens-dir", "", "folder with the program's tokens: import, read, internal, sign")
	f.StringVar(&o.keys, "keys-dir", "", "folder with the store's keys for contacts, which may be missing: contacts, cases")
	f.StringVar(&o.tls, "tls-dir", "", "folder with the certificate of the operations port: tls.crt, tls.key")
	f.StringVar(&o.sqliteDir, "sqlite-dir", "", "folder of the SQLite store; it must survive a restart")
	f.StringVar(&o.postgresURI, "postgres-uri-file", "", "file with the connection URI of the PostgreSQL store, instead of --sqlite-dir")
	f.StringVar(&o.postgresSchema, "postgres-schema", "", "schema of the PostgreSQL store's tables")
	f.IntVar(&o.postgresConnections, "postgres-connections", 4, "connections to PostgreSQL at the most, 4 or more: one writes, one listens, the others read")
	f.StringVar(&o.publicURL, "public-url", "", "base address that respondents use, for links: http(s)://host[:port]")
	f.StringVar(&o.intakeAddress, "intake-bind-address", ":8080", "host:port of survey pages and submissions")
	f.StringVar(&o.operationsAddress, "operations-bind-address", ":8443", "host:port of probes, metrics and the operator's reading, by TLS")
	f.IntVar(&o.ratePerMinute, "rate-per-minute", 600, "submissions per minute and client address; -1 switches the limit off, imports are exempt")
	f.IntVar(&o.rateBurst, "rate-burst", 100, "submissions at once per client address")
	f.StringSliceVar(&o.trustedProxies, "trusted-proxies", nil, "addresses or CIDRs of proxies whose X-Forwarded-For is believed")
	f.StringVar(&o.scrapeTokenHash, "scrape-token-hash", "", "SHA-256, in hexadecimal digits, of a token that may read metrics beside the program's own")
	f.DurationVar(&o.drain, "drain", 5*time.Second, "how long to go on serving after SIGTERM, 0s to 5m")
	f.BoolVar(&o.logDevelopmentMode, "log-development", false, "log as text for people instead of JSON")
	return cmd
}

func runEndpoint(ctx context.Context, o endpointOptions) error {
	options, err := o.parse()
	if err != nil {
		return exit.WithUsage(err)
	}
	log := zap.New(zap.UseDevMode(o.logDevelopmentMode))
	ctrl.SetLogger(log)
	options.Log = log.WithValues("program", o.program)
	if options.Clock, err = clockMoved(os.Getenv(envClock), time.Now); err != nil {
		return exit.WithUsage(err)
	}
	e, err := dedicated.New(options)
	if err != nil {
		return err
	}
	log.Info("Starting", "version", version.Version)
	defer keepSmall(ctx, log)()
	if err := e.Run(ctx); err != nil {
		return err
	}
	log.Info("Ended")
	return nil
}

// parse checks the flags, each by its name.
func (o endpointOptions) parse() (dedicated.Options, error) {
	out := dedicated.Options{
		SurveyFile: o.survey, TokensDir: o.tokens, KeysDir: o.keys, TLSDir: o.tls, SQLiteDir: o.sqliteDir,
		PostgresURIFile: o.postgresURI, PostgresSchema: o.postgresSchema, PostgresConnections: o.postgresConnections,
		IntakeAddress: o.intakeAddress, OperationsAddress: o.operationsAddress, Drain: o.drain,
	}
	var err error
	if out.Program, err = transfer.ParseProgram(o.program); err != nil {
		return out, err
	}
	if out.Store, err = parseKey("--store", o.store); err != nil {
		return out, err
	}
	for flag, value := range map[string]string{"--survey": o.survey, "--tokens-dir": o.tokens, "--keys-dir": o.keys, "--tls-dir": o.tls} {
		if value == "" {
			return out, fmt.Errorf("%s is required", flag)
		}
	}
	if err := o.checkStore(); err != nil {
		return out, err
	}
	if err := o.checkServing(); err != nil {
		return out, err
	}
	if out.ScrapeTokenHash, err = hex.DecodeString(o.scrapeTokenHash); err != nil || len(out.ScrapeTokenHash) != 0 && len(out.ScrapeTokenHash) != sha256.Size {
		return out, errors.New("--scrape-token-hash must be a SHA-256: 64 hexadecimal digits")
	}
	proxies, err := parseProxies("--trusted-proxies", o.trustedProxies)
	if err != nil {
		return out, err
	}
	out.Intake = intake.Config{PublicURL: o.publicURL, RatePerMinute: o.ratePerMinute, RateBurst: o.rateBurst, TrustedProxies: proxies}
	return out, nil
}

func (o endpointOptions) checkStore() error {
	switch {
	case o.sqliteDir == "" && o.postgresURI == "":
		return errors.New("one of --sqlite-dir and --postgres-uri-file is required")
	case o.sqliteDir != "" && o.postgresURI != "":
		return errors.New("--sqlite-dir and --postgres-uri-file exclude each other")
	case o.postgresURI != "" && o.postgresSchema == "":
		return errors.New("--postgres-schema is required with --postgres-uri-file")
	case len(o.postgresSchema) > 63:
		return errors.New("--postgres-schema must have at most 63 characters")
	case o.postgresConnections < 4 || o.postgresConnections > 100:
		return fmt.Errorf("--postgres-connections %d must be 4 to 100", o.postgresConnections)
	}
	return nil
}

func (o endpointOptions) checkServing() error {
	base, err := url.Parse(o.publicURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return fmt.Errorf("--public-url %q must be http(s)://host[:port]", o.publicURL)
	}
	for flag, address := range map[string]string{"--intake-bind-address": o.intakeAddress, "--operations-bind-address": o.operationsAddress} {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return fmt.Errorf("%s %q must be host:port or :port", flag, address)
		}
	}
	switch {
	case o.ratePerMinute < -1 || o.ratePerMinute == 0:
		return fmt.Errorf("--rate-per-minute %d must be 1 or more, or -1 for no limit", o.ratePerMinute)
	case o.rateBurst < 1:
		return fmt.Errorf("--rate-burst %d must be 1 or more", o.rateBurst)
	case o.drain < 0 || o.drain > 5*time.Minute:
		return fmt.Errorf("--drain %s must be 0s to 5m", o.drain)
	}
	return nil
}

func parseKey(flag, text string) (store.Key, error) {
	namespace, name, ok := strings.Cut(text, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		return store.Key{}, fmt.Errorf("%s %q must be NAMESPACE/NAME", flag, text)
	}
	return store.Key{Namespace: namespace, Name: name}, nil
}

// parseProxies reads addresses and CIDRs.
func parseProxies(flag string, texts []string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil {
			prefixes = append(prefixes, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is neither an address nor a CIDR", flag, text)
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes, nil
}
