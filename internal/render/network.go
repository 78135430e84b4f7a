package render

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

const (
	// surveyServicePort is the Service's port of pages and submissions.
	surveyServicePort = 80
	// operatorName is the value of the label app.kubernetes.io/name on the operator's own pods.
	operatorName = "cx-operator"
)

// serviceAccount has no rights, and its token is not mounted.
func (d Dedicated) serviceAccount() *corev1.ServiceAccount {
	return &corev1.ServiceAccount{
		TypeMeta:                     metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta:                   d.meta(),
		AutomountServiceAccountToken: ptr.To(false),
	}
}

func (d Dedicated) service() *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: d.meta(),
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeClusterIP,
			Selector: selector(d.Program.Name),
			Ports: []corev1.ServicePort{
				{
					Name: surveyPortName, Port: surveyServicePort, TargetPort: intstr.FromString(surveyPortName),
					Protocol: corev1.ProtocolTCP, AppProtocol: ptr.To("http"),
				},
				{
					Name: operationsPortName, Port: OperationsPort, TargetPort: intstr.FromString(operationsPortName),
					Protocol: corev1.ProtocolTCP, AppProtocol: ptr.To("https"),
				},
			},
		},
	}
}

// networkPolicy lets everybody reach the pages, but only the operator and those who monitor the operations port. The pods call
// nobody but their database, whose address only they know.
func (d Dedicated) networkPolicy() *networkingv1.NetworkPolicy {
	policy := &networkingv1.NetworkPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
		ObjectMeta: d.meta(),
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: selector(d.Program.Name)},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{Ports: tcp(SurveyPort)}},
		},
	}
	if peers := d.operationsPeers(); len(peers) > 0 {
		policy.Spec.Ingress = append(policy.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{From: peers, Ports: tcp(OperationsPort)})
	}
	if !d.sqlite() {
		policy.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{Ports: []networkingv1.NetworkPolicyPort{
			{Protocol: ptr.To(corev1.ProtocolUDP), Port: ptr.To(intstr.FromInt32(53))},
			{Protocol: ptr.To(corev1.ProtocolTCP)},
		}}}
	}
	return policy
}

// operationsPeers may reach the operations port. An empty list would be everybody.
func (d Dedicated) operationsPeers() []networkingv1.NetworkPolicyPeer {
	var peers []networkingv1.NetworkPolicyPeer
	if d.Options.OperatorNamespace != "" {
		peers = append(peers, networkingv1.NetworkPolicyPeer{
			NamespaceSelector: namespaceSelector(d.Options.OperatorNamespace),
			PodSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": operatorName}},
		})
	}
	for _, namespace := range d.Options.MonitoringNamespaces {
		peers = append(peers, networkingv1.NetworkPolicyPeer{NamespaceSelector: namespaceSelector(namespace)})
	}
	return peers
}

func namespaceSelector(namespace string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}}
}

func tcp(port int32) []networkingv1.NetworkPolicyPort {
	return []networkingv1.NetworkPolicyPort{{Protocol: ptr.To(corev1.ProtocolTCP), Port: ptr.To(intstr.FromInt32(port))}}
}
