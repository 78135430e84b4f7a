// Package notifier tells people what happened: it finds what waits in the outboxes of resources and of cases, decides to whom
// it goes, sends it, and writes down what became of it. Only the leader does.
//
// One pass serves one namespace, since what waits for one channel may come from many resources. It writes twice: by which
// message each notice goes before anything is sent, and afterwards what became of it. Whoever ends between the two sends the
// same message again, with the same id.
package notifier

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/exporter"
)

// +kubebuilder:rbac:groups=cx-operator.io,resources=teams;surveyprograms;touchpoints;actionplans;reviews,verbs=get;list;watch
// +kubebuilder:rbac:groups=cx-operator.io,resources=surveyprograms/status;touchpoints/status;actionplans/status;reviews/status,verbs=get;patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get

// Reconciler sends notices. A request is for a namespace: its Name.
type Reconciler struct {
	*env.Env
	// APIReader reads what is to be sent, and the Secrets of channels, live from the API server.
	APIReader client.Reader
	// Desks finds the desk of a program; nil is Env.Desk.
	Desks func(program *v1alpha1.SurveyProgram) (desk.Desk, error)

	mu     sync.Mutex
	spaces map[string]*space
}

// space is what this process remembers of a namespace. Only one pass at a time uses it.
type space struct {
	// read says that a pass of this process read the namespace live: the cache is not behind what an earlier leader did.
	read bool
	// sent are the messages of the last hour, by channel and id.
	sent map[string]map[string]time.Time
	// paused says until when a channel is left alone that failed.
	paused map[string]time.Time
	// unsaved are outboxes with outcomes that could not be written, by holder.
	unsaved map[string][]v1alpha1.Notice
}

// Reconcile sends what is due in one namespace.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
	s := r.space(req.Name)
	now := r.Clock()
	p, err := r.begin(ctx, req.Name, s, now)
	if err != nil {
		return ctrl.Result{}, err
	}
	r.export(p)
	if !p.plan(now) {
		return env.Requeue(now, 0, p.next), nil
	}
	if err := p.refresh(ctx); err != nil {
		return ctrl.Result{}, err
	}
	p.plan(now)
	if err := p.save(ctx); err != nil {
		return ctrl.Result{}, err
	}
	p.send(ctx)
	// What was sent is written down even while the process is told to end.
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	p.settle(after)
	now = r.Clock()
	if p.plan(now) {
		p.next = now
	}
	r.export(p)
	return env.Requeue(now, 0, p.next), nil
}

func (r *Reconciler) space(namespace string) *space {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spaces == nil {
		r.spaces = map[string]*space{}
	}
	if r.spaces[namespace] == nil {
		r.spaces[namespace] = &space{
			sent: map[string]map[string]time.Time{}, paused: map[string]time.Time{}, unsaved: map[string][]v1alpha1.Notice{},
		}
	}
	return r.spaces[namespace]
}

func (r *Reconciler) desk(program *v1alpha1.SurveyProgram) (desk.Desk, error) {
	if r.Desks != nil {
		return r.Desks(program)
	}
	return r.Desk(program)
}

// begin reads a namespace.
func (r *Reconciler) begin(ctx context.Context, namespace string, s *space, now time.Time) (*pass, error) {
	p := &pass{Reconciler: r, namespace: namespace, space: s}
	if err := p.readTeams(ctx, r.Client); err != nil {
		return nil, err
	}
	if err := p.readResources(ctx, now); err != nil {
		return nil, err
	}
	p.forget()
	return p, nil
}

// secret reads a key of a Secret of the namespace.
func (p *pass) secret(ctx context.Context, ref v1alpha1.SecretKeyRef) (string, error) {
	secret := &corev1.Secret{}
	err := p.APIReader.Get(ctx, client.ObjectKey{Namespace: p.namespace, Name: ref.Name}, secret)
	if client.IgnoreNotFound(err) != nil {
		log.FromContext(ctx).Error(err, "Read the Secret of a channel", "secret", ref.Name)
		return "", fmt.Errorf("the Secret %s cannot be read", ref.Name)
	}
	value, ok := secret.Data[ref.Key]
	switch {
	case err != nil:
		return "", fmt.Errorf("there is no Secret %s", ref.Name)
	case !ok || len(value) == 0:
		return "", fmt.Errorf("the Secret %s has nothing under %s", ref.Name, ref.Key)
	case len(value) > maxSecret:
		return "", errors.New("the Secret of the channel is too large")
	}
	return trim(value), nil
}

// export shows how many messages wait or died, by resource and team.
func (r *Reconciler) export(p *pass) {
	r.Exporter.Set(exporter.Source{Kind: "Notifier", Namespace: p.namespace}, exporter.Series{Notices: p.series()})
}
