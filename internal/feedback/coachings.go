package feedback

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/warning"
	"sigs.k8s.io/controller-runtime/pkg/client"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/policy"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
)

// coachings serves the resource coachings. Scores are in the one that is asked for by name, so that no two teams stand beside
// each other.
type coachings struct {
	b *Backend
}

var (
	_ rest.Scoper               = coachings{}
	_ rest.Getter               = coachings{}
	_ rest.Lister               = coachings{}
	_ rest.SingularNameProvider = coachings{}
	_ rest.ShortNamesProvider   = coachings{}
)

// New implements rest.Storage.
func (coachings) New() runtime.Object { return &feedbackv1alpha1.Coaching{} }

// NewList implements rest.Lister.
func (coachings) NewList() runtime.Object { return &feedbackv1alpha1.CoachingList{} }

// Destroy implements rest.Storage.
func (coachings) Destroy() {}

// NamespaceScoped implements rest.Scoper.
func (coachings) NamespaceScoped() bool { return true }

// GetSingularName implements rest.SingularNameProvider.
func (coachings) GetSingularName() string { return "coaching" }

// ShortNames implements rest.ShortNamesProvider.
func (coachings) ShortNames() []string { return []string{"cxcoach"} }

// Get implements rest.Getter.
func (s coachings) Get(ctx context.Context, name string, _ *metav1.GetOptions) (runtime.Object, error) {
	namespace := request.NamespaceValue(ctx)
	if err := s.b.knows(namespace); err != nil {
		return nil, err
	}
	t := &v1alpha1.Team{}
	err := s.b.Reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, t)
	switch {
	case apierrors.IsNotFound(err):
		return nil, apierrors.NewNotFound(coachingsResource, name)
	case err != nil:
		return nil, fmt.Errorf("read Team %s/%s: %w", namespace, name, err)
	}
	subjects, err := s.b.subjects(ctx, namespace)
	if err != nil {
		return nil, err
	}
	warning.AddWarning(ctx, "", v1alpha1.CoachingText)
	out, now := coachingOf(t), s.b.Clock()
	out.Status.AsOf = instant(now)
	for _, of := range subjects {
		out.Status.Scores = append(out.Status.Scores, coach(of, now, s.b.counts(of, name))...)
	}
	return out, nil
}

// coachingOf is the coaching view of a team, without scores.
func coachingOf(t *v1alpha1.Team) *feedbackv1alpha1.Coaching {
	return &feedbackv1alpha1.Coaching{
		TypeMeta:   metav1.TypeMeta{APIVersion: feedbackv1alpha1.GroupVersion.String(), Kind: "Coaching"},
		ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: t.Name, UID: t.UID, CreationTimestamp: t.CreationTimestamp},
		Status:     feedbackv1alpha1.CoachingStatus{DisplayName: t.Spec.DisplayName, Level: string(t.Spec.Level), Use: v1alpha1.CoachingText},
	}
}

// counts returns the counter of a subject's answers that speak of a team.
func (b *Backend) counts(of subject, unit string) counter {
	return func(question string, revision int32, from, to store.Hour) (rollup.Window, rollup.Window) {
		q := rollup.Query{
			Source: b.Source(of.program), Program: keyOf(of.program), Touchpoint: of.touchpoint, ProgramWide: of.touchpoint == "",
			Question: question, Revision: revision, From: from, To: to,
		}
		return b.Book.UnitWindow(q, unit), b.Book.Window(q)
	}
}

// subjects returns the programs and touchpoints of a namespace, in order, with the evidence that the policies ask for.
func (b *Backend) subjects(ctx context.Context, namespace string) ([]subject, error) {
	programs, err := b.programs(ctx, namespace)
	if err != nil {
		return nil, err
	}
	touchpoints, policies := &v1alpha1.TouchpointList{}, &v1alpha1.AccountabilityPolicyList{}
	for _, list := range []client.ObjectList{touchpoints, policies} {
		if err := b.Reader.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, fmt.Errorf("list %T: %w", list, err)
		}
	}
	var all []subject
	for _, p := range programs {
		all = append(all, subject{program: p, objectives: p.Spec.Objectives, evidence: policy.ForProgram(policies.Items, p).Evidence})
	}
	for i := range touchpoints.Items {
		t := &touchpoints.Items[i]
		p := programs[store.Key{Namespace: namespace, Name: t.Spec.ProgramRef.Name}]
		if p != nil && t.DeletionTimestamp.IsZero() {
			all = append(all, subject{program: p, touchpoint: t.Name, objectives: t.Spec.Objectives, evidence: policy.ForTouchpoint(policies.Items, p, t).Evidence})
		}
	}
	slices.SortFunc(all, func(a, b subject) int {
		if c := strings.Compare(a.program.Name, b.program.Name); c != 0 {
			return c
		}
		return strings.Compare(a.touchpoint, b.touchpoint)
	})
	return all, nil
}

// List implements rest.Lister.
func (s coachings) List(ctx context.Context, o *internalversion.ListOptions) (runtime.Object, error) {
	if o == nil {
		o = &internalversion.ListOptions{}
	}
	namespace := request.NamespaceValue(ctx)
	if o.LabelSelector != nil && !o.LabelSelector.Empty() && !o.LabelSelector.Matches(labels.Set{}) {
		return &feedbackv1alpha1.CoachingList{Items: []feedbackv1alpha1.Coaching{}}, nil
	}
	if o.FieldSelector != nil && !o.FieldSelector.Empty() {
		name, exact := o.FieldSelector.RequiresExactMatch(feedbackv1alpha1.FieldName)
		if !exact || len(o.FieldSelector.Requirements()) > 1 || namespace == "" {
			return nil, apierrors.NewBadRequest("fieldSelector: metadata.name=NAME, in one namespace, is the only one of coachings")
		}
		return s.one(ctx, name)
	}
	if err := s.b.knows(namespace); err != nil {
		return nil, err
	}
	teams := &v1alpha1.TeamList{}
	if err := s.b.Reader.List(ctx, teams, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list teams: %w", err)
	}
	list := &feedbackv1alpha1.CoachingList{Items: []feedbackv1alpha1.Coaching{}}
	for i := range teams.Items {
		list.Items = append(list.Items, *coachingOf(&teams.Items[i]))
	}
	slices.SortFunc(list.Items, func(a, b feedbackv1alpha1.Coaching) int {
		if c := strings.Compare(a.Namespace, b.Namespace); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list, nil
}

func (s coachings) one(ctx context.Context, name string) (runtime.Object, error) {
	list := &feedbackv1alpha1.CoachingList{Items: []feedbackv1alpha1.Coaching{}}
	found, err := s.Get(ctx, name, nil)
	if apierrors.IsNotFound(err) {
		return list, nil
	}
	if err != nil {
		return nil, err
	}
	if c, ok := found.(*feedbackv1alpha1.Coaching); ok {
		list.Items = append(list.Items, *c)
	}
	return list, nil
}

var (
	coachingColumns = []metav1.TableColumnDefinition{
		column("Name", "name of the team", 0),
		column("Team", "the team, as people know it", 0),
		column("Level", "Company, Department, Location or Person", 0),
	}
	scoreColumns = []metav1.TableColumnDefinition{
		column("Name", "name of the team", 0),
		column("Program", "program that the answers were given to", 0),
		column("Touchpoint", "touchpoint that the answers were given at; empty for all together", 0),
		column("Question", "question that was answered", 0),
		column("Metric", "what is computed", 0),
		column("Score", "score, and whether there are too few answers for one", 0),
		column("Interval", "confidence interval of the score", 0),
		column("Responses", "answers in the window", 0),
		column("Objective", "objective that the figures are computed as", 1),
		column("Window", "length of the window in days", 1),
	}
)

// ConvertToTable implements rest.TableConvertor: of one team its scores, of several their names.
func (s coachings) ConvertToTable(_ context.Context, object, options runtime.Object) (*metav1.Table, error) {
	switch o := object.(type) {
	case *feedbackv1alpha1.Coaching:
		return table(object, options, scoreColumns, scoreRows(o)), nil
	case *feedbackv1alpha1.CoachingList:
		if len(o.Items) == 1 && !o.Items[0].Status.AsOf.IsZero() {
			return table(object, options, scoreColumns, scoreRows(&o.Items[0])), nil
		}
		var rows []metav1.TableRow
		for i := range o.Items {
			c := &o.Items[i]
			rows = append(rows, row(c, c.Name, c.Status.DisplayName, c.Status.Level))
		}
		return table(object, options, coachingColumns, rows), nil
	}
	return table(object, options, coachingColumns, nil), nil
}

func scoreRows(c *feedbackv1alpha1.Coaching) []metav1.TableRow {
	var rows []metav1.TableRow
	for _, one := range c.Status.Scores {
		shown, interval, responses := one.State, "", ""
		if one.State == feedbackv1alpha1.CoachingShown {
			shown, interval, responses = one.Score, one.Lower+" to "+one.Upper, fmt.Sprint(one.Responses)
		}
		rows = append(rows, row(c, c.Name, one.Program, one.Touchpoint, one.Question, one.Metric, shown, interval, responses, one.Objective, fmt.Sprintf("%dd", one.WindowDays)))
	}
	return rows
}
