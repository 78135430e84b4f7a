package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Ports of a Dedicated endpoint's containers. Its Service has pages at 80 and operations at the container's own port.
const (
	// SurveyPort is where pages and submissions are served.
	SurveyPort = 8080
	// OperationsPort is where probes, metrics and the operator are answered, by HTTPS.
	OperationsPort = 8443
)

// Names of the ports of containers and Services.
const (
	surveyPortName     = "survey"
	operationsPortName = "operations"
)

// NameLabel is the value of the label app.kubernetes.io/name on everything that a Dedicated endpoint is made of.
const NameLabel = "cx-operator-endpoint"

// EndpointHost is a name that the certificate of every Dedicated endpoint has, beside those of its Service, so that one
// client configuration serves for all of them.
const EndpointHost = "endpoint.cx-operator.internal"

// longestEndpointName is what the name of a StatefulSet may have: a label on its pods is its name and 11 characters more.
const longestEndpointName = 52

// EndpointName returns the name of all that a Dedicated program is made of: PROGRAM-endpoint. Where that is longer than 52
// characters, or begins with a digit, which the name of a Service may not, a hash takes the place of a part.
func EndpointName(program string) string {
	const suffix = "-endpoint"
	name := program + suffix
	if name == suffix || len(name) <= longestEndpointName && isLetter(name[0]) {
		return name
	}
	sum := sha256.Sum256([]byte(program))
	tail := "-" + hex.EncodeToString(sum[:4]) + suffix
	if !isLetter(program[0]) {
		program = "p-" + program
	}
	return program[:min(len(program), longestEndpointName-len(tail))] + tail
}

func isLetter(b byte) bool { return 'a' <= b && b <= 'z' }

// ClaimName returns the name of the PersistentVolumeClaim with the answers of a SQLite store whose program is Dedicated.
func ClaimName(store string) string { return store + "-answers" }

// CertificateName returns the name of the Secret with the certificate of a Dedicated endpoint's operations port.
func CertificateName(program string) string { return EndpointName(program) + "-tls" }

// ServiceHost returns the name under which pods reach a Dedicated endpoint: NAME.NAMESPACE.svc.
func ServiceHost(program store.Key) string {
	return fmt.Sprintf("%s.%s.svc", EndpointName(program.Name), program.Namespace)
}

// CertificateHosts returns the names that the certificate of a Dedicated endpoint's operations port must have.
func CertificateHosts(program store.Key) []string {
	name := EndpointName(program.Name)
	return []string{ServiceHost(program), name + "." + program.Namespace, name, EndpointHost}
}

// PublicURL returns the address that respondents use, without a path: what the exposure says, or the Service inside the
// cluster.
func PublicURL(p *v1alpha1.SurveyProgram) string {
	exposure := p.Spec.Endpoint.Exposure
	if exposure == nil {
		return "http://" + ServiceHost(store.Key{Namespace: p.Namespace, Name: p.Name})
	}
	scheme := exposure.Scheme
	if scheme == "" {
		scheme = v1alpha1.SchemeHTTPS
	}
	return string(scheme) + "://" + exposure.Hostname
}

// Schema returns the name of the PostgreSQL schema of a ResponseStore: cx_NAMESPACE_NAME, or, where that is longer than
// PostgreSQL allows, a name made of its hash. No two stores have the same, since neither part has an underscore.
func Schema(responseStore store.Key) string {
	const longest = 63
	name := fmt.Sprintf("cx_%s_%s", responseStore.Namespace, responseStore.Name)
	if len(name) <= longest {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "cxhash_" + hex.EncodeToString(sum[:20])
}
