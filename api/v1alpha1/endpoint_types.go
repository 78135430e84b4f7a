package v1alpha1

import corev1 "k8s.io/api/core/v1"

// EndpointMode says where a program's pages are served.
// +kubebuilder:validation:Enum=Embedded;Dedicated
type EndpointMode string

// The endpoint modes.
const (
	// EndpointEmbedded serves the program in the operator's own process.
	EndpointEmbedded EndpointMode = "Embedded"
	// EndpointDedicated gives the program pods of its own.
	EndpointDedicated EndpointMode = "Dedicated"
)

// IntakeMode says whether answers are taken.
// +kubebuilder:validation:Enum=Accepting;Closed
type IntakeMode string

// The intake modes.
const (
	// IntakeAccepting takes answers.
	IntakeAccepting IntakeMode = "Accepting"
	// IntakeClosed takes none: pages and submissions answer 410 Gone. Imports and exports still work.
	IntakeClosed IntakeMode = "Closed"
)

// Endpoint says where and whether a program takes answers.
// +kubebuilder:validation:XValidation:rule="self.mode == 'Dedicated' || !(has(self.replicas) || has(self.autoscaling) || has(self.exposure) || has(self.pod) || has(self.rateLimit) || has(self.trustedProxies) || has(self.monitoring))",message="replicas, autoscaling, exposure, pod, rateLimit, trustedProxies and monitoring need mode Dedicated: the operator's own flags say so for Embedded programs"
// +kubebuilder:validation:XValidation:rule="!(has(self.replicas) && has(self.autoscaling))",message="replicas and autoscaling exclude each other: the autoscaler sets the number"
type Endpoint struct {
	// mode: Embedded in the operator's process, or Dedicated pods.
	// +optional
	// +default="Embedded"
	Mode EndpointMode `json:"mode,omitempty"`
	// intake: Accepting takes answers, Closed answers 410 Gone.
	// +optional
	// +default="Accepting"
	Intake IntakeMode `json:"intake,omitempty"`
	// frameAncestors are the origins whose pages may show the survey in a frame, such as https://www.example.org or
	// https://*.example.org, at most 20. Without any no page may.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^https?://(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*(:[0-9]{1,5})?$`
	FrameAncestors []string `json:"frameAncestors,omitempty"`
	// replicas of a Dedicated endpoint, 0 to 100. Default: 2 on PostgreSQL; SQLite has 1 and allows no more. With 0 it is stopped:
	// no page is served, and nothing has the store open.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Replicas *int32 `json:"replicas,omitempty"`
	// autoscaling lets the number of replicas follow the load, on PostgreSQL only.
	// +optional
	Autoscaling *Autoscaling `json:"autoscaling,omitempty"`
	// exposure brings the pages to the outside. Without it they are served inside the cluster only.
	// +optional
	Exposure *Exposure `json:"exposure,omitempty"`
	// pod says how the pods of a Dedicated endpoint run.
	// +optional
	Pod *EndpointPod `json:"pod,omitempty"`
	// rateLimit bounds what one client address may send to one pod. Default: 600 per minute, 100 at once.
	// +optional
	RateLimit *RateLimit `json:"rateLimit,omitempty"`
	// trustedProxies are addresses or CIDRs of proxies, such as the ingress controller's, whose X-Forwarded-For is believed, at
	// most 20. Without them all respondents behind a proxy share one client address.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:items:XValidation:rule="isIP(self) || isCIDR(self)",message="must be an IP address or a CIDR"
	TrustedProxies []string `json:"trustedProxies,omitempty"`
	// monitoring asks for what Prometheus needs in this namespace. The chart's own ServiceMonitor finds every endpoint without it.
	// +optional
	Monitoring *Monitoring `json:"monitoring,omitempty"`
}

// Autoscaling lets the number of pods follow their CPU load.
// +kubebuilder:validation:XValidation:rule="self.maxReplicas >= self.minReplicas",message="maxReplicas must be at least minReplicas",fieldPath=".maxReplicas"
type Autoscaling struct {
	// minReplicas is the least number of pods, 1 to 100.
	// +optional
	// +default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MinReplicas int32 `json:"minReplicas,omitempty"`
	// maxReplicas is the largest number of pods, 1 to 100.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxReplicas int32 `json:"maxReplicas"`
	// targetCPUPercent of the pods' CPU request that the autoscaler aims at, 10 to 100.
	// +optional
	// +default=70
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=100
	TargetCPUPercent int32 `json:"targetCPUPercent,omitempty"`
}

// Scheme is that of a web address.
// +kubebuilder:validation:Enum=https;http
type Scheme string

// The schemes.
const (
	// SchemeHTTPS is encrypted.
	SchemeHTTPS Scheme = "https"
	// SchemeHTTP is not.
	SchemeHTTP Scheme = "http"
)

// Exposure brings a Dedicated endpoint's pages to the outside: exactly one of ingress and gateway. The operations port is
// never part of it.
// +kubebuilder:validation:XValidation:rule="has(self.ingress) != has(self.gateway)",message="exactly one of ingress and gateway must be set"
type Exposure struct {
	// hostname that respondents use, such as survey.example.org.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Hostname string `json:"hostname"`
	// scheme of the address that respondents use. TLS may end at the Ingress, the Gateway or in front of them.
	// +optional
	// +default="https"
	Scheme Scheme `json:"scheme,omitempty"`
	// ingress makes an Ingress.
	// +optional
	Ingress *IngressExposure `json:"ingress,omitempty"`
	// gateway makes an HTTPRoute of the Gateway API.
	// +optional
	Gateway *GatewayExposure `json:"gateway,omitempty"`
}

// IngressExposure is how an Ingress is made.
type IngressExposure struct {
	// className of the Ingress. Without it the cluster's default class serves it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ClassName string `json:"className,omitempty"`
	// annotations of the Ingress, at most 50, for its controller.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	Annotations map[string]string `json:"annotations,omitempty"`
	// tlsSecretName names the Secret with the certificate. With issuer it is where the certificate is put; then the default is
	// the name of the Ingress and "-cert".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	TLSSecretName string `json:"tlsSecretName,omitempty"`
	// issuer of cert-manager that makes the certificate.
	// +optional
	Issuer *CertificateIssuer `json:"issuer,omitempty"`
}

// IssuerKind is the kind of an issuer of cert-manager.
// +kubebuilder:validation:Enum=Issuer;ClusterIssuer
type IssuerKind string

// The kinds of issuers.
const (
	// IssuerNamespaced is of the program's namespace.
	IssuerNamespaced IssuerKind = "Issuer"
	// IssuerCluster is the cluster's.
	IssuerCluster IssuerKind = "ClusterIssuer"
)

// CertificateIssuer names an issuer of cert-manager, which reads it from the Ingress's annotations.
type CertificateIssuer struct {
	// kind: Issuer or ClusterIssuer.
	// +optional
	// +default="ClusterIssuer"
	Kind IssuerKind `json:"kind,omitempty"`
	// name of the issuer.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// GatewayExposure is how an HTTPRoute is made.
type GatewayExposure struct {
	// parentRefs are the Gateways that the route attaches to, 1 to 8.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	ParentRefs []GatewayRef `json:"parentRefs"`
}

// GatewayRef names a Gateway.
type GatewayRef struct {
	// name of the Gateway.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// namespace of the Gateway; the program's by default.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`
	// sectionName is the listener of the Gateway; all that fit by default.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SectionName string `json:"sectionName,omitempty"`
}

// EndpointPod says how the pods of a Dedicated endpoint run. Their security is fixed: the restricted Pod Security Standard.
type EndpointPod struct {
	// resources of the container instead of the default: requests of 50m CPU and 64Mi memory, a limit of 256Mi memory. With
	// autoscaling, which needs a CPU request, 50m is requested where nothing is said of CPU.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
	// nodeSelector that nodes must match.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// tolerations of the pods, at most 50.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// affinity of the pods. The pods are spread over nodes and zones in any case.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// priorityClassName of the pods.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// imagePullSecrets of the pods, at most 10, beside those that the operator was started with.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=10
	ImagePullSecrets []NameRef `json:"imagePullSecrets,omitempty"`
	// labels of the pods beside the operator's own, which stay as they are.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	Labels map[string]string `json:"labels,omitempty"`
	// annotations of the pods beside the operator's own, which stay as they are.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	Annotations map[string]string `json:"annotations,omitempty"`
}

// RateLimit bounds what one client address may send.
type RateLimit struct {
	// perMinute is how many submissions are taken each minute on average, 1 to 100000. Pages may be read ten times as often.
	// +optional
	// +default=600
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	PerMinute int32 `json:"perMinute,omitempty"`
	// burst is how many are taken at once, 1 to 100000.
	// +optional
	// +default=100
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	Burst int32 `json:"burst,omitempty"`
}

// Monitoring asks for what the Prometheus operator reads.
type Monitoring struct {
	// serviceMonitor makes a ServiceMonitor of this endpoint alone, for a Prometheus that looks at this namespace only.
	// +optional
	ServiceMonitor *ServiceMonitor `json:"serviceMonitor,omitempty"`
}

// ServiceMonitor is how a ServiceMonitor is made.
type ServiceMonitor struct {
	// labels by which a Prometheus selects it.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	Labels map[string]string `json:"labels,omitempty"`
}

// EndpointStatus is what serves a program now.
type EndpointStatus struct {
	// mode that serves the program, which the spec's follows only where no answer is lost.
	// +required
	Mode EndpointMode `json:"mode"`
	// replicas that are wanted; absent for Embedded programs.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`
	// readyReplicas take answers; absent for Embedded programs.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ReadyReplicas *int32 `json:"readyReplicas,omitempty"`
}
