package surveyprogram

import (
	"context"
	"crypto/rand"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
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
	tokens, err := r.tokens(ctx, s.program)
	if err != nil {
		return false, err
	}
	served := s.compiled
	if served == nil {
		if served, err = r.Endpoint.LastGood(keyOf(s.program)); err != nil || served == nil {
			return false, err
		}
	}
	return true, r.Endpoint.Serve(s.program.Spec.StoreRef.Name, served, tokens)
}

// cannotServe returns why this operator does not serve the program at all, or nil.
func (r *Reconciler) cannotServe(p *v1alpha1.SurveyProgram) *survey.Problem {
	problem := &survey.Problem{Reason: v1alpha1.ReasonNotServed, Field: "spec.endpoint.mode"}
	switch {
	case p.Spec.Endpoint.Mode != v1alpha1.EndpointEmbedded:
		problem.Message = "this version serves Embedded programs only"
	case r.Endpoint == nil:
		problem.Message = "no process serves Embedded programs: start the manager with --embedded-endpoint"
	case p.Spec.Access.Mode != v1alpha1.AccessOpen:
		problem.Field = "spec.access.mode"
		problem.Message = "this version serves Open access only"
	default:
		return nil
	}
	return problem
}

func keyOf(p *v1alpha1.SurveyProgram) store.Key {
	return store.Key{Namespace: p.Namespace, Name: p.Name}
}

// tokens returns the program's tokens, and makes those that are absent. A token that exists is never replaced.
func (r *Reconciler) tokens(ctx context.Context, p *v1alpha1.SurveyProgram) (intake.Tokens, error) {
	current, err := r.tokensSecret(ctx, p)
	if err != nil {
		return intake.Tokens{}, err
	}
	secret := render.Tokens(p, current, rand.Text)
	switch {
	case secret == nil:
		secret = current
	case current == nil:
		err = r.Client.Create(ctx, secret, env.FieldOwner)
	default:
		patch := client.MergeFromWithOptions(current, client.MergeFromWithOptimisticLock{})
		err = r.Client.Patch(ctx, secret, patch, env.FieldOwner)
	}
	if err != nil {
		return intake.Tokens{}, fmt.Errorf("write tokens: %w", err)
	}
	return intake.Tokens{Import: string(secret.Data[render.TokenImport]), Read: string(secret.Data[render.TokenRead])}, nil
}

// tokensSecret reads the Secret from the cache, which holds labelled ones only, else from the API server.
func (r *Reconciler) tokensSecret(ctx context.Context, p *v1alpha1.SurveyProgram) (*corev1.Secret, error) {
	name := types.NamespacedName{Namespace: p.Namespace, Name: render.TokensName(p.Name)}
	for _, reader := range []client.Reader{r.Client, r.APIReader} {
		secret := &corev1.Secret{}
		err := reader.Get(ctx, name, secret)
		if err == nil {
			return secret, nil
		}
		if !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("read tokens: %w", err)
		}
	}
	return nil, nil
}
