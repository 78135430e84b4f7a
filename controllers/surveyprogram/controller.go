// Package surveyprogram reconciles SurveyPrograms: it compiles the survey, serves it, keeps the tokens, and judges
// program-wide objectives.
package surveyprogram

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/objectives"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// +kubebuilder:rbac:groups=cx-operator.io,resources=surveyprograms,verbs=get;list;watch
// +kubebuilder:rbac:groups=cx-operator.io,resources=surveyprograms/status,verbs=get;patch
// +kubebuilder:rbac:groups=cx-operator.io,resources=surveyprograms/finalizers,verbs=update
// +kubebuilder:rbac:groups=cx-operator.io,resources=accountabilitypolicies;actionplans;reviews;touchpoints,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups="",resources=configmaps;services;serviceaccounts,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=apps,resources=deployments;statefulsets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=autoscaling,resources=horizontalpodautoscalers,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=httproutes,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=monitoring.coreos.com,resources=servicemonitors,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses;networkpolicies,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete

// Reconciler reconciles SurveyPrograms.
type Reconciler struct {
	*env.Env
	// APIReader reads from the API server what the cache leaves out.
	APIReader client.Reader
	throttle  objectives.Throttle
	lane      objectives.Lane
	memory    memory
	optional  optional
	compiler  compiler
	roster    roster
	hold      env.Hold
	quiet     quiet
}

// Reconcile serves and judges one program.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
	before := &v1alpha1.SurveyProgram{}
	if err := r.Client.Get(ctx, req.NamespacedName, before); err != nil {
		if apierrors.IsNotFound(err) {
			return ctrl.Result{}, r.forget(req)
		}
		return ctrl.Result{}, fmt.Errorf("get program: %w", err)
	}
	if !before.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.forget(req)
	}
	if r.Behind(before) {
		return ctrl.Result{}, nil
	}
	now := r.Clock()
	s, err := r.read(ctx, before)
	if err != nil {
		return ctrl.Result{}, err
	}
	unserved := r.serve(ctx, &s)
	if wait := r.holdBack(&s, now); wait > 0 && unserved == nil {
		return env.Requeue(now, wait, s.deadlines...), nil
	}
	s.subject.Frozen = s.subject.Frozen || s.moved(before)
	verdict, unjudged, err := r.judge(s, before, now)
	if err != nil {
		return ctrl.Result{}, err
	}
	plans, err := objectives.FollowUp(ctx, r.Env, s.subject, verdict, now)
	if err != nil {
		return ctrl.Result{}, err
	}
	people := objectives.Participate(r.Env, s.subject, before.Status.Participation, now)

	program := before.DeepCopy()
	program.Status.ObservedGeneration = program.Generation
	program.Status.URL, program.Status.Endpoint = s.url, s.served
	program.Status.Objectives, program.Status.Judged = verdict.Objectives, verdict.Judged
	program.Status.Participation = people.Figures
	wanted := slices.Concat(plans.Missed, plans.Missing, verdict.Low)
	program.Status.Breaches = wanted
	run, err := r.govern(ctx, &s, program, now)
	if err != nil {
		return ctrl.Result{}, err
	}
	wanted = slices.Concat(s.breaches(), wanted, run.write(&program.Status))
	open, transitions := objectives.Merge(before.Status.Breaches, wanted, verdict, now)
	program.Status.Breaches = open

	set := conditions.Set{Conditions: &program.Status.Conditions, Generation: program.Generation, Now: now}
	s.setConditions(set, unjudged)
	run.setConditions(set)
	program.Status.PolicyRef = objectives.SetGoverned(set, s.subject.Effective)
	objectives.SetConditions(set, verdict.Objectives, program.Status.Breaches, plans.Late)

	settled, err := r.conclude(ctx, s, program, before, transitions, now)
	if err != nil {
		return ctrl.Result{}, err
	}
	deadlines := slices.Concat(s.deadlines, run.deadlines(), []time.Time{verdict.Next, plans.Next, people.Next, settled.Next})
	if s.wait > 0 {
		deadlines = append(deadlines, now.Add(s.wait))
	}
	return env.Requeue(now, settled.Wait, deadlines...), errors.Join(unserved, plans.Refused)
}

// judge judges the program's objectives and shows them in /metrics, with a status that it has.
func (r *Reconciler) judge(s scope, p *v1alpha1.SurveyProgram, now time.Time) (evaluate.Output, []survey.Problem, error) {
	defer r.lane.Lock(client.ObjectKeyFromObject(p))()
	verdict, unjudged, err := objectives.Judge(r.Env, s.subject, now)
	if err == nil {
		r.export(s, p, verdict.Objectives)
	}
	return verdict, unjudged, err
}

// conclude settles the status, and shows it in /metrics where it was written: with the answers that came meanwhile.
func (r *Reconciler) conclude(ctx context.Context, s scope, p, before *v1alpha1.SurveyProgram, transitions []breach.Transition, now time.Time) (objectives.Settled, error) {
	settled, err := objectives.Conclude(ctx, r.Env, &r.throttle, s.subject, p, before, verdictsOf, transitions, now)
	if err == nil && settled.Written {
		_, _, err = r.judge(s, p, r.Clock())
	}
	return settled, err
}

func verdictsOf(p *v1alpha1.SurveyProgram) objectives.Verdicts {
	return objectives.Verdicts{
		Objectives: &p.Status.Objectives, Judged: &p.Status.Judged, Breaches: &p.Status.Breaches, Outbox: &p.Status.Outbox,
	}
}

func labelOf(p *v1alpha1.SurveyProgram, team string) objectives.Label {
	return objectives.Label{Kind: "SurveyProgram", Namespace: p.Namespace, Name: p.Name, Program: p.Name, Team: team}
}

func (r *Reconciler) export(s scope, p *v1alpha1.SurveyProgram, live []v1alpha1.ObjectiveStatus) {
	label := labelOf(p, s.team)
	series := objectives.Series(label, s.subject, p.Status.Objectives, live, p.Status.Breaches)
	series.Participation = objectives.ParticipationSeries(label, p.Status.Participation)
	series.Page = objectives.PageSeries(label, p.Status.URL)
	series.Cases = objectives.CaseSeries(label, p.Status.Cases)
	series.Stages = []exporter.Stage{{Namespace: p.Namespace, Program: p.Name, Stage: p.Status.Stage}}
	if e := p.Status.Endpoint; e != nil && e.Mode == v1alpha1.EndpointDedicated {
		series.Endpoint = &exporter.Endpoint{
			Namespace: p.Namespace, Program: p.Name, Replicas: ptr.Deref(e.Replicas, 0), Ready: ptr.Deref(e.ReadyReplicas, 0), Readable: s.readable,
		}
	}
	r.Exporter.Set(source(p.Namespace, p.Name), series)
}

// moved says that another place serves the program from now on. What it counts is judged from the next pass on.
func (s *scope) moved(before *v1alpha1.SurveyProgram) bool {
	return s.served != nil && s.served.Mode != env.ServedBy(before)
}

// forget ends the service of a program that is gone, or going. Its children go by themselves.
func (r *Reconciler) forget(req reconcile.Request) error {
	r.Exporter.Delete(source(req.Namespace, req.Name))
	r.throttle.Forget(req.String())
	r.compiler.forget(req.NamespacedName)
	r.hold.End(req.NamespacedName)
	r.quiet.forget(req.NamespacedName)
	r.Gone(&v1alpha1.SurveyProgram{}, req.NamespacedName)
	for _, name := range []string{render.TokensName(req.Name), render.CertificateName(req.Name)} {
		r.Gone(&corev1.Secret{}, client.ObjectKey{Namespace: req.Namespace, Name: name})
	}
	r.announceKept(req.NamespacedName)
	key := store.Key{Namespace: req.Namespace, Name: req.Name}
	if r.Dedicated != nil {
		r.Dedicated.Fleet.Forget(key)
	}
	if r.Endpoint == nil {
		return nil
	}
	return r.Endpoint.Withdraw(key)
}

// announceKept tells, once, where the answers are of a Dedicated program that is gone, or no longer Dedicated.
func (r *Reconciler) announceKept(key client.ObjectKey) {
	if last := r.memory.forget(key); last.kept != "" {
		r.Recorder.Eventf(last.program, nil, corev1.EventTypeNormal, v1alpha1.ReasonDataRetained, "RetainData", "%s", last.kept)
	}
}

func source(namespace, name string) exporter.Source {
	return exporter.Source{Kind: "SurveyProgram", Namespace: namespace, Name: name}
}
