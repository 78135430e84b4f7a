package surveyprogram

import (
	"context"
	"crypto/rand"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/embedded"
	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// serve hands the compiled survey to the endpoint. Where the spec cannot be compiled, the last good survey goes on
// being served. An error is on record as a problem too, so that the program's conditions tell of it.
func (r *Reconciler) serve(ctx context.Context, s *scope) error {
	if problem := r.cannotServe(s.program); problem != nil {
		s.refProblems = append(s.refProblems, *problem)
		s.url = ""
		if r.Endpoint == nil {
			return nil
		}
		return r.Endpoint.Withdraw(keyOf(s.program))
	}
	served, err := r.hand(ctx, s)
	if err != nil {
		s.refProblems = append(s.refProblems, survey.Problem{
			Reason: v1alpha1.ReasonRetrying, Field: "spec",
			Message: "the page or its tokens cannot be brought up to date now; the operator's log says why",
		})
		return err
	}
	s.url = ""
	if served {
		s.url = r.Endpoint.URL(keyOf(s.program), "")
	}
	return nil
}

// hand says whether there was a survey to hand over.
func (r *Reconciler) hand(ctx context.Context, s *scope) (bool, error) {
	secrets, err := r.secrets(ctx, s.program)
	if err != nil {
		return false, err
	}
	served := s.compiled
	if served == nil {
		if served, err = r.Endpoint.LastGood(keyOf(s.program)); err != nil || served == nil {
			return false, err
		}
	}
	return true, r.Endpoint.Serve(s.program.Spec.StoreRef.Name, served, secrets)
}

// cannotServe returns why this operator does not serve the program at all, or nil.
func (r *Reconciler) cannotServe(p *v1alpha1.SurveyProgram) *survey.Problem {
	problem := &survey.Problem{Reason: v1alpha1.ReasonNotServed, Field: "spec.endpoint.mode"}
	switch {
	case p.Spec.Endpoint.Mode != v1alpha1.EndpointEmbedded:
		problem.Message = "this version serves Embedded programs only"
	case r.Endpoint == nil:
		problem.Message = "no process serves Embedded programs: start the manager with --embedded-endpoint"
	default:
		return nil
	}
	return problem
}

func keyOf(p *v1alpha1.SurveyProgram) store.Key {
	return store.Key{Namespace: p.Namespace, Name: p.Name}
}

// secrets returns the program's tokens, of which those that are absent are made, and its store's key, which the store's
// controller makes. A token that exists is never replaced.
func (r *Reconciler) secrets(ctx context.Context, p *v1alpha1.SurveyProgram) (embedded.Secrets, error) {
	name := types.NamespacedName{Namespace: p.Namespace, Name: render.TokensName(p.Name)}
	tokens, err := r.KeepSecret(ctx, r.APIReader, name, func(current *corev1.Secret) *corev1.Secret {
		return render.Tokens(p, current, rand.Text)
	})
	if err != nil {
		return embedded.Secrets{}, err
	}
	keys := &corev1.Secret{}
	if _, err := r.Find(ctx, p.Namespace, render.KeysName(p.Spec.StoreRef.Name), keys); err != nil {
		return embedded.Secrets{}, err
	}
	return embedded.Secrets{
		Tokens: intake.Tokens{
			Import: string(tokens.Data[render.TokenImport]), Read: string(tokens.Data[render.TokenRead]), Sign: string(tokens.Data[render.TokenSign]),
		},
		ContactKey: string(keys.Data[render.KeyContacts]),
	}, nil
}
