// Package apply makes the cluster's objects what render says, by server-side apply. Where nothing differs it writes nothing.
package apply

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/render"
)

// Annotation on what was applied is a digest of it: a field that is wanted no longer is found by it.
const Annotation = "cx-operator.io/applied"

// Applier applies the objects of an owner. It may be used by several goroutines, one for each owner.
type Applier struct {
	// Client reads, from the manager's cache where it has one, and writes. Its scheme must have all kinds that are applied, and
	// HTTPRoute and ServiceMonitor, which the cluster need not have.
	Client client.Client
	// Reader reads from the API server itself what the cache does not have, since that may be somebody else's.
	Reader client.Reader
	// Owner is the name under which the API server keeps what was applied.
	Owner client.FieldOwner
	// Lag is how long Client's cache may take until it has what was written; 0 where Client reads from the API server itself.
	// So long an object that was written counts as in place, though the cache does not show it yet.
	Lag time.Duration
	// Namespaces that the owners are in, where the operator may not look into others; none for all.
	Namespaces []string

	written   written
	leftovers leftovers

	mu sync.Mutex
	// unlike are objects that the API server keeps in another form than was asked for, with that form's digest: applying them
	// again would change nothing.
	unlike map[string]string
	// others are objects that were found to be somebody else's.
	others map[string]bool
}

// Result is what Apply found beside what it did.
type Result struct {
	// Absent are the kinds that were wanted and that the cluster does not have.
	Absent []schema.GroupVersionKind
	// Taken are objects, KIND/NAME, that exist and are not the owner's. They were not touched.
	Taken []string
	// Refused are objects that the API server would not take.
	Refused []Refusal
	// Behind says that the cache did not show all that was written, so that not all could be compared: Lag later it can.
	Behind bool
}

// Refusal is why the API server would not take an object.
type Refusal struct {
	// Kind and Name of the object.
	Kind, Name string
	// Message of the API server.
	Message string
}

// Apply makes the cluster's objects what wanted says, one after the other, and deletes what is the owner's (by its controller
// reference), of a kind that render makes, and wanted no longer. What others added to an object stays.
//
// Nothing is written where nothing differs. A Deployment or StatefulSet and what follows it wait until all before them are in
// place: pods that run are better than pods that lack a part. An error is a passing one and ends the pass; what only people
// can mend is in the Result.
//
// Claims (PersistentVolumeClaim) are special, since they hold answers: one that exists is adopted where the operator made it,
// its request grows and never shrinks, its owner comes and goes as wanted says, and it is never deleted. One that cannot grow
// is in Refused, and holds nothing up.
func (a *Applier) Apply(ctx context.Context, owner client.Object, wanted []render.Object) (Result, error) {
	p := pass{Applier: a, owner: owner}
	for _, object := range wanted {
		if p.blocked && isWorkload(object) {
			return p.result, nil
		}
		if err := p.settle(ctx, object); err != nil {
			return p.result, err
		}
	}
	err := p.prune(ctx, wanted)
	return p.result, err
}

// pass is one call of Apply.
type pass struct {
	*Applier
	owner  client.Object
	result Result
	// blocked means that an object that pods need is not in place.
	blocked bool
}

func (p *pass) taken(object render.Object) {
	p.result.Taken = append(p.result.Taken, nameOf(object))
	p.blocked = true
	p.setOthers(object, true)
}

func (p *pass) refused(kind, name, message string) {
	p.result.Refused = append(p.result.Refused, Refusal{Kind: kind, Name: name, Message: message})
}

func isWorkload(object render.Object) bool {
	switch object.(type) {
	case *appsv1.Deployment, *appsv1.StatefulSet:
		return true
	}
	return false
}

// settle applies one object and sorts what went wrong.
func (p *pass) settle(ctx context.Context, object render.Object) error {
	gvk := object.GetObjectKind().GroupVersionKind()
	if p.leftovers.lacks(gvk.Kind) {
		p.result.Absent = append(p.result.Absent, gvk)
		return nil
	}
	err := p.one(ctx, object)
	switch {
	case err == nil:
		p.leftovers.note(gvk.Kind, p.owner.GetUID())
		return nil
	case isAbsent(err):
		p.leftovers.noteAbsent(gvk.Kind)
		p.result.Absent = append(p.result.Absent, gvk)
		return nil
	case isRefusal(err):
		p.refused(gvk.Kind, object.GetName(), messageOf(err))
		p.blocked = true
		return nil
	}
	return fmt.Errorf("apply %s %s: %w", gvk.Kind, object.GetName(), err)
}

// one applies one object where it differs. One that the cache lacks is most often not there: it is made, by a request that
// leaves alone what exists, and only where something does it is looked at.
func (p *pass) one(ctx context.Context, object render.Object) error {
	current, behind, err := p.current(ctx, object)
	if err != nil {
		return err
	}
	if behind {
		p.result.Behind = true
		return nil
	}
	if current == nil && !p.isOthers(object) {
		made, err := p.create(ctx, object)
		if made || err != nil {
			return err
		}
	}
	if current == nil {
		if current, err = p.live(ctx, object); err != nil {
			return err
		}
	}
	return p.bring(ctx, object, current)
}

// bring makes of an object what is wanted; current is nil where there is none.
func (p *pass) bring(ctx context.Context, object, current render.Object) error {
	if claim, ok := object.(*corev1.PersistentVolumeClaim); ok {
		found, _ := current.(*corev1.PersistentVolumeClaim)
		return p.claim(ctx, claim, found)
	}
	if current != nil {
		mine, err := belongs(current, p.owner, object)
		if err != nil {
			return err
		}
		if !mine {
			p.taken(object)
			return nil
		}
	}
	p.setOthers(object, false)
	wanted, err := manifest(object)
	if err != nil {
		return err
	}
	same, err := p.same(wanted, current)
	if err != nil || same {
		return err
	}
	if err := p.handOver(ctx, object, current); err != nil {
		return err
	}
	return p.write(ctx, wanted, object)
}

// current returns the object as the cache has it, nil where it has none. Behind says that this is older than what was written.
func (p *pass) current(ctx context.Context, object render.Object) (found render.Object, behind bool, err error) {
	found = empty(object)
	err = p.Client.Get(ctx, client.ObjectKeyFromObject(object), found)
	if apierrors.IsNotFound(err) {
		return nil, p.written.awaits(nameOf(object), object, p.Lag), nil
	}
	if err != nil {
		return nil, false, err
	}
	return found, p.written.awaits(nameOf(object), found, p.Lag), nil
}

// live returns what the API server itself has, nil for none. The cache holds the operator's own objects only, and applying by
// force would take another's.
func (a *Applier) live(ctx context.Context, object render.Object) (render.Object, error) {
	found := empty(object)
	err := a.reader().Get(ctx, client.ObjectKeyFromObject(object), found)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return found, err
}

func empty(object render.Object) render.Object {
	return reflect.New(reflect.TypeOf(object).Elem()).Interface().(render.Object)
}

// belongs says whether an object may be applied over: it is the owner's, or what the operator made before and nobody owns now.
func belongs(current render.Object, owner client.Object, wanted render.Object) (bool, error) {
	controller := metav1.GetControllerOf(current)
	switch {
	case controller == nil:
		return madeHere(current) && current.GetLabels()[v1alpha1.LabelProgram] == wanted.GetLabels()[v1alpha1.LabelProgram], nil
	case controller.UID == owner.GetUID():
		return true, nil
	case madeHere(current) && controller.Name == owner.GetName():
		// It goes by itself, and its end is an event that brings the next pass.
		return false, fmt.Errorf("it is still the one of a former %s %s", controller.Kind, controller.Name)
	}
	return false, nil
}

func madeHere(object metav1.Object) bool {
	return object.GetLabels()[v1alpha1.LabelManagedBy] == v1alpha1.ManagedByValue
}

// same says whether nothing is to be written.
func (a *Applier) same(wanted *unstructured.Unstructured, current render.Object) (bool, error) {
	if current == nil {
		return false, nil
	}
	if Trimmed(current) {
		return current.GetAnnotations()[Annotation] == wanted.GetAnnotations()[Annotation], nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(current)
	if err != nil {
		return false, err
	}
	if covers(wanted.Object, withType(content, wanted)) {
		return true, nil
	}
	form := formOf(wanted, content)
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.unlike[idOf(wanted)] == form, nil
}

// neverVersion is a version that no object has. By it an object is applied only where there is none: the API server compares
// it with that of an object that exists, and refuses.
const neverVersion = "1"

// create makes an object, and says whether it did: it does not where there is one.
func (p *pass) create(ctx context.Context, object render.Object) (bool, error) {
	if claim, ok := object.(*corev1.PersistentVolumeClaim); ok {
		created := claim.DeepCopy()
		err := p.Client.Create(ctx, created, p.Owner)
		if apierrors.IsAlreadyExists(err) {
			return false, nil
		}
		p.written.note(nameOf(object), created, err)
		return err == nil, err
	}
	wanted, err := manifest(object)
	if err != nil {
		return false, err
	}
	asked := wanted.DeepCopy()
	asked.SetResourceVersion(neverVersion)
	err = p.apply(ctx, wanted, asked, object)
	if apierrors.IsConflict(err) {
		return false, nil
	}
	return err == nil, err
}

// write applies an object over what there is.
func (a *Applier) write(ctx context.Context, wanted *unstructured.Unstructured, object render.Object) error {
	return a.apply(ctx, wanted, wanted.DeepCopy(), object)
}

// apply sends what is wanted, as applied has it, and remembers where the API server made something else of it.
func (a *Applier) apply(ctx context.Context, wanted, applied *unstructured.Unstructured, object render.Object) error {
	if err := a.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), a.Owner, client.ForceOwnership); err != nil {
		return err
	}
	a.written.note(nameOf(object), applied, nil)
	// By way of the Go type, as the cache has it, too.
	typed := empty(object)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(applied.Object, typed); err != nil {
		return err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.unlike, idOf(wanted))
	if covers(wanted.Object, withType(content, wanted)) {
		return nil
	}
	if a.unlike == nil {
		a.unlike = map[string]string{}
	}
	a.unlike[idOf(wanted)] = formOf(wanted, content)
	return nil
}

// withType gives an object the type that a cache leaves out.
func withType(content map[string]any, wanted *unstructured.Unstructured) map[string]any {
	content["apiVersion"], content["kind"] = wanted.GetAPIVersion(), wanted.GetKind()
	return content
}

func (a *Applier) isOthers(object render.Object) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.others[keyOfObject(nameOf(object), object)]
}

func (a *Applier) setOthers(object render.Object, theirs bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := keyOfObject(nameOf(object), object)
	switch {
	case !theirs:
		delete(a.others, key)
	case a.others == nil:
		a.others = map[string]bool{key: true}
	default:
		a.others[key] = true
	}
}

func idOf(u *unstructured.Unstructured) string {
	return u.GetKind() + "/" + u.GetNamespace() + "/" + u.GetName()
}

func nameOf(object render.Object) string {
	return object.GetObjectKind().GroupVersionKind().Kind + "/" + object.GetName()
}

// isAbsent says whether the cluster lacks the kind. A kind that was there is answered with "not found", also to what would
// create the object.
func isAbsent(err error) bool {
	return meta.IsNoMatchError(err) || apierrors.IsNotFound(err) && !isNamespaceMissing(err)
}

func isNamespaceMissing(err error) bool {
	status := apierrors.APIStatus(nil)
	return asStatus(err, &status) && status.Status().Details != nil && status.Status().Details.Kind == "namespaces"
}

// isRefusal says whether the API server will say the same again until somebody changes something.
func isRefusal(err error) bool {
	return apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err) || apierrors.IsRequestEntityTooLargeError(err) ||
		apierrors.IsMethodNotSupported(err)
}

// messageOf returns the words of the API server without those that wrapped them.
func messageOf(err error) string {
	status := apierrors.APIStatus(nil)
	if asStatus(err, &status) {
		return status.Status().Message
	}
	return err.Error()
}
