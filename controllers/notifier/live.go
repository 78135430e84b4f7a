package notifier

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// eachLive does something with each object of the kind of a list, as the API server has it. Only which versions there are is
// listed: an object is read where that of the cache is another one.
func (p *pass) eachLive(ctx context.Context, cached runtime.Object, do func(runtime.Object) error) error {
	known := map[string]client.Object{}
	if err := meta.EachListItem(cached, func(o runtime.Object) error {
		if object, ok := o.(client.Object); ok {
			known[object.GetName()] = object
		}
		return nil
	}); err != nil {
		return err
	}
	kind, err := apiutil.GVKForObject(cached, p.Client.Scheme())
	if err != nil {
		return err
	}
	const some = 2000 // at a time: there may be very many
	for next := ""; ; {
		page := &metav1.PartialObjectMetadataList{}
		page.SetGroupVersionKind(kind)
		if err := p.APIReader.List(ctx, page, client.InNamespace(p.namespace), client.Limit(some), client.Continue(next)); err != nil {
			return err
		}
		for i := range page.Items {
			if err := p.live(ctx, kind.GroupVersion().WithKind(strings.TrimSuffix(kind.Kind, "List")), &page.Items[i], known, do); err != nil {
				return err
			}
		}
		if next = page.GetContinue(); next == "" {
			return nil
		}
	}
}

// live does something with the object of which the API server has this version.
func (p *pass) live(
	ctx context.Context, kind schema.GroupVersionKind, version *metav1.PartialObjectMetadata, known map[string]client.Object, do func(runtime.Object) error,
) error {
	if o, is := known[version.Name]; is && o.GetUID() == version.UID && o.GetResourceVersion() == version.ResourceVersion {
		return do(o)
	}
	created, err := p.Client.Scheme().New(kind)
	if err != nil {
		return err
	}
	o, ok := created.(client.Object)
	if !ok {
		return fmt.Errorf("%T is no object of the API", created)
	}
	err = p.APIReader.Get(ctx, client.ObjectKey{Namespace: p.namespace, Name: version.Name}, o)
	if apierrors.IsNotFound(err) { // gone since it was listed
		return nil
	}
	if err != nil {
		return err
	}
	return do(o)
}
