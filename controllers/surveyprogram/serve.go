package surveyprogram

import (
	"context"
	"crypto/rand"
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/embedded"
	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// serve has the program served where it is to be. Where the spec cannot be compiled, the last good survey goes on being
// served. An error is on record as a problem too, so that the program's conditions tell of it.
func (r *Reconciler) serve(ctx context.Context, s *scope) error {
	err := r.tryServe(ctx, s)
	if err != nil {
		s.refProblems = append(s.refProblems, survey.Problem{
			Reason: v1alpha1.ReasonRetrying, Field: "spec",
			Message: "what serves the page, or its tokens, cannot be brought up to date now; the operator's log says why",
		})
	}
	return err
}

func (r *Reconciler) tryServe(ctx context.Context, s *scope) error {
	e, sit, err := r.lookAt(ctx, s)
	if err != nil {
		return err
	}
	d := decide(sit)
	if d.move {
		if d, err = r.move(ctx, s, d); err != nil {
			return err
		}
	}
	if d.problem != nil {
		s.refProblems = append(s.refProblems, *d.problem)
		s.misplaced = d.problem
	}
	secrets, err := r.secretsFor(ctx, s, d)
	if err != nil {
		s.served = s.program.Status.Endpoint
		s.url = s.program.Status.URL
		return err
	}
	// One that fails does not keep the other from being brought up to date.
	unembedded := r.embed(ctx, s, e, d, secrets)
	return errors.Join(unembedded, r.dedicate(ctx, s, e, d, secrets))
}

// embed serves the program in this process, or no longer does.
func (r *Reconciler) embed(ctx context.Context, s *scope, e *endpoint, d decision, secrets secrets) error {
	key := env.KeyOf(s.program)
	if r.Endpoint == nil {
		if d.serves == v1alpha1.EndpointEmbedded {
			s.served = &v1alpha1.EndpointStatus{Mode: d.serves} // what it has is there still
		}
		return nil
	}
	if !d.embed {
		return r.Endpoint.Withdraw(key)
	}
	if e.served == nil {
		return nil
	}
	if err := r.roster.ensure(ctx, r.Env, s.program.Namespace); err != nil {
		return err
	}
	if err := r.Endpoint.Serve(s.program.Spec.StoreRef.Name, e.served, secrets.embedded); err != nil {
		return err
	}
	if d.serves == v1alpha1.EndpointEmbedded {
		s.served = &v1alpha1.EndpointStatus{Mode: d.serves}
		s.url = r.Endpoint.URL(key, "")
	}
	return nil
}

// move empties the place in this process. What came at the last moment keeps the program there.
func (r *Reconciler) move(ctx context.Context, s *scope, d decision) (decision, error) {
	empty, err := r.Endpoint.Leave(ctx, env.StoreOf(s.program), env.KeyOf(s.program))
	if err == nil && empty {
		return d, nil
	}
	stay := situation{wants: v1alpha1.EndpointDedicated, serves: v1alpha1.EndpointEmbedded, sqlite: true, left: leftAnswers}
	if err != nil {
		stay.left = leftUnknown
	}
	return decide(stay), err
}

// secrets of a program and its store.
type secrets struct {
	embedded embedded.Secrets
	// internal is the token for the operations port.
	internal string
}

// secretsFor returns the program's tokens, of which those that are absent are made, and its store's key, which the store's
// controller makes. A token that exists is never replaced. Who is not served needs none.
func (r *Reconciler) secretsFor(ctx context.Context, s *scope, d decision) (secrets, error) {
	p := s.program
	if !d.embed && d.endpoint != keep && d.endpoint != bring {
		return secrets{}, nil
	}
	name := types.NamespacedName{Namespace: p.Namespace, Name: render.TokensName(p.Name)}
	tokens, unseen, err := r.KeepSecret(ctx, r.APIReader, name, func(current *corev1.Secret) *corev1.Secret {
		return render.Tokens(p, current, rand.Text)
	})
	if err != nil {
		return secrets{}, err
	}
	if unseen {
		s.deadlines = append(s.deadlines, r.Clock().Add(env.SecretLag))
	}
	keys := &corev1.Secret{}
	if _, err := r.Find(ctx, p.Namespace, render.KeysName(p.Spec.StoreRef.Name), keys); err != nil {
		return secrets{}, err
	}
	return secrets{
		embedded: embedded.Secrets{
			Tokens: intake.Tokens{
				Import: string(tokens.Data[render.TokenImport]), Read: string(tokens.Data[render.TokenRead]), Sign: string(tokens.Data[render.TokenSign]),
			},
			ContactKey: string(keys.Data[render.KeyContacts]), CaseKeys: string(keys.Data[render.KeyCases]),
		},
		internal: string(tokens.Data[render.TokenInternal]),
	}, nil
}
