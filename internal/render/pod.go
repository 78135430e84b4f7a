package render

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

const (
	// containerName is that of the one container.
	containerName = "endpoint"
	// user that the image is made for.
	user = 65532
	// gracePeriod is how long a pod may take to end, in seconds: it drains, then finishes what it has begun.
	gracePeriod = 60
	// surveyAnnotation on pods has them replaced when the survey changes.
	surveyAnnotation = "cx-operator.io/survey-hash"
)

// podTemplate passes the restricted Pod Security Standard, whatever the spec's pod options say.
func (d Dedicated) podTemplate(surveyHash string) corev1.PodTemplateSpec {
	pod := ptr.Deref(d.Program.Spec.Endpoint.Pod, v1alpha1.EndpointPod{})
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{
			Labels:      merged(pod.Labels, Labels(d.Program.Name)),
			Annotations: merged(pod.Annotations, map[string]string{surveyAnnotation: surveyHash}),
		},
		Spec: corev1.PodSpec{
			ServiceAccountName:            EndpointName(d.Program.Name),
			AutomountServiceAccountToken:  ptr.To(false),
			EnableServiceLinks:            ptr.To(false),
			TerminationGracePeriodSeconds: ptr.To[int64](gracePeriod),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot:        ptr.To(true),
				RunAsUser:           ptr.To[int64](user),
				RunAsGroup:          ptr.To[int64](user),
				FSGroup:             ptr.To[int64](user),
				FSGroupChangePolicy: ptr.To(corev1.FSGroupChangeOnRootMismatch),
				SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers:                []corev1.Container{d.container(pod)},
			Volumes:                   d.volumes(),
			TopologySpreadConstraints: d.spread(),
			NodeSelector:              pod.NodeSelector,
			Tolerations:               pod.Tolerations,
			Affinity:                  pod.Affinity,
			PriorityClassName:         pod.PriorityClassName,
			ImagePullSecrets:          d.pullSecrets(pod),
		},
	}
}

func (d Dedicated) container(pod v1alpha1.EndpointPod) corev1.Container {
	resources := d.resources(pod)
	return corev1.Container{
		Name:            containerName,
		Image:           d.Options.Image,
		ImagePullPolicy: d.Options.PullPolicy,
		Args:            d.arguments(),
		Env:             memoryLimit(resources),
		Ports: []corev1.ContainerPort{
			{Name: surveyPortName, ContainerPort: SurveyPort, Protocol: corev1.ProtocolTCP},
			{Name: operationsPortName, ContainerPort: OperationsPort, Protocol: corev1.ProtocolTCP},
		},
		Resources: resources,
		// The first start may have to bring the store's tables up to date; it answers meanwhile that it is alive.
		StartupProbe:   probe("/healthz", 2, 60),
		LivenessProbe:  probe("/healthz", 10, 6),
		ReadinessProbe: probe("/readyz", 5, 2),
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: ptr.To(false),
			ReadOnlyRootFilesystem:   ptr.To(true),
			RunAsNonRoot:             ptr.To(true),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		VolumeMounts:             d.mounts(),
	}
}

// probe asks the operations port. Kubernetes takes its certificate as it is.
func probe(path string, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromString(operationsPortName), Scheme: corev1.URISchemeHTTPS,
		}},
		PeriodSeconds: period, FailureThreshold: failures, TimeoutSeconds: 5,
	}
}

// resources of the container: what the spec says instead of the defaults. An autoscaler by CPU load needs a request for CPU.
func (d Dedicated) resources(pod v1alpha1.EndpointPod) corev1.ResourceRequirements {
	defaultCPU := resource.MustParse("50m")
	if pod.Resources == nil {
		return corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: defaultCPU, corev1.ResourceMemory: resource.MustParse("64Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")},
		}
	}
	resources := *pod.Resources.DeepCopy()
	_, requested := resources.Requests[corev1.ResourceCPU]
	_, limited := resources.Limits[corev1.ResourceCPU]
	if d.Program.Spec.Endpoint.Autoscaling == nil || requested || limited {
		return resources
	}
	if resources.Requests == nil {
		resources.Requests = corev1.ResourceList{}
	}
	resources.Requests[corev1.ResourceCPU] = defaultCPU
	return resources
}

// memoryLimit tells Go's garbage collector of nine tenths of the container's limit, so that it works harder before the kernel
// ends the process.
func memoryLimit(resources corev1.ResourceRequirements) []corev1.EnvVar {
	limit := resources.Limits.Memory().Value()
	if limit <= 0 {
		return nil
	}
	return []corev1.EnvVar{{Name: "GOMEMLIMIT", Value: strconv.FormatInt(limit-limit/10, 10)}}
}

// spread puts pods on different nodes and zones where it can; a pod that has no other place is better than none.
func (d Dedicated) spread() []corev1.TopologySpreadConstraint {
	if d.sqlite() {
		return nil
	}
	var constraints []corev1.TopologySpreadConstraint
	for _, key := range []string{corev1.LabelHostname, corev1.LabelTopologyZone} {
		constraints = append(constraints, corev1.TopologySpreadConstraint{
			MaxSkew: 1, TopologyKey: key, WhenUnsatisfiable: corev1.ScheduleAnyway,
			LabelSelector: &metav1.LabelSelector{MatchLabels: selector(d.Program.Name)},
			// Without it the pods of the last revision, which are about to go, would count.
			MatchLabelKeys: []string{"pod-template-hash"},
		})
	}
	return constraints
}

// pullSecrets returns those of the operator, then those of the program, each once.
func (d Dedicated) pullSecrets(pod v1alpha1.EndpointPod) []corev1.LocalObjectReference {
	names := slices.Clone(d.Options.PullSecrets)
	for _, secret := range pod.ImagePullSecrets {
		names = append(names, secret.Name)
	}
	var references []corev1.LocalObjectReference
	for i, name := range names {
		if slices.Index(names, name) == i {
			references = append(references, corev1.LocalObjectReference{Name: name})
		}
	}
	return references
}
