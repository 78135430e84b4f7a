package render

import (
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// ingress brings the survey port, and no other, to the outside.
func (d Dedicated) ingress(exposure *v1alpha1.Exposure) *networkingv1.Ingress {
	wanted := exposure.Ingress
	ingress := &networkingv1.Ingress{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"},
		ObjectMeta: d.meta(),
		Spec: networkingv1.IngressSpec{
			Rules: []networkingv1.IngressRule{{
				Host: exposure.Hostname,
				IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
					Paths: []networkingv1.HTTPIngressPath{{
						Path: "/", PathType: ptr.To(networkingv1.PathTypePrefix),
						Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
							Name: EndpointName(d.Program.Name), Port: networkingv1.ServiceBackendPort{Name: surveyPortName},
						}},
					}},
				}},
			}},
		},
	}
	if wanted.ClassName != "" {
		ingress.Spec.IngressClassName = &wanted.ClassName
	}
	if annotations := merged(wanted.Annotations, issuerAnnotation(wanted.Issuer)); len(annotations) > 0 {
		ingress.Annotations = annotations
	}
	if secret := d.exposureSecret(wanted); secret != "" {
		ingress.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{exposure.Hostname}, SecretName: secret}}
	}
	return ingress
}

// issuerAnnotation is what cert-manager makes a certificate by.
func issuerAnnotation(issuer *v1alpha1.CertificateIssuer) map[string]string {
	switch {
	case issuer == nil:
		return nil
	case issuer.Kind == v1alpha1.IssuerNamespaced:
		return map[string]string{"cert-manager.io/issuer": issuer.Name}
	}
	return map[string]string{"cert-manager.io/cluster-issuer": issuer.Name}
}

// exposureSecret is where the certificate for respondents is; empty where the Ingress has none of its own.
func (d Dedicated) exposureSecret(wanted *v1alpha1.IngressExposure) string {
	if wanted.TLSSecretName == "" && wanted.Issuer != nil {
		return EndpointName(d.Program.Name) + "-cert"
	}
	return wanted.TLSSecretName
}

// route brings the survey port, and no other, to Gateways.
func (d Dedicated) route(exposure *v1alpha1.Exposure) *gatewayv1.HTTPRoute {
	var parents []gatewayv1.ParentReference
	for _, ref := range exposure.Gateway.ParentRefs {
		parent := gatewayv1.ParentReference{
			Group: ptr.To(gatewayv1.Group(gatewayv1.GroupName)), Kind: ptr.To(gatewayv1.Kind("Gateway")), Name: gatewayv1.ObjectName(ref.Name),
		}
		if ref.Namespace != "" {
			parent.Namespace = ptr.To(gatewayv1.Namespace(ref.Namespace))
		}
		if ref.SectionName != "" {
			parent.SectionName = ptr.To(gatewayv1.SectionName(ref.SectionName))
		}
		parents = append(parents, parent)
	}
	backend := gatewayv1.BackendObjectReference{
		Name: gatewayv1.ObjectName(EndpointName(d.Program.Name)), Port: ptr.To(gatewayv1.PortNumber(surveyServicePort)),
	}
	return &gatewayv1.HTTPRoute{
		TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: "HTTPRoute"},
		ObjectMeta: d.meta(),
		Spec: gatewayv1.HTTPRouteSpec{
			CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: parents},
			Hostnames:       []gatewayv1.Hostname{gatewayv1.Hostname(exposure.Hostname)},
			Rules: []gatewayv1.HTTPRouteRule{{
				Matches: []gatewayv1.HTTPRouteMatch{{
					Path: &gatewayv1.HTTPPathMatch{Type: ptr.To(gatewayv1.PathMatchPathPrefix), Value: ptr.To("/")},
				}},
				BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: gatewayv1.BackendRef{BackendObjectReference: backend}}},
			}},
		},
	}
}
