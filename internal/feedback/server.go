package feedback

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/kube-openapi/pkg/common"

	"github.com/cx-operator/cx-operator/internal/feedback/openapi"
)

const (
	// maxBody is the longest body of a request, in bytes: a case with its full history and answers takes a third of it.
	maxBody = 1 << 20
	// maxReading and maxWriting are how many requests are served at once; of more, clients are told to wait.
	maxReading, maxWriting = 100, 50
	// retryAfter is how long a server that could not be set up waits before it tries again.
	retryAfter = 10 * time.Second
)

// Server serves the API by TLS to whom the cluster's API server vouches for. It implements manager.Runnable, for the leader.
type Server struct {
	// Backend is what it reads from and writes to.
	Backend *Backend
	// Address is the host:port to listen on; Listener, where set, is listened on instead.
	Address  string
	Listener net.Listener
	// Certificate is the server's.
	Certificate dynamiccertificates.CertKeyContentProvider
	// Client asks the cluster's API server who somebody is and what they may do.
	Client kubernetes.Interface
	// Mark, where set, tells the Service which pod serves.
	Mark *Mark
	// Log takes what goes wrong.
	Log logr.Logger
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: only the leader reaches the desks and has the counts.
func (s *Server) NeedLeaderElection() bool { return true }

// Start serves until the context ends. A cluster that does not let the server ask who somebody is, or has no aggregation
// layer, does not end the operator: it is told in the log, and tried again.
func (s *Server) Start(ctx context.Context) error {
	listener := s.Listener
	if listener == nil {
		var err error
		if listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", s.Address); err != nil {
			return fmt.Errorf("listen for the feedback API: %w", err)
		}
	}
	server, err := s.build(ctx, listener)
	for err != nil {
		s.Log.Error(err, "Cannot serve the feedback API yet")
		select {
		case <-ctx.Done():
			return listener.Close()
		case <-time.After(retryAfter):
		}
		server, err = s.build(ctx, listener)
	}
	if s.Mark != nil {
		go s.Mark.Keep(ctx)
	}
	s.Log.Info("Serving the feedback API", "address", listener.Addr().String())
	if err := server.PrepareRun().RunWithContext(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("serve the feedback API: %w", err)
	}
	return nil
}

// build sets a server up.
func (s *Server) build(ctx context.Context, listener net.Listener) (*genericapiserver.GenericAPIServer, error) {
	scheme := newScheme()
	config := genericapiserver.NewRecommendedConfig(serializer.NewCodecFactory(scheme))
	config.Serializer = readable{config.Serializer}
	config.SecureServing = &genericapiserver.SecureServingInfo{Listener: listener, Cert: s.Certificate, HTTP2MaxStreamsPerConnection: 1000}
	config.ExternalAddress = listener.Addr().String()
	config.LoopbackClientConfig = &rest.Config{}
	config.EffectiveVersion = compatibility.DefaultBuildEffectiveVersion()
	config.EnableProfiling, config.EnableMetrics, config.EnableIndex = false, false, false
	config.MaxRequestBodyBytes, config.MaxRequestsInFlight, config.MaxMutatingRequestsInFlight = maxBody, maxReading, maxWriting
	config.RequestTimeout = 30 * time.Second

	names := openapinamer.NewDefinitionNamer(scheme)
	config.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(definitions, names)
	config.OpenAPIConfig.Info.Title = "CX Operator feedback"
	config.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(definitions, names)
	config.OpenAPIV3Config.Info.Title = "CX Operator feedback"

	if err := delegate(ctx, s.Client, &config.Config); err != nil {
		return nil, err
	}
	server, err := config.Complete().New("feedback", genericapiserver.NewEmptyDelegate())
	if err != nil {
		return nil, fmt.Errorf("set up the API server: %w", err)
	}
	if err := server.InstallAPIGroup(group(s.Backend, scheme)); err != nil {
		return nil, fmt.Errorf("install the API: %w", err)
	}
	return server, nil
}

// definitions are the schemas of all kinds.
func definitions(ref common.ReferenceCallback) map[string]common.OpenAPIDefinition {
	return maps.Clone(openapi.GetOpenAPIDefinitions(ref))
}
