package render

import (
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// serviceMonitor is for a Prometheus that reads the program's own token. All it refers to is in the program's namespace.
func (d Dedicated) serviceMonitor(wanted *v1alpha1.ServiceMonitor) *monitoringv1.ServiceMonitor {
	meta := d.meta()
	meta.Labels = merged(wanted.Labels, meta.Labels)
	return &monitoringv1.ServiceMonitor{
		TypeMeta:   metav1.TypeMeta{APIVersion: monitoringv1.SchemeGroupVersion.String(), Kind: monitoringv1.ServiceMonitorsKind},
		ObjectMeta: meta,
		Spec: monitoringv1.ServiceMonitorSpec{
			// The series of all endpoints are of one job, whoever scrapes them.
			JobLabel: "app.kubernetes.io/name",
			Selector: metav1.LabelSelector{MatchLabels: selector(d.Program.Name)},
			Endpoints: []monitoringv1.Endpoint{{
				Port: operationsPortName, Path: "/metrics", Scheme: ptr.To(monitoringv1.Scheme("https")), // older definitions of the kind know no capitals
				// The labels namespace and program are those that the endpoint exports.
				HonorLabels: true,
				RelabelConfigs: []monitoringv1.RelabelConfig{{
					SourceLabels: []monitoringv1.LabelName{"__meta_kubernetes_service_label_cx_operator_io_program"},
					TargetLabel:  "program",
				}},
				HTTPConfigWithProxyAndTLSFiles: monitoringv1.HTTPConfigWithProxyAndTLSFiles{
					HTTPConfigWithTLSFiles: monitoringv1.HTTPConfigWithTLSFiles{
						HTTPConfigWithoutTLS: monitoringv1.HTTPConfigWithoutTLS{Authorization: &monitoringv1.SafeAuthorization{
							Type: "Bearer", Credentials: secretKey(TokensName(d.Program.Name), TokenInternal),
						}},
						TLSConfig: &monitoringv1.TLSConfig{SafeTLSConfig: monitoringv1.SafeTLSConfig{
							CA:         monitoringv1.SecretOrConfigMap{Secret: secretKey(CertificateName(d.Program.Name), keyAuthority)},
							ServerName: ptr.To(EndpointHost),
						}},
					},
				},
			}},
		},
	}
}

func secretKey(name, key string) *corev1.SecretKeySelector {
	return &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key}
}
