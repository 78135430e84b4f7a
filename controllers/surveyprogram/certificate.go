package surveyprogram

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/pki"
	"github.com/cx-operator/cx-operator/internal/render"
)

// keepCertificate sees to it that the endpoint's operations port has a certificate, and returns when it is to be looked at again. A
// Secret of that name that is somebody else's is a problem.
func (r *Reconciler) keepCertificate(ctx context.Context, p *v1alpha1.SurveyProgram, now time.Time) (renewal time.Time, taken bool, err error) {
	var failed error
	name := types.NamespacedName{Namespace: p.Namespace, Name: render.CertificateName(p.Name)}
	secret, unseen, err := r.KeepSecret(ctx, r.APIReader, name, func(current *corev1.Secret) *corev1.Secret {
		if current != nil && !metav1.IsControlledBy(current, p) {
			taken = true
			return nil
		}
		var next *corev1.Secret
		next, failed = r.certificate(p, current, now)
		return next
	})
	if err != nil || failed != nil || taken {
		return time.Time{}, taken, cause(err, failed)
	}
	if unseen {
		return now.Add(env.SecretLag), false, nil
	}
	renewal, err = pairOf(secret).RenewAt()
	return renewal, false, err
}

func cause(err, failed error) error {
	if failed != nil {
		return failed
	}
	return err
}

// certificate returns the Secret as it is to be, nil where current is right.
func (r *Reconciler) certificate(p *v1alpha1.SurveyProgram, current *corev1.Secret, now time.Time) (*corev1.Secret, error) {
	names, pair := render.CertificateHosts(env.KeyOf(p)), pairOf(current)
	if !pair.Fits(r.Dedicated.Authority, names, now) {
		var err error
		if pair, err = r.Dedicated.Authority.Issue(rand.Reader, now, names); err != nil {
			return nil, fmt.Errorf("make the endpoint's certificate: %w", err)
		}
	}
	wanted := render.CertificateSecret(p, pair.Certificate, pair.Key, r.Dedicated.Authority.Certificate)
	if current == nil {
		return wanted, nil
	}
	next := current.DeepCopy()
	if next.Labels == nil {
		next.Labels = map[string]string{}
	}
	maps.Copy(next.Labels, wanted.Labels)
	if next.Data == nil {
		next.Data = map[string][]byte{}
	}
	maps.Copy(next.Data, wanted.Data)
	if equality.Semantic.DeepEqual(next, current) {
		return nil, nil
	}
	return next, nil
}

func pairOf(s *corev1.Secret) pki.Pair {
	if s == nil {
		return pki.Pair{}
	}
	return pki.Pair{Certificate: s.Data[corev1.TLSCertKey], Key: s.Data[corev1.TLSPrivateKeyKey]}
}
