package endpoint

import (
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cx-operator/cx-operator/internal/version"
)

// newMetrics returns a registry with what every process tells of itself.
func newMetrics() (*prometheus.Registry, error) {
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "cx_endpoint_build_info",
		Help: "1, with the version of the endpoint's program and of the Go release that built it.",
	}, []string{"version", "goversion"})
	build.WithLabelValues(version.Version, runtime.Version()).Set(1)
	registry := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return registry, nil
}

func metricsHandler(registry *prometheus.Registry) http.Handler {
	const scrapesAtOnce = 4
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: scrapesAtOnce, Timeout: 10 * time.Second, EnableOpenMetrics: true,
	})
}
