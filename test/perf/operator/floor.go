package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/dynamic"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
)

// floor is the least that brings about what the operator did: the same inputs, and of each its children and one status.
type floor struct {
	results map[key]*result
	// children and statuses are how many there are.
	children, statuses int
}

// result is what came of one input.
type result struct {
	uid      string // of the object, as the children name it
	status   json.RawMessage
	children []child
}

// child is an object that the operator made.
type child struct {
	collection, name string
	body             []byte
	applied          bool // by server-side apply, and not just created
}

// childKinds are all that the operator makes; those that a cluster need not have are not among them.
var childKinds = []schema.GroupVersionResource{
	{Version: "v1", Resource: "secrets"}, {Version: "v1", Resource: "configmaps"}, {Version: "v1", Resource: "services"},
	{Version: "v1", Resource: "serviceaccounts"}, {Version: "v1", Resource: "persistentvolumeclaims"},
	{Group: "apps", Version: "v1", Resource: "deployments"}, {Group: "apps", Version: "v1", Resource: "statefulsets"},
	{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"},
	{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"}, {Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"},
	{Group: "policy", Version: "v1", Resource: "poddisruptionbudgets"},
}

// record reads from the API server all that the operator made and wrote, so that it can be made again.
func record(ctx context.Context, config *rest.Config) (*floor, error) {
	c, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	f := &floor{results: map[key]*result{}}
	owners := map[string]*result{}
	for _, resource := range []string{teams, stores, programs, touchpoints} {
		gvr := v1alpha1.GroupVersion.WithResource(resource)
		err := eachOf(ctx, c, gvr, "", func(o *unstructured.Unstructured) error {
			status, err := json.Marshal(o.Object["status"])
			r := &result{uid: string(o.GetUID()), status: status}
			f.results[key{resource, o.GetNamespace(), o.GetName()}], owners[r.uid] = r, r
			f.statuses++
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	fields := applyconfigurations.NewTypeConverter(clientgoscheme.Scheme)
	for _, gvr := range childKinds {
		err := eachOf(ctx, c, gvr, v1alpha1.LabelManagedBy+"="+v1alpha1.ManagedByValue, func(o *unstructured.Unstructured) error {
			r := f.results[key{stores, o.GetNamespace(), o.GetLabels()[v1alpha1.LabelStore]}] // of the claim, which outlives its store
			if owner := metav1.GetControllerOf(o); owner != nil {
				r = owners[string(owner.UID)]
			}
			if r == nil {
				return nil // what all share
			}
			made, err := childOf(fields, gvr, o)
			r.children = append(r.children, made)
			f.children++
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

// eachOf reads all objects of a kind.
func eachOf(ctx context.Context, c dynamic.Interface, gvr schema.GroupVersionResource, labels string, do func(*unstructured.Unstructured) error) error {
	const page = 500
	options := metav1.ListOptions{LabelSelector: labels, Limit: page}
	for {
		list, err := c.Resource(gvr).List(ctx, options)
		if err != nil {
			return fmt.Errorf("list %s: %w", gvr.Resource, err)
		}
		for i := range list.Items {
			if err := do(&list.Items[i]); err != nil {
				return fmt.Errorf("%s %s: %w", gvr.Resource, list.Items[i].GetName(), err)
			}
		}
		if options.Continue = list.GetContinue(); options.Continue == "" {
			return nil
		}
	}
}

// childOf returns how a child is made: what was applied is applied again without what the API server added.
func childOf(fields managedfields.TypeConverter, gvr schema.GroupVersionResource, o *unstructured.Unstructured) (child, error) {
	prefix := "/apis/" + gvr.Group + "/" + gvr.Version
	if gvr.Group == "" {
		prefix = "/api/" + gvr.Version
	}
	made := child{collection: collection(prefix, o.GetNamespace(), gvr.Resource), name: o.GetName()}
	content := o.Object
	for _, entry := range o.GetManagedFields() {
		if entry.Manager == string(env.FieldOwner) && entry.Operation == metav1.ManagedFieldsOperationApply {
			made.applied = true
			var err error
			if content, err = applied(fields, o, entry.FieldsV1.GetRawBytes()); err != nil {
				return child{}, err
			}
		}
	}
	body := &unstructured.Unstructured{Object: maps.Clone(content)}
	body.SetAPIVersion(o.GetAPIVersion())
	body.SetKind(o.GetKind())
	body.SetName(o.GetName())
	body.SetNamespace(o.GetNamespace())
	for _, set := range []string{"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"} {
		unstructured.RemoveNestedField(body.Object, "metadata", set)
	}
	delete(body.Object, "status")
	var err error
	made.body, err = json.Marshal(body.Object)
	return made, err
}

// applied returns the fields of an object that were applied.
func applied(fields managedfields.TypeConverter, o *unstructured.Unstructured, owned []byte) (map[string]any, error) {
	object, err := fields.ObjectToTyped(runtime.Object(o))
	if err != nil {
		return nil, err
	}
	var set fieldpath.Set
	if err := set.FromJSON(bytes.NewReader(owned)); err != nil {
		return nil, err
	}
	content, ok := object.ExtractItems(set.Leaves(), typed.WithAppendKeyFields()).AsValue().Unstructured().(map[string]any)
	if !ok {
		return nil, fmt.Errorf("what was applied is no object")
	}
	return content, nil
}

// bring creates an input as people do, and then as the operator its children and its status.
func (f *floor) bring(ctx context.Context, people, operator bare, i input) error {
	answer, err := people.createInput(ctx, i)
	if err != nil {
		return err
	}
	r := f.results[i.key()]
	if r == nil {
		return fmt.Errorf("%s was not recorded", i.key())
	}
	v, err := versionOf(answer)
	if err != nil {
		return err
	}
	for _, c := range r.children {
		body := bytes.ReplaceAll(c.body, []byte(r.uid), []byte(v.Metadata.UID))
		if c.applied {
			_, err = operator.patch(ctx, types.ApplyPatchType, c.collection+"/"+c.name, string(env.FieldOwner), body)
		} else {
			_, err = operator.create(ctx, c.collection, body)
		}
		if err != nil {
			return fmt.Errorf("make %s %s: %w", c.collection, c.name, err)
		}
	}
	status := fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q},"status":%s}`, v.Metadata.ResourceVersion, r.status)
	path := collection(group, i.namespace, i.resource) + "/" + i.name + "/status"
	if _, err := operator.patch(ctx, types.MergePatchType, path, string(env.FieldOwner), status); err != nil {
		return fmt.Errorf("write the status of %s: %w", i.key(), err)
	}
	return nil
}
