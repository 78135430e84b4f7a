package render

import (
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

const (
	// defaultReplicas of an endpoint on PostgreSQL: one can be replaced while the other serves.
	defaultReplicas = 2
	// defaultMinReplicas and defaultTargetCPU are the API's defaults, for programs that no API server has seen.
	defaultMinReplicas = 2
	defaultTargetCPU   = 70
	// keptRevisions is how many former ReplicaSets or revisions are kept.
	keptRevisions = 3
)

// deployment runs the endpoint of a store that several processes may open. A new pod is ready before an old one goes.
func (d Dedicated) deployment(surveyHash string) *appsv1.Deployment {
	deployment := &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: d.meta(),
		Spec: appsv1.DeploymentSpec{
			Selector:             &metav1.LabelSelector{MatchLabels: selector(d.Program.Name)},
			RevisionHistoryLimit: ptr.To[int32](keptRevisions),
			Strategy: appsv1.DeploymentStrategy{
				Type: appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{
					MaxUnavailable: ptr.To(intstr.FromInt32(0)),
					MaxSurge:       ptr.To(intstr.FromString("25%")),
				},
			},
			Template: d.podTemplate(surveyHash),
		},
	}
	endpoint := d.Program.Spec.Endpoint
	if endpoint.Autoscaling == nil {
		deployment.Spec.Replicas = ptr.To(ptr.Deref(endpoint.Replicas, defaultReplicas))
	}
	return deployment
}

// statefulSet runs the endpoint of a store that one process may open: the old pod is gone before the new one starts. Parallel
// lets a pod that never became ready be replaced, too.
func (d Dedicated) statefulSet(surveyHash string) *appsv1.StatefulSet {
	return &appsv1.StatefulSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"},
		ObjectMeta: d.meta(),
		Spec: appsv1.StatefulSetSpec{
			ServiceName:          EndpointName(d.Program.Name),
			Replicas:             ptr.To(ptr.Deref(d.Program.Spec.Endpoint.Replicas, 1)),
			Selector:             &metav1.LabelSelector{MatchLabels: selector(d.Program.Name)},
			RevisionHistoryLimit: ptr.To[int32](keptRevisions),
			PodManagementPolicy:  appsv1.ParallelPodManagement,
			UpdateStrategy:       appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType},
			Template:             d.podTemplate(surveyHash),
		},
	}
}

// mostReplicas is how many pods there can be on purpose.
func (d Dedicated) mostReplicas() int32 {
	endpoint := d.Program.Spec.Endpoint
	switch {
	case d.sqlite():
		return 1
	case endpoint.Autoscaling != nil:
		return endpoint.Autoscaling.MaxReplicas
	}
	return ptr.Deref(endpoint.Replicas, defaultReplicas)
}

// disruptionBudget lets one pod at a time be evicted, and any that is not ready.
func (d Dedicated) disruptionBudget() *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"},
		ObjectMeta: d.meta(),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable:             ptr.To(intstr.FromInt32(1)),
			Selector:                   &metav1.LabelSelector{MatchLabels: selector(d.Program.Name)},
			UnhealthyPodEvictionPolicy: ptr.To(policyv1.AlwaysAllow),
		},
	}
}

func (d Dedicated) autoscaler() *autoscalingv2.HorizontalPodAutoscaler {
	wanted := d.Program.Spec.Endpoint.Autoscaling
	return &autoscalingv2.HorizontalPodAutoscaler{
		TypeMeta:   metav1.TypeMeta{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"},
		ObjectMeta: d.meta(),
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: EndpointName(d.Program.Name)},
			MinReplicas:    ptr.To(or(wanted.MinReplicas, defaultMinReplicas)),
			MaxReplicas:    wanted.MaxReplicas,
			Metrics: []autoscalingv2.MetricSpec{{
				Type: autoscalingv2.ResourceMetricSourceType,
				Resource: &autoscalingv2.ResourceMetricSource{
					Name:   corev1.ResourceCPU,
					Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr.To(or(wanted.TargetCPUPercent, defaultTargetCPU))},
				},
			}},
		},
	}
}

// or returns the value, or the API's default where it is zero.
func or(value, otherwise int32) int32 {
	if value == 0 {
		return otherwise
	}
	return value
}
