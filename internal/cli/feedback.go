package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/exit"
	"github.com/cx-operator/cx-operator/internal/feedback"
)

// envPodName holds the name of the pod that a process runs in.
const envPodName = "POD_NAME"

// feedbackService is the name of the Service where none is given.
const feedbackService = "cx-operator-feedback"

// feedbackOptions are the flags of the manager for the feedback API.
type feedbackOptions struct {
	address string
	certDir string
	service string
}

func (o *feedbackOptions) addTo(f *pflag.FlagSet) {
	f.StringVar(&o.address, "feedback-api-bind-address", "", "host:port of the aggregated API for cases and coaching; empty serves none")
	f.StringVar(&o.certDir, "feedback-api-cert-dir", "", "folder with tls.crt and tls.key for the feedback API; empty uses a certificate of the operator's own authority, and tells the APIService to trust it")
	f.StringVar(&o.service, "feedback-api-service", "", "namespace/name of the Service by which the cluster reaches the feedback API; empty is "+feedbackService+" in the operator's namespace")
}

// check refuses what cannot be meant.
func (o *feedbackOptions) check() error {
	if o.address == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(o.address); err != nil {
		return exit.WithUsage(fmt.Errorf("--feedback-api-bind-address: %q is not host:port: %w", o.address, err))
	}
	if namespace, name, ok := strings.Cut(o.service, "/"); o.service != "" && (!ok || namespace == "" || name == "" || strings.Contains(name, "/")) {
		return exit.WithUsage(fmt.Errorf("--feedback-api-service: %q is not namespace/name", o.service))
	}
	return nil
}

// add serves the API, where it is asked for.
func (o *feedbackOptions) add(ctx context.Context, mgr ctrl.Manager, cfg *rest.Config, e *env.Env, common *shared, namespaces []string) error {
	if o.address == "" {
		return nil
	}
	log := ctrl.Log.WithName("feedback")
	klog.SetLogger(ctrl.Log.WithName("kubernetes")) // the library's own lines would be no JSON
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("prepare the feedback API: %w", err)
	}
	server := &feedback.Server{
		Address: o.address, Client: client, Log: log,
		Backend: &feedback.Backend{
			Reader: mgr.GetClient(), Desk: e.Desk, Book: e.Book, Source: e.CountsOf, Namespaces: namespaces, Clock: e.Clock, Log: log.Error,
		},
	}
	if pod := os.Getenv(envPodName); pod != "" && common != nil {
		server.Mark = &feedback.Mark{Client: client, Namespace: common.namespace, Pod: pod, Log: log}
		// A former process of this pod may have been the leader.
		if err := server.Mark.Clear(ctx); err != nil {
			return err
		}
	}
	if o.certDir != "" {
		server.Certificate, err = dynamiccertificates.NewDynamicServingContentFromFiles("feedback", filepath.Join(o.certDir, "tls.crt"), filepath.Join(o.certDir, "tls.key"))
		if err != nil {
			return fmt.Errorf("--feedback-api-cert-dir: %w", err)
		}
	} else if err := o.vouch(mgr, cfg, server, e, common); err != nil {
		return err
	}
	if err := mgr.Add(server); err != nil {
		return fmt.Errorf("add the feedback API: %w", err)
	}
	return nil
}

// vouch gives the server a certificate of the operator's own authority, and has the APIService trust it.
func (o *feedbackOptions) vouch(mgr ctrl.Manager, cfg *rest.Config, server *feedback.Server, e *env.Env, common *shared) error {
	if common == nil {
		return errors.New("--feedback-api-bind-address needs the operator's authority, and with it --operator-namespace or $POD_NAMESPACE, or else --feedback-api-cert-dir")
	}
	namespace, name, ok := strings.Cut(o.service, "/")
	if !ok {
		namespace, name = common.namespace, feedbackService
	}
	var err error
	if server.Certificate, err = feedback.NewCertificate(common.authority, feedback.ServiceNames(namespace, name), e.Clock, server.Log); err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("prepare the feedback API: %w", err)
	}
	bundle := &feedback.Bundle{Client: client, Namespace: namespace, Service: name, Authority: common.authority.Certificate, Log: server.Log}
	if err := mgr.Add(bundle); err != nil {
		return fmt.Errorf("add the authority of the feedback API: %w", err)
	}
	return nil
}
