// Package endpoint is the process of a Dedicated program: it serves the program's pages from one store, and the operations
// port beside them. What is mounted beside it is read again when it changes, but for the survey, with which the pods are
// replaced.
package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/operations"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/upkeep"
)

// rereadEvery is how often the mounted files are looked at. Kubernetes itself takes up to a minute to change them.
const rereadEvery = 5 * time.Second

// Options of an Endpoint. All are required unless they say otherwise.
type Options struct {
	// Program that is served.
	Program store.Key
	// SurveyFile has the compiled survey, as JSON.
	SurveyFile string
	// TokensDir has the program's tokens: files import, read, internal and sign, of which one that is missing lets nobody do
	// what it is for. KeysDir has the store's keys, in the files contacts and cases; they may be missing. TLSDir has the
	// certificate of the operations port, in tls.crt and tls.key.
	TokensDir, KeysDir, TLSDir string
	// Store is the ResponseStore that answers are kept in.
	Store store.Key
	// SQLiteDir is the folder of the store's file. Empty for PostgreSQL.
	SQLiteDir string
	// PostgresURIFile has the connection URI of a PostgreSQL store; PostgresSchema is where its tables are, and
	// PostgresConnections how many connections it takes at the most, 4 or more.
	PostgresURIFile, PostgresSchema string
	PostgresConnections             int
	// IntakeAddress and OperationsAddress to listen at, host:port.
	IntakeAddress, OperationsAddress string
	// ScrapeTokenHash is the SHA-256 of a token that may read metrics beside the program's own; empty for none.
	ScrapeTokenHash []byte
	// Drain is how long the endpoint goes on serving after it was asked to end.
	Drain time.Duration
	// Intake configures the pages: PublicURL, the limits on clients and the proxies to believe. The rest is set here.
	Intake intake.Config
	// Clock tells the time.
	Clock func() time.Time
	// Log takes what a person on call would want to know.
	Log logr.Logger

	// reread is rereadEvery if zero, for tests; closeAfter is how long a replaced store is kept open.
	reread, closeAfter time.Duration
}

// Endpoint serves one program.
type Endpoint struct {
	options     Options
	survey      *survey.Survey
	registry    *intake.Registry
	intake      http.Handler
	operations  http.Handler
	certificate *certificate
	opener      *opener
	keeper      upkeep.Keeper
	complaints  complaints
	// keyComplaints are about the keys of cases, under mu.
	keyComplaints complaints
	draining      chan struct{}

	mu      sync.Mutex
	secrets secrets
	opened  operations.Opened
	// replaced is what opened.Replaced is.
	replaced chan struct{}
	// everOpened says that the store was open at least once.
	everOpened bool
	addresses  Addresses
}

// New reads the files and returns an Endpoint that serves nothing yet.
func New(o Options) (*Endpoint, error) {
	s, err := readSurvey(o.SurveyFile, o.Program)
	if err != nil {
		return nil, err
	}
	e := &Endpoint{
		options: o, survey: s, registry: intake.NewRegistry(), draining: make(chan struct{}),
		keeper: upkeep.Keeper{Log: o.Log}, complaints: complaints{log: o.Log}, keyComplaints: complaints{log: o.Log},
	}
	if e.certificate, err = readCertificate(o.TLSDir); err != nil {
		return nil, err
	}
	if e.secrets, err = readSecrets(o.TokensDir, o.KeysDir); err != nil {
		return nil, err
	}
	metrics, err := newMetrics()
	if err != nil {
		return nil, err
	}
	if e.intake, err = e.newIntake(metrics); err != nil {
		return nil, err
	}
	e.operations = e.newOperations(metrics)
	e.opener = e.newOpener()
	e.install(nil, "the store is being opened")
	return e, nil
}

// readSurvey reads the survey, which must be the program's.
func readSurvey(file string, program store.Key) (*survey.Survey, error) {
	data, err := readFile(file, maxSurvey)
	if err != nil {
		return nil, fmt.Errorf("read the survey: %w", err)
	}
	s := &survey.Survey{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("read the survey: %s: %w", file, err)
	}
	if s.Program != program {
		return nil, fmt.Errorf("read the survey: %s is that of program %s, not of %s", file, s.Program, program)
	}
	return s, nil
}

func (e *Endpoint) newIntake(metrics prometheus.Registerer) (http.Handler, error) {
	c := e.options.Intake
	c.Clock, c.Log, c.Registerer = e.options.Clock, e.options.Log, metrics
	server, err := intake.New(e.registry, c)
	if err != nil {
		return nil, fmt.Errorf("prepare intake: %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.isDraining() { // whoever sends more is to connect to another pod
			w.Header().Set("Connection", "close")
		}
		server.ServeHTTP(w, r)
	}), nil
}

func (e *Endpoint) newOperations(metrics *prometheus.Registry) http.Handler {
	return operations.NewHandler(operations.Config{
		Program: e.options.Program, Token: func() string { return e.current().internal },
		ScrapeTokenHash: e.options.ScrapeTokenHash, Store: e.openedNow, Survey: e.survey, Desk: e.desk, Explain: e.explain, Ready: e.ready,
		Metrics: metricsHandler(metrics), Draining: e.draining, Log: e.options.Log,
	})
}

func (e *Endpoint) isDraining() bool {
	select {
	case <-e.draining:
		return true
	default:
		return false
	}
}

// ready says whether answers are taken. A store that goes away after it was open does not count: it comes back by itself, and
// other pods would have none either.
func (e *Endpoint) ready() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.everOpened && e.addresses != (Addresses{})
}

func (e *Endpoint) current() secrets {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.secrets
}

func (e *Endpoint) openedNow() operations.Opened {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.opened
}

// install serves from a store from now on, or from none, and why.
func (e *Endpoint) install(s store.Store, why string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.replaced != nil {
		close(e.replaced)
	}
	e.replaced = make(chan struct{})
	e.opened = operations.Opened{Store: s, Why: why, Replaced: e.replaced}
	e.everOpened = e.everOpened || s != nil
	e.publish()
}

// lack notes why there is no store, while there is none.
func (e *Endpoint) lack(why string) {
	if now := e.openedNow(); now.Store == nil && now.Why != why {
		e.install(nil, why)
	}
}

// publish hands the program to the pages as it is now. The caller holds the lock.
func (e *Endpoint) publish() {
	keys := e.caseKeys()
	p := intake.Program{Survey: e.survey, Store: e.opened.Store, Tokens: e.secrets.tokens, CaseKeys: keys.Cases}
	if len(keys.Contact) > 0 {
		p.ContactKey = keys.Contact
	}
	e.registry.Set(e.options.Program, p)
}

// tasks is what the store's upkeep is for. A PostgreSQL store may have programs of other processes.
func (e *Endpoint) tasks() []upkeep.Task {
	return []upkeep.Task{{
		Survey: e.survey, Store: e.openedNow().Store, StoreName: e.options.Store.String(), Shared: e.options.SQLiteDir == "",
	}}
}

// reread takes over what has changed of the mounted files. What cannot be read stays as it was.
func (e *Endpoint) reread() {
	next, err := readSecrets(e.options.TokensDir, e.options.KeysDir)
	e.complaints.note("The tokens cannot be read, and stay as they were", err)
	if err == nil {
		e.replaceSecrets(next)
	}
	e.complaints.note("The certificate cannot be read, and stays as it was", e.certificate.reread())
	if e.options.SQLiteDir == "" {
		uri, err := e.uri()
		e.complaints.note("The connection URI cannot be read, and stays as it was", err)
		if err == nil {
			e.opener.want(uri)
		} else if e.opener.isIdle() {
			e.lack(errNoURI.Error())
		}
	}
}

func (e *Endpoint) replaceSecrets(next secrets) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if next == e.secrets {
		return
	}
	e.secrets = next
	e.publish()
	e.options.Log.Info("Tokens have changed")
}

// uri reads where a PostgreSQL store is.
func (e *Endpoint) uri() (string, error) {
	data, err := readFile(e.options.PostgresURIFile, maxSecret)
	if err != nil {
		return "", err
	}
	uri := strings.TrimSpace(string(data))
	if uri == "" {
		return "", errors.New("the file with the connection URI is empty")
	}
	return uri, nil
}

func (e *Endpoint) sqliteFile() string {
	return filepath.Join(e.options.SQLiteDir, e.options.Store.Name+".sqlite")
}

// watch rereads the mounted files until the context ends.
func (e *Endpoint) watch(ctx context.Context) {
	every := time.NewTicker(orDefault(e.options.reread, rereadEvery))
	defer every.Stop()
	for {
		select {
		case <-every.C:
			e.reread()
		case <-ctx.Done():
			return
		}
	}
}
