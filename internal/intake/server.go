// Package intake serves surveys over HTTP: the page, the JSON call, imports and exports. It checks what comes in against
// the compiled survey and acknowledges only what the store says is durable. openapi.yaml describes every call.
package intake

import (
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// pageFactor is how many times as often a client may read pages as send answers.
const pageFactor = 10

// faultInterval is how often a fault is logged at most: a store that is away fails every request.
const faultInterval = 10 * time.Second

// Server answers the calls of an endpoint. It is safe for concurrent use.
type Server struct {
	config      Config
	registry    *Registry
	handler     http.Handler
	metrics     *metrics
	clients     clients
	pages       *limiter
	submissions *limiter
	clock       func() time.Time
	rand        io.Reader
	log         logr.Logger
	faults      rate.Sometimes
	blanks      memo[blankKey, *blankForm]
	busy        memo[busyKey, *busyPage]
}

// New returns a server of the registry's programs. It fails where a limit of the config is negative, the metrics cannot
// be registered, or no random bytes can be had.
func New(r *Registry, c Config) (*Server, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(c.Registerer)
	if err != nil {
		return nil, fmt.Errorf("intake: registering metrics: %w", err)
	}
	secret := make([]byte, 32)
	if _, err := io.ReadFull(c.Rand, secret); err != nil {
		return nil, fmt.Errorf("intake: drawing the key of client hashes: %w", err)
	}
	s := &Server{
		config: c, registry: r, metrics: m, clock: c.Clock, rand: c.Rand, log: c.Log,
		clients:     clients{trusted: c.TrustedProxies, secret: secret},
		pages:       newLimiter(c.RatePerMinute*pageFactor, c.RateBurst*pageFactor, maxClients),
		submissions: newLimiter(c.RatePerMinute, c.RateBurst, maxClients),
		faults:      rate.Sometimes{First: 1, Interval: faultInterval},
		blanks:      newBlankForms(),
		busy:        newBusyPages(),
	}
	s.handler = s.protect(s.mux())
	r.whenDeleted(m.forget)
	return s, nil
}

// Handler returns the handler of all calls.
func (s *Server) Handler() http.Handler { return s.handler }

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// route is one address and what it does by method.
type route struct {
	pattern string
	methods map[string]http.HandlerFunc
	// refuse answers other methods.
	refuse func(http.ResponseWriter, *http.Request, problem)
}

const (
	programPath     = "/api/v1/namespaces/{namespace}/programs/{program}"
	responsesPath   = programPath + "/responses"
	invitationsPath = programPath + "/invitations"
)

// routes are all calls; openapi.yaml has the same ones.
func (s *Server) routes() []route {
	form := map[string]http.HandlerFunc{http.MethodGet: s.showForm, http.MethodPost: s.postForm}
	return []route{
		{"/s/{namespace}/{program}", form, s.showMessage},
		{"/s/{namespace}/{program}/{touchpoint}", form, s.showMessage},
		{"/s/{namespace}/{program}/" + survey.ErasePage, map[string]http.HandlerFunc{http.MethodGet: s.showErase, http.MethodPost: s.postErase}, s.showMessage},
		{"/s/{namespace}/{program}/" + survey.VisitsPage, map[string]http.HandlerFunc{http.MethodPost: s.postVisit}, plainProblem},
		{"/embed.js", map[string]http.HandlerFunc{http.MethodGet: scriptHandler("cross-origin", embedSource)}, plainProblem},
		{"/proof.js", map[string]http.HandlerFunc{http.MethodGet: scriptHandler("same-origin", proofSource)}, plainProblem},
		{responsesPath, map[string]http.HandlerFunc{http.MethodGet: s.export, http.MethodPost: s.postJSON}, plainProblem},
		{responsesPath + ":import", map[string]http.HandlerFunc{http.MethodPost: s.importNDJSON}, plainProblem},
		{responsesPath + ":annul", map[string]http.HandlerFunc{http.MethodPost: s.setStanding(store.StandingAnnulled)}, plainProblem},
		{responsesPath + ":reinstate", map[string]http.HandlerFunc{http.MethodPost: s.setStanding(store.StandingCounted)}, plainProblem},
		{invitationsPath, map[string]http.HandlerFunc{http.MethodPost: s.postInvitation}, plainProblem},
		{invitationsPath + ":bulk", map[string]http.HandlerFunc{http.MethodPost: s.postInvitations}, plainProblem},
		{"/openapi.json", map[string]http.HandlerFunc{http.MethodGet: showOpenAPI}, plainProblem},
	}
}

func (s *Server) mux() *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.Handle(r.pattern, r)
	}
	mux.HandleFunc("/s/", func(w http.ResponseWriter, r *http.Request) { s.showMessage(w, r, notFound) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { writeProblem(w, notFound) })
	return mux
}

// ServeHTTP calls the handler of the request's method. HEAD is a GET whose body is not sent.
func (t route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if handle, ok := t.methods[method]; ok {
		handle(w, r)
		return
	}
	w.Header().Set("Allow", t.allow())
	t.refuse(w, r, methodNotAllowed.because("Allowed are "+t.allow()+"."))
}

func (t route) allow() string {
	var allowed []string
	for method := range t.methods {
		allowed = append(allowed, method)
		if method == http.MethodGet {
			allowed = append(allowed, http.MethodHead)
		}
	}
	slices.Sort(allowed)
	return strings.Join(allowed, ", ")
}

func plainProblem(w http.ResponseWriter, _ *http.Request, p problem) { writeProblem(w, p) }

// protect sets the headers that every answer has, and turns a panic into a 500 without naming the client in the log.
func (s *Server) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch cause := recover(); cause {
			case nil:
			case http.ErrAbortHandler:
				panic(cause)
			default:
				s.log.Error(fmt.Errorf("panic: %v", cause), "A request could not be answered", "stack", string(debug.Stack()))
				writeProblem(w, internal)
			}
		}()
		h := w.Header()
		h["X-Content-Type-Options"] = noSniffing
		h["Referrer-Policy"] = noReferrer
		next.ServeHTTP(w, r)
	})
}

// allow takes a token of the request's client, or returns how long it takes until there is one.
func (s *Server) allow(l *limiter, r *http.Request) (time.Duration, bool) {
	if l.off() {
		return 0, true
	}
	return l.allow(s.clients.key(r), s.clock())
}

// program finds the program that a request is for.
func (s *Server) program(r *http.Request) (*served, bool) {
	return s.registry.lookup(store.Key{Namespace: r.PathValue("namespace"), Name: r.PathValue("program")})
}

// fault logs what is broken here, at most every faultInterval.
func (s *Server) fault(err error) {
	s.faults.Do(func() { s.log.Error(err, "A response could not be saved or read") })
}
