package surveyprogram

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/fleet"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/survey"
)

const (
	fieldEndpoint = "spec.endpoint"
	// recheckAfter is how soon what others must mend is looked at again: nothing tells when an API was installed, or when
	// somebody else's object is gone.
	recheckAfter = 15 * time.Second
	// rollingFor is how long the pod of a StatefulSet may take, for which Kubernetes has no deadline.
	rollingFor = 10 * time.Minute
)

// dedicate makes, keeps or removes the program's own endpoint.
func (r *Reconciler) dedicate(ctx context.Context, s *scope, e *endpoint, d decision, secrets secrets) error {
	if r.Dedicated == nil {
		return nil
	}
	switch d.endpoint {
	case bring:
		if e.served == nil && e.running == nil {
			return nil // nothing to serve yet; the spec's problems say why
		}
		if err := r.bring(ctx, s, e); err != nil {
			return err
		}
	case keep:
	case remove:
		if _, err := r.Dedicated.Applier.Apply(ctx, s.program, nil); err != nil {
			return err
		}
		r.announceKept(client.ObjectKeyFromObject(s.program))
		fallthrough
	default:
		r.Dedicated.Fleet.Forget(env.KeyOf(s.program))
		return nil
	}
	r.follow(s, e, d, secrets.internal)
	r.judgeRollout(s, e)
	if d.serves == v1alpha1.EndpointDedicated {
		s.served = &v1alpha1.EndpointStatus{Mode: d.serves, Replicas: ptr.To(e.rollout.wanted), ReadyReplicas: ptr.To(e.rollout.ready)}
		s.url = r.Dedicated.Fleet.URL(env.KeyOf(s.program), "")
	}
	return nil
}

// bring makes the endpoint what the spec says.
func (r *Reconciler) bring(ctx context.Context, s *scope, e *endpoint) error {
	p := s.program
	if e.unrendered != nil {
		s.refProblems = append(s.refProblems, survey.Problem{Reason: v1alpha1.ReasonInvalidSpec, Field: fieldEndpoint, Message: e.unrendered.Error()})
	}
	if len(e.wanted) == 0 {
		return nil // what runs is left as it is
	}
	renewal, taken, err := r.keepCertificate(ctx, p, r.Clock())
	if err != nil {
		return err
	}
	if taken {
		s.applied.Taken = append(s.applied.Taken, "Secret/"+render.CertificateName(p.Name))
		s.takeProblems()
		return nil
	}
	s.deadlines = append(s.deadlines, renewal)
	s.tried = true
	if s.applied, err = r.Dedicated.Applier.Apply(ctx, p, e.wanted); err != nil {
		return err
	}
	s.takeProblems()
	if s.applied.Behind {
		s.wait = recheckAfter
	}
	return r.watchOptional(e.wanted, s.applied.Absent)
}

// takeProblems turns what could not be applied into problems. A ServiceMonitor that is not made keeps nobody from answering.
func (s *scope) takeProblems() {
	if len(s.applied.Absent)+len(s.applied.Taken)+len(s.applied.Refused) > 0 {
		s.wait = recheckAfter
	}
	for _, gvk := range s.applied.Absent {
		if gvk.Kind != kindServiceMonitor {
			s.refProblems = append(s.refProblems, survey.Problem{
				Reason: v1alpha1.ReasonAPINotInstalled, Field: fieldEndpoint + ".exposure",
				Message: fmt.Sprintf("the cluster has no %s of %s", gvk.Kind, gvk.GroupVersion()),
			})
		}
	}
	for _, name := range s.applied.Taken {
		s.refProblems = append(s.refProblems, survey.Problem{
			Reason: v1alpha1.ReasonNameTaken, Field: "metadata.name",
			Message: fmt.Sprintf("%s exists and is not this program's: it was left as it is; delete it, or use another name", name),
		})
	}
	for _, refused := range s.applied.Refused {
		s.refProblems = append(s.refProblems, survey.Problem{
			Reason: v1alpha1.ReasonInvalidSpec, Field: fieldEndpoint,
			Message: fmt.Sprintf("%s %s is refused: %s", refused.Kind, refused.Name, refused.Message),
		})
	}
}

// follow hands the program over to the fleet. While pods are being replaced, what they served before stands.
func (r *Reconciler) follow(s *scope, e *endpoint, d decision, token string) {
	key := client.ObjectKeyFromObject(s.program)
	shown := e.served
	if last := r.memory.of(key).survey; last != nil && !e.rollout.settled {
		shown = last
	}
	r.memory.note(key, func(m *remembered) {
		m.survey = shown
		m.program, m.kept = s.program, keptOf(s.program, s.store)
	})
	base := render.PublicURL(s.program)
	if d.endpoint == keep { // the spec no longer says where it is
		base, _, _ = strings.Cut(s.program.Status.URL, "/s/"+s.program.Namespace+"/"+s.program.Name)
	}
	r.Dedicated.Fleet.Follow(fleet.Program{Key: env.KeyOf(s.program), Survey: shown, Token: token, URL: base, Ready: e.rollout.ready > 0})
	s.readable = nil
	if readable, known := r.Dedicated.Fleet.Readable(env.KeyOf(s.program)); known {
		s.readable = &readable
	}
}

// judgeRollout notes how far the pods are, and the problem where they are not all in service.
func (r *Reconciler) judgeRollout(s *scope, e *endpoint) {
	ro := e.rollout
	if _, ok := e.running.(*appsv1.StatefulSet); ok && !ro.settled {
		ro.failed = r.overdue(s, e.running.GetGeneration())
	}
	s.rollout = &ro
	reason := v1alpha1.ReasonEndpointStarting
	switch {
	case ro.settled:
		r.memory.note(client.ObjectKeyFromObject(s.program), func(m *remembered) { m.rolling, m.since = 0, time.Time{} })
		return
	case ro.failed:
		reason = v1alpha1.ReasonEndpointFailed
	}
	// In front. That the store is not ready, which its endpoints tell, follows from it.
	s.refProblems = slices.DeleteFunc(s.refProblems, func(p survey.Problem) bool { return p.Reason == v1alpha1.ReasonStoreNotReady })
	s.refProblems = slices.Insert(s.refProblems, 0, survey.Problem{Reason: reason, Field: fieldEndpoint, Message: ro.message})
}

// overdue says whether the pods of a generation have not been in service for too long, and comes back when that is due.
func (r *Reconciler) overdue(s *scope, generation int64) bool {
	now := r.Clock()
	since := now
	r.memory.note(client.ObjectKeyFromObject(s.program), func(m *remembered) {
		if m.rolling != generation {
			m.rolling, m.since = generation, now
			if c := meta.FindStatusCondition(s.program.Status.Conditions, v1alpha1.ConditionEndpointReady); c != nil &&
				c.Reason == v1alpha1.ReasonEndpointFailed && c.ObservedGeneration == s.program.Generation {
				m.since = time.Time{} // before a restart of the operator
			}
		}
		since = m.since
	})
	if due := since.Add(rollingFor); now.Before(due) {
		s.deadlines = append(s.deadlines, due)
		return false
	}
	return true
}

// keptOf says what is kept of a Dedicated program's answers when it goes.
func keptOf(p *v1alpha1.SurveyProgram, rs *v1alpha1.ResponseStore) string {
	switch {
	case rs == nil:
		return ""
	case rs.Spec.SQLite != nil:
		return fmt.Sprintf("the PersistentVolumeClaim %s keeps the answers", render.ClaimName(rs.Name))
	}
	return fmt.Sprintf("the schema %q of the PostgreSQL database keeps the answers", render.Schema(env.StoreOf(p)))
}
