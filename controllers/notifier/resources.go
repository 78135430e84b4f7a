package notifier

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/notify"
)

// readTeams reads the teams of the namespace from the cache.
func (p *pass) readTeams(ctx context.Context, reader client.Reader) error {
	list := &v1alpha1.TeamList{}
	if err := reader.List(ctx, list, client.InNamespace(p.namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list teams: %w", err)
	}
	p.teams = map[string]*v1alpha1.Team{}
	for i := range list.Items {
		if t := &list.Items[i]; t.DeletionTimestamp.IsZero() {
			p.teams[t.Name] = t
		}
	}
	return nil
}

// outboxes are the kinds that have one.
func outboxes() []client.ObjectList {
	return []client.ObjectList{&v1alpha1.SurveyProgramList{}, &v1alpha1.TouchpointList{}, &v1alpha1.ActionPlanList{}, &v1alpha1.ReviewList{}}
}

// readResources reads what has an outbox, and makes holders of what has to be worked on. The first time that anything has, it is
// read live: an earlier leader may have sent what the cache shows as waiting.
func (p *pass) readResources(ctx context.Context, now time.Time) error {
	p.programs, p.touchpoints = map[string]*v1alpha1.SurveyProgram{}, map[string]*v1alpha1.Touchpoint{}
	cached := outboxes()
	for _, list := range cached {
		if err := p.Client.List(ctx, list, client.InNamespace(p.namespace), client.UnsafeDisableDeepCopy); err != nil {
			return fmt.Errorf("list %T: %w", list, err)
		}
		err := meta.EachListItem(list, func(o runtime.Object) error {
			switch k := o.(type) {
			case *v1alpha1.SurveyProgram:
				p.programs[k.Name] = k
			case *v1alpha1.Touchpoint:
				p.touchpoints[k.Name] = k
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("list %T: %w", list, err)
		}
	}
	each := func(o runtime.Object) error {
		object, ok := o.(client.Object)
		if !ok {
			return fmt.Errorf("%T is no object of the API", o)
		}
		p.hold(kindOf(object), object, *outboxOf(object), now)
		return nil
	}
	for _, list := range cached {
		if err := meta.EachListItem(list, each); err != nil {
			return fmt.Errorf("read the outboxes of %T: %w", list, err)
		}
	}
	p.readCases(ctx, now)
	if p.space.read || len(p.holders) == 0 {
		return nil // where nothing is to be done, nothing can be done twice
	}
	p.holders = slices.DeleteFunc(p.holders, func(h *holder) bool { return h.reload != nil }) // those of cases are live
	for _, list := range cached {
		if err := p.eachLive(ctx, list, each); err != nil {
			return fmt.Errorf("read the outboxes of %T: %w", list, err)
		}
	}
	p.space.read = true
	return nil
}

func kindOf(o client.Object) string {
	switch o.(type) {
	case *v1alpha1.SurveyProgram:
		return "SurveyProgram"
	case *v1alpha1.Touchpoint:
		return "Touchpoint"
	case *v1alpha1.ActionPlan:
		return "ActionPlan"
	}
	return "Review"
}

// hold makes a holder of a resource whose outbox has something to send, to replay or to leave out.
func (p *pass) hold(kind string, o client.Object, outbox []v1alpha1.Notice, now time.Time) {
	p.remember(outbox, now)
	if !o.GetDeletionTimestamp().IsZero() || !unsettled(outbox, now) {
		return
	}
	obj, ok := o.DeepCopyObject().(client.Object)
	if !ok {
		return
	}
	id := kind + "/" + o.GetName()
	h := &holder{id: id, thread: id, kind: kind, name: o.GetName(), regarding: obj}
	base := obj
	take := func() {
		base, _ = obj.DeepCopyObject().(client.Object) // a copy of one is one
		h.outbox, h.before = clone(*outboxOf(obj)), clone(*outboxOf(obj))
	}
	take()
	h.owners = func(n *v1alpha1.Notice) []string { return p.owners(obj, n) }
	h.about = func(n *v1alpha1.Notice) notify.About { return p.about(kind, obj, n) }
	h.sponsor = p.sponsor(obj)
	h.reload = func(ctx context.Context) (bool, error) {
		err := p.APIReader.Get(ctx, client.ObjectKeyFromObject(obj), obj)
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read %s: %w", h.id, err)
		}
		take()
		return obj.GetDeletionTimestamp().IsZero(), nil
	}
	h.write = func(ctx context.Context) error {
		*outboxOf(obj) = notify.Prune(h.outbox, p.Clock())
		if err := p.PatchStatus(ctx, obj, base); err != nil {
			return err
		}
		base, _ = obj.DeepCopyObject().(client.Object)
		return nil
	}
	p.holders = append(p.holders, h)
}

// remember notes, where an earlier leader may have sent, which messages the channels took within the last hour.
func (p *pass) remember(outbox []v1alpha1.Notice, now time.Time) {
	if p.space.read {
		return
	}
	for i := range outbox {
		for _, d := range outbox[i].Deliveries {
			if d.State == v1alpha1.DeliveryDelivered && d.Time != nil && now.Sub(d.Time.Time) < time.Hour {
				p.sent(d.Channel, now)[d.Message] = d.Time.Time
			}
		}
	}
}

// forget drops outcomes of what has nothing left to send.
func (p *pass) forget() {
	held := map[string]bool{}
	for _, h := range p.holders {
		held[h.id] = true
	}
	for id := range p.space.unsaved {
		if !held[id] {
			delete(p.space.unsaved, id)
		}
	}
}

func unsettled(outbox []v1alpha1.Notice, now time.Time) bool {
	for i := range outbox {
		if notify.StateOf(&outbox[i]) != v1alpha1.DeliveryDelivered {
			return true
		}
	}
	end := notify.NextExpiry(outbox)
	return !end.IsZero() && !now.Before(end)
}

// outboxOf returns the outbox of a resource; every kind that is held has one.
func outboxOf(o client.Object) *[]v1alpha1.Notice {
	switch k := o.(type) {
	case *v1alpha1.SurveyProgram:
		return &k.Status.Outbox
	case *v1alpha1.Touchpoint:
		return &k.Status.Outbox
	case *v1alpha1.ActionPlan:
		return &k.Status.Outbox
	case *v1alpha1.Review:
		return &k.Status.Outbox
	}
	return &[]v1alpha1.Notice{}
}

// owners are the teams that may own what a notice is about, the nearest first: of an action, a plan, a touchpoint, a program.
func (p *pass) owners(o client.Object, n *v1alpha1.Notice) []string {
	var refs []*v1alpha1.NameRef
	if plan, ok := o.(*v1alpha1.ActionPlan); ok {
		for _, a := range plan.Spec.Actions {
			if n.Breach == v1alpha1.BreachActionOverdue && a.Name == n.Item {
				refs = append(refs, a.OwnerRef)
			}
		}
		refs = append(refs, plan.Spec.OwnerRef)
	}
	program, touchpoint := p.place(o)
	if t := p.touchpoints[touchpoint]; t != nil {
		refs = append(refs, t.Spec.OwnerRef)
	}
	if s := p.programs[program]; s != nil {
		refs = append(refs, s.Spec.OwnerRef)
	}
	var names []string
	for _, ref := range refs {
		if ref != nil {
			names = append(names, ref.Name)
		}
	}
	return names
}

// place returns the program and touchpoint that a resource belongs to.
func (p *pass) place(o client.Object) (program, touchpoint string) {
	switch k := o.(type) {
	case *v1alpha1.SurveyProgram:
		return k.Name, ""
	case *v1alpha1.Review:
		return k.Spec.ProgramRef.Name, ""
	case *v1alpha1.Touchpoint:
		return k.Spec.ProgramRef.Name, k.Name
	case *v1alpha1.ActionPlan:
		if k.Spec.ProgramRef != nil {
			return k.Spec.ProgramRef.Name, ""
		}
		if k.Spec.TouchpointRef == nil {
			return "", ""
		}
		if t := p.touchpoints[k.Spec.TouchpointRef.Name]; t != nil {
			program = t.Spec.ProgramRef.Name
		}
		return program, k.Spec.TouchpointRef.Name
	}
	return "", ""
}

func (p *pass) sponsor(o client.Object) string {
	name, _ := p.place(o)
	program := p.programs[name]
	if program == nil || program.Spec.ExecutiveSponsor == nil || program.Spec.ExecutiveSponsor.TeamRef == nil {
		return ""
	}
	return program.Spec.ExecutiveSponsor.TeamRef.Name
}

// about says what a notice of a resource is about.
func (p *pass) about(kind string, o client.Object, n *v1alpha1.Notice) notify.About {
	a := notify.About{Namespace: p.namespace, Kind: kind, Name: o.GetName()}
	a.Program, a.Touchpoint = p.place(o)
	p.show(&a)
	if n.Transition == v1alpha1.NoticeEscalated {
		a.Since = since(o, n)
	}
	return a
}

// show adds the name and page that people know.
func (p *pass) show(a *notify.About) {
	if t := p.touchpoints[a.Touchpoint]; t != nil {
		a.Page = t.Status.URL
		if a.Kind == "Touchpoint" {
			a.DisplayName = t.Spec.DisplayName
		}
		return
	}
	if s := p.programs[a.Program]; s != nil {
		a.Page = s.Status.URL
		if a.Kind == "SurveyProgram" {
			a.DisplayName = s.Spec.DisplayName
		}
	}
}

// since is when the breach of a notice opened; zero where it closed meanwhile.
func since(o client.Object, n *v1alpha1.Notice) time.Time {
	var open []v1alpha1.Breach
	switch k := o.(type) {
	case *v1alpha1.SurveyProgram:
		open = k.Status.Breaches
	case *v1alpha1.Touchpoint:
		open = k.Status.Breaches
	case *v1alpha1.ActionPlan:
		open = k.Status.Breaches
	case *v1alpha1.Review:
		open = k.Status.Breaches
	}
	for _, b := range open {
		if b.Type == n.Breach && b.Objective == n.Objective && b.Item == n.Item {
			return b.Since.Time
		}
	}
	return time.Time{}
}

func clone(outbox []v1alpha1.Notice) []v1alpha1.Notice {
	out := make([]v1alpha1.Notice, len(outbox))
	for i := range outbox {
		out[i] = *outbox[i].DeepCopy()
	}
	return out
}

func same(a, b []v1alpha1.Notice) bool { return equality.Semantic.DeepEqual(a, b) }

func trim(b []byte) string { return strings.TrimSpace(string(b)) }
