package cli

import (
	"net/http"
	"strings"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// authenticated is controller-runtime's filter for those who may read /metrics, but that a token which is none gets 401 as a
// missing one does. The filter tells that as a fault of its own.
func authenticated(config *rest.Config, httpClient *http.Client) (metricsserver.Filter, error) {
	filter, err := filters.WithAuthenticationAndAuthorization(config, httpClient)
	if err != nil {
		return nil, err
	}
	return func(log logr.Logger, handler http.Handler) (http.Handler, error) {
		filtered, err := filter(log, handler)
		if err != nil {
			return nil, err
		}
		return unauthorized(filtered), nil
	}, nil
}

// failedAuthentication begins the filter's answer where it could not find out who asks.
const failedAuthentication = "Authentication failed"

// unauthorized answers 401 in the place of such an answer.
func unauthorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := &deniedWriter{ResponseWriter: w}
		next.ServeHTTP(d, r)
		if d.failed {
			d.ResponseWriter.WriteHeader(http.StatusInternalServerError)
		}
	})
}

// deniedWriter holds a 500 back until its text tells what it is about.
type deniedWriter struct {
	http.ResponseWriter
	failed bool
}

// WriteHeader implements http.ResponseWriter.
func (d *deniedWriter) WriteHeader(status int) {
	if status == http.StatusInternalServerError {
		d.failed = true
		return
	}
	d.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (d *deniedWriter) Write(text []byte) (int, error) {
	if !d.failed {
		return d.ResponseWriter.Write(text)
	}
	d.failed = false
	if !strings.HasPrefix(string(text), failedAuthentication) {
		d.ResponseWriter.WriteHeader(http.StatusInternalServerError)
		return d.ResponseWriter.Write(text)
	}
	d.Header().Set("WWW-Authenticate", "Bearer")
	d.ResponseWriter.WriteHeader(http.StatusUnauthorized)
	_, err := d.ResponseWriter.Write([]byte("Unauthorized\n"))
	return len(text), err
}

// guard is how the library takes who may read /metrics.
type guard = func(*rest.Config, *http.Client) (metricsserver.Filter, error)

// answeredBy has a handler of ours answer /metrics, behind a guard if there is one: the library serves nothing else by it.
func answeredBy(handler http.Handler, guarded guard) guard {
	return func(cfg *rest.Config, c *http.Client) (metricsserver.Filter, error) {
		if guarded == nil {
			return func(logr.Logger, http.Handler) (http.Handler, error) { return handler, nil }, nil
		}
		filter, err := guarded(cfg, c)
		if err != nil {
			return nil, err
		}
		return func(log logr.Logger, _ http.Handler) (http.Handler, error) { return filter(log, handler) }, nil
	}
}
