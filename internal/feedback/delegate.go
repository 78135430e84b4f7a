package feedback

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/authentication/authenticatorfactory"
	"k8s.io/apiserver/pkg/authentication/request/headerrequest"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/client-go/kubernetes"
)

// authenticationConfig is the ConfigMap in kube-system in which the cluster's API server says whose certificates vouch for
// users, and for itself as the one that names users in headers.
const authenticationConfig = "extension-apiserver-authentication"

const (
	// allowedFor and deniedFor are how long the answer of the cluster's API server to "may they?" is believed. Rights that were
	// taken away end after that time, too.
	allowedFor, deniedFor = 10 * time.Second, time.Second
	// tokenFor is how long its answer to "whose token is it?" is believed.
	tokenFor = 10 * time.Second
	// askingTakes is how long one question may take.
	askingTakes = 10 * time.Second
)

// delegate lets the cluster's API server say who somebody is, by its own certificate and headers, by a client certificate or
// by a token, and what they may do. Nobody is let in unknown.
func delegate(ctx context.Context, client kubernetes.Interface, config *genericapiserver.Config) error {
	backoff := &wait.Backoff{Duration: 500 * time.Millisecond, Factor: 1.5, Jitter: 0.2, Steps: 5}
	published, err := readPublished(ctx, client)
	if err != nil {
		return err
	}
	proxy, err := newFrontProxy(ctx, client)
	if err != nil {
		return err
	}
	clientCA, err := newClientCA(client, published)
	if err != nil {
		return err
	}
	authorities := []dynamiccertificates.CAContentProvider{proxy}
	if clientCA != nil {
		authorities = append(authorities, clientCA)
	}
	headers := &authenticatorfactory.RequestHeaderConfig{
		CAContentProvider:   proxy,
		UsernameHeaders:     headerrequest.StringSliceProviderFunc(proxy.UsernameHeaders),
		UIDHeaders:          headerrequest.StringSliceProviderFunc(proxy.UIDHeaders),
		GroupHeaders:        headerrequest.StringSliceProviderFunc(proxy.GroupHeaders),
		ExtraHeaderPrefixes: headerrequest.StringSliceProviderFunc(proxy.ExtraHeaderPrefixes),
		AllowedClientNames:  headerrequest.StringSliceProviderFunc(proxy.AllowedClientNames),
	}
	config.Authentication.RequestHeaderConfig = headers
	for _, ca := range authorities {
		if err := config.Authentication.ApplyClientCert(ca, config.SecureServing); err != nil {
			return fmt.Errorf("authorities of clients: %w", err)
		}
	}
	config.Authentication.Authenticator, config.OpenAPIConfig.SecurityDefinitions, err = authenticatorfactory.DelegatingAuthenticatorConfig{
		TokenAccessReviewClient: client.AuthenticationV1(), TokenAccessReviewTimeout: askingTakes, WebhookRetryBackoff: backoff,
		CacheTTL: tokenFor, ClientCertificateCAContentProvider: clientCA, RequestHeaderConfig: headers,
	}.New()
	if err != nil {
		return fmt.Errorf("set up authentication: %w", err)
	}
	config.Authorization.Authorizer, err = authorizerfactory.DelegatingAuthorizerConfig{
		SubjectAccessReviewClient: client.AuthorizationV1(), AllowCacheTTL: allowedFor, DenyCacheTTL: deniedFor, WebhookRetryBackoff: backoff,
	}.New()
	if err != nil {
		return fmt.Errorf("set up authorization: %w", err)
	}
	return nil
}

// readPublished returns what the API server publishes in authenticationConfig.
func readPublished(ctx context.Context, client kubernetes.Interface) (map[string]string, error) {
	config, err := client.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, authenticationConfig, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read ConfigMap kube-system/%s: %w", authenticationConfig, err)
	}
	if config.Data["requestheader-client-ca-file"] == "" {
		return nil, fmt.Errorf("ConfigMap kube-system/%s has no requestheader-client-ca-file: the cluster's aggregation layer is off", authenticationConfig)
	}
	return config.Data, nil
}

// newClientCA returns the authority of the certificates by which the cluster knows people. It is nil where the cluster knows
// nobody so, which is no fault: one that is looked for in vain would be an error in the log, every minute.
func newClientCA(client kubernetes.Interface, published map[string]string) (dynamiccertificates.CAContentProvider, error) {
	const key = "client-ca-file"
	if published[key] == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	ca, err := dynamiccertificates.NewDynamicCAFromConfigMapController("client-ca", metav1.NamespaceSystem, authenticationConfig, key, client)
	if err != nil {
		return nil, fmt.Errorf("authority of client certificates: %w", err)
	}
	return ca, nil
}

// frontProxy is the authority of the API server's own certificate, and the headers in which it names users. The server runs
// both, since it runs the authorities of its clients.
type frontProxy struct {
	*dynamiccertificates.ConfigMapCAController
	*headerrequest.RequestHeaderAuthRequestController
}

func newFrontProxy(ctx context.Context, client kubernetes.Interface) (*frontProxy, error) {
	ca, err := dynamiccertificates.NewDynamicCAFromConfigMapController("front-proxy-ca", metav1.NamespaceSystem, authenticationConfig, "requestheader-client-ca-file", client)
	if err != nil {
		return nil, fmt.Errorf("authority of the API server's own certificate: %w", err)
	}
	p := &frontProxy{ConfigMapCAController: ca, RequestHeaderAuthRequestController: headerrequest.NewRequestHeaderAuthRequestController(
		authenticationConfig, metav1.NamespaceSystem, client,
		"requestheader-username-headers", "requestheader-uid-headers", "requestheader-group-headers",
		"requestheader-extra-headers-prefix", "requestheader-allowed-names",
	)}
	if err := p.RunOnce(ctx); err != nil {
		return nil, fmt.Errorf("read ConfigMap kube-system/%s: %w", authenticationConfig, err)
	}
	return p, nil
}

// RunOnce implements dynamiccertificates.ControllerRunner.
func (p *frontProxy) RunOnce(ctx context.Context) error {
	return errors.Join(p.ConfigMapCAController.RunOnce(ctx), p.RequestHeaderAuthRequestController.RunOnce(ctx))
}

// Run implements dynamiccertificates.ControllerRunner.
func (p *frontProxy) Run(ctx context.Context, workers int) {
	go p.ConfigMapCAController.Run(ctx, workers)
	p.RequestHeaderAuthRequestController.Run(ctx, workers)
}
