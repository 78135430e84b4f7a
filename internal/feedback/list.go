package feedback

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/request"
	"sigs.k8s.io/controller-runtime/pkg/client"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// programs returns those of a namespace, or of all, that are not being deleted.
func (b *Backend) programs(ctx context.Context, namespace string) (map[store.Key]*v1alpha1.SurveyProgram, error) {
	if err := b.knows(namespace); err != nil {
		return nil, err
	}
	list := &v1alpha1.SurveyProgramList{}
	if err := b.Reader.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list programs: %w", err)
	}
	found := map[store.Key]*v1alpha1.SurveyProgram{}
	for i := range list.Items {
		if p := &list.Items[i]; p.DeletionTimestamp.IsZero() {
			found[keyOf(p)] = p
		}
	}
	return found, nil
}

// page reads one page of a list. Where a program cannot be reached the list fails: one without its cases would look whole.
func (s cases) page(ctx context.Context, o *internalversion.ListOptions, w wanted, programs map[store.Key]*v1alpha1.SurveyProgram) (runtime.Object, error) {
	l := &lister{b: s.b, w: w, programs: programs, now: s.b.Clock(), most: maxUnpaged, list: &feedbackv1alpha1.CaseList{Items: []feedbackv1alpha1.Case{}}}
	if o.Limit > 0 {
		l.most = int(min(o.Limit, pageSize))
	}
	keys := make([]store.Key, 0, len(programs))
	for k := range programs {
		keys = append(keys, k)
	}
	of := digest(request.NamespaceValue(ctx), o)
	sources, after, ok := begin(w.sources(keys), o.Continue, of)
	if !ok {
		return nil, badContinue()
	}
	for i, from := range sources {
		next, err := l.read(ctx, from, after)
		if err != nil {
			return nil, err
		}
		after = ""
		last := i == len(sources)-1
		if next == "" && (last || len(l.list.Items) < l.most) {
			continue
		}
		if o.Limit == 0 {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("there are more than %d cases: read them in pages (limit; kubectl: --chunk-size), or select some", maxUnpaged))
		}
		if next == "" {
			from = sources[i+1]
		}
		l.list.Continue = position{
			Namespace: from.program.Namespace, Program: from.program.Name, Touchpoint: from.touchpoint, After: next, List: of,
		}.token()
		if last {
			l.list.RemainingItemCount = &l.remaining
		}
		break
	}
	return l.list, nil
}

// begin returns the sources from where a token says, and the token of the first one's store; false for a token of another
// list. A source that is gone since is passed over.
func begin(sources []source, token, list string) (rest []source, after string, ok bool) {
	if token == "" {
		return sources, "", true
	}
	at, ok := parseToken(token, list)
	if !ok {
		return nil, "", false
	}
	from := at.source()
	sources = slices.DeleteFunc(sources, func(s source) bool { return s.compare(from) < 0 })
	if len(sources) > 0 && sources[0].compare(from) == 0 {
		after = at.After
	}
	return sources, after, true
}

// lister fills one page.
type lister struct {
	b        *Backend
	w        wanted
	programs map[store.Key]*v1alpha1.SurveyProgram
	now      time.Time
	// most is how many cases the page may have.
	most int
	list *feedbackv1alpha1.CaseList
	// remaining is how many the last source has behind the page.
	remaining int64
}

// read adds the cases of a source until the page is full, and returns the token of the rest, if there is any.
func (l *lister) read(ctx context.Context, from source, after string) (next string, err error) {
	program := l.programs[from.program]
	d, err := l.b.Desk(program)
	if err != nil {
		return "", l.b.away(err, "reach the cases", from.program)
	}
	owners := map[string]string{}
	for len(l.list.Items) < l.most {
		q := store.CaseQuery{States: l.w.states, Touchpoint: from.touchpoint, Limit: min(l.most-len(l.list.Items), pageSize), After: after}
		if l.w.overdue {
			q.OverdueAt = l.now
		}
		page, err := d.ListCases(ctx, from.program, q)
		if err != nil {
			return "", l.b.answer(err, "list the cases", from.program, "")
		}
		for _, c := range page.Cases {
			owner, ok := owners[c.Touchpoint]
			if !ok {
				owner = l.b.owner(ctx, program, c.Touchpoint)
				owners[c.Touchpoint] = owner
			}
			l.list.Items = append(l.list.Items, *caseOf(c, owner, l.now))
		}
		l.remaining = page.Remaining
		if after = page.Next; after == "" {
			return "", nil
		}
	}
	return after, nil
}

// fits says whether a case that was read by name is also all else that is asked for.
func (w wanted) fits(c *feedbackv1alpha1.Case) bool {
	switch {
	case w.nothing,
		w.namespace != "" && w.namespace != c.Namespace,
		!w.programs.Matches(labels.Set{feedbackv1alpha1.LabelProgram: c.Status.Program}),
		w.states != nil && !slices.Contains(w.states, store.CaseState(c.Spec.State)),
		w.touchpoints != nil && !slices.Contains(w.touchpoints, c.Status.Touchpoint),
		w.overdue && !c.Status.Overdue:
		return false
	}
	return true
}
