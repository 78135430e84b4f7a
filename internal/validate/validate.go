// Package validate checks manifests offline as the API server and the controllers would: the CRDs' schemas, defaults
// and rules for each object, and the references between objects across all files.
package validate

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
)

// Options say how a set of manifests is judged.
type Options struct {
	// Namespace of objects that name none; "default" if empty.
	Namespace string
	// AllowMissing turns references to objects that are not in the set into warnings.
	AllowMissing bool
}

// Finding is one fault of one object.
type Finding struct {
	// File and Line where the fault stands: the field's line where it is known, else that of the document.
	File string `json:"file"`
	Line int    `json:"line"`
	// Kind, Namespace and Name of the object, as far as they are known.
	Kind      string `json:"kind,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	// Field is the path of the field, such as spec.objectives[0].target; empty where it is about the whole document.
	Field string `json:"field,omitempty"`
	// Message says what is wrong and what is allowed.
	Message string `json:"message"`

	warning bool
	order   int
}

// String writes a finding as FILE:LINE: Kind namespace/name: field: message, without what is not known.
func (f Finding) String() string {
	parts := []string{fmt.Sprintf("%s:%d", f.File, f.Line)}
	if f.Kind != "" {
		parts = append(parts, fmt.Sprintf("%s %s/%s", f.Kind, f.Namespace, f.Name))
	}
	if f.Field != "" {
		parts = append(parts, f.Field)
	}
	return strings.Join(append(parts, f.Message), ": ")
}

// Report is what was found in a set of manifests.
type Report struct {
	// Files is the number of files read; Resources the number of objects of this project's kinds; Others the number of
	// objects of other groups, which are not looked at.
	Files     int `json:"files"`
	Resources int `json:"resources"`
	Others    int `json:"others"`
	// Problems refuse the set, Warnings do not; both in the order of the files.
	Problems []Finding `json:"problems"`
	Warnings []Finding `json:"warnings"`
}

// WriteText writes one line for each problem and warning, then a summary.
func (r Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, f := range r.Problems {
		fmt.Fprintln(&b, f)
	}
	for _, f := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", f)
	}
	fmt.Fprintf(&b, "%s, %s, %s", count(r.Files, "file"), count(r.Resources, "resource"), count(len(r.Problems), "problem"))
	if len(r.Warnings) > 0 {
		fmt.Fprintf(&b, ", %s", count(len(r.Warnings), "warning"))
	}
	if r.Others > 0 {
		fmt.Fprintf(&b, " (%s of other groups passed over)", count(r.Others, "object"))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Check judges a set of manifests as a whole. The error is about the CRDs in this binary, never about the manifests.
func Check(sources []Source, o Options) (Report, error) {
	report, _, err := Load(sources, o)
	return report, err
}

// Load judges a set of manifests as Check does, and returns its objects with their defaults, as the controllers see them. They
// are of use only where the report has no problems.
func Load(sources []Source, o Options) (Report, Objects, error) {
	known, err := kinds()
	if err != nil {
		return Report{}, Objects{}, err
	}
	c := &checker{kinds: known, namespace: cmp.Or(o.Namespace, "default"), set: newSet()}
	for i, source := range sources {
		for _, doc := range split(source) {
			doc.order = i
			c.document(doc)
		}
	}
	c.references()
	return c.report(len(sources), o), c.set.contents(), nil
}

// checker collects findings while it goes through the documents.
type checker struct {
	kinds     map[string]*kind
	namespace string
	set       *set
	findings  []Finding
	resources int
	others    int
}

// document takes one document, or the items of a List, into the set.
func (c *checker) document(doc document) {
	if doc.err != nil {
		c.add(doc, object{}, "", doc.err.Error())
		return
	}
	if doc.object == nil {
		return
	}
	u := unstructured.Unstructured{Object: doc.object}
	if doc.object["kind"] == "List" && doc.object["apiVersion"] == "v1" {
		c.list(doc)
		return
	}
	c.object(doc, u)
}

func (c *checker) list(doc document) {
	items, _ := doc.object["items"].([]any)
	for i, item := range items {
		content, ok := item.(map[string]any)
		path := fmt.Sprintf("items[%d]", i)
		if !ok {
			c.add(doc, object{}, path, "must be an object")
			continue
		}
		_, node := child(doc.node, "items")
		inner := document{file: doc.file, order: doc.order, line: doc.lineOf(path), lines: doc.lines, object: content}
		_, inner.node = child(node, fmt.Sprint(i))
		c.object(inner, unstructured.Unstructured{Object: content})
	}
}

func (c *checker) object(doc document, u unstructured.Unstructured) {
	apiVersion, hasVersion := doc.object["apiVersion"].(string)
	kindName, hasKind := doc.object["kind"].(string)
	if !hasVersion || !hasKind || apiVersion == "" || kindName == "" {
		c.add(doc, object{}, "", "must have an apiVersion and a kind")
		return
	}
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		c.add(doc, object{}, "apiVersion", err.Error())
		return
	}
	if gv.Group != v1alpha1.GroupVersion.Group {
		c.others++
		return
	}
	c.resources++
	o := object{doc: doc, kind: kindName, namespace: c.namespaceOf(u), name: nameOf(u)}
	k, ok := c.kinds[kindName]
	switch {
	case gv != v1alpha1.GroupVersion:
		c.add(doc, o, "apiVersion", fmt.Sprintf("%q is not served, write %s", apiVersion, v1alpha1.GroupVersion))
	case !ok:
		c.add(doc, o, "kind", fmt.Sprintf("%q is unknown, %s has %s", kindName, v1alpha1.GroupVersion, strings.Join(slices.Sorted(maps.Keys(c.kinds)), ", ")))
	default:
		c.admit(k, o)
	}
}

// admit checks one object by itself and takes it into the set.
func (c *checker) admit(k *kind, o object) {
	if o.doc.object["metadata"] == nil {
		o.doc.object["metadata"] = map[string]any{}
	}
	if meta, ok := o.doc.object["metadata"].(map[string]any); ok {
		if namespace, given := meta["namespace"]; !given || namespace == "" {
			meta["namespace"] = o.namespace
		}
	}
	errs := k.admit(o.doc.object)
	for _, err := range errs {
		c.add(o.doc, o, fieldOf(err), oneLine(err.ErrorBody()))
	}
	if first, taken := c.set.add(o, len(errs) == 0); taken {
		c.add(o.doc, o, "metadata.name", fmt.Sprintf("there is a %s of this name in %s:%d already", o.kind, first.doc.file, first.doc.line))
	}
}

// fieldOf returns the path of an error, "" where it is about the whole object.
func fieldOf(err *field.Error) string {
	if err.Field == "<nil>" {
		return ""
	}
	return err.Field
}

func (c *checker) namespaceOf(u unstructured.Unstructured) string {
	namespace, _, _ := unstructured.NestedString(u.Object, "metadata", "namespace")
	return cmp.Or(namespace, c.namespace)
}

func nameOf(u unstructured.Unstructured) string {
	name, _, _ := unstructured.NestedString(u.Object, "metadata", "name")
	return name
}

func (c *checker) add(doc document, o object, path, message string) {
	c.findings = append(c.findings, Finding{File: doc.file, Line: doc.lineOf(path), Kind: o.kind, Namespace: o.namespace,
		Name: o.name, Field: path, Message: message, order: doc.order})
}

// missing adds a finding about an object that is not in the set.
func (c *checker) missing(o object, path, message string) {
	c.add(o.doc, o, path, message)
	c.findings[len(c.findings)-1].warning = true
}

// report sorts the findings by file, as the files were given, and line.
func (c *checker) report(files int, o Options) Report {
	r := Report{Files: files, Resources: c.resources, Others: c.others, Problems: []Finding{}, Warnings: []Finding{}}
	slices.SortStableFunc(c.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.Line, b.Line))
	})
	for _, f := range c.findings {
		if f.warning && o.AllowMissing {
			r.Warnings = append(r.Warnings, f)
		} else {
			r.Problems = append(r.Problems, f)
		}
	}
	return r
}
