package feedback

import (
	"context"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/duration"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
)

// column is one column of what kubectl get prints. Priority 1 is for -o wide.
func column(name, description string, priority int32) metav1.TableColumnDefinition {
	c := metav1.TableColumnDefinition{Name: name, Type: "string", Description: description, Priority: priority}
	if name == "Name" {
		c.Format = "name"
	}
	return c
}

// table makes what kubectl get prints of an object or list.
func table(object runtime.Object, options runtime.Object, columns []metav1.TableColumnDefinition, rows []metav1.TableRow) *metav1.Table {
	t := &metav1.Table{Rows: rows}
	if o, ok := options.(*metav1.TableOptions); !ok || !o.NoHeaders {
		t.ColumnDefinitions = columns
	}
	if list, err := meta.ListAccessor(object); err == nil {
		t.ResourceVersion, t.Continue, t.RemainingItemCount = list.GetResourceVersion(), list.GetContinue(), list.GetRemainingItemCount()
	} else if one, err := meta.CommonAccessor(object); err == nil {
		t.ResourceVersion = one.GetResourceVersion()
	}
	return t
}

func row(object runtime.Object, cells ...any) metav1.TableRow {
	return metav1.TableRow{Cells: cells, Object: runtime.RawExtension{Object: object}}
}

var caseColumns = []metav1.TableColumnDefinition{
	column("Name", "program, a dot, and a random UUID", 0),
	column("Program", "program that the response was given to", 0),
	column("Touchpoint", "touchpoint that the response was given at", 0),
	column("Owner", "team that contacts the customer", 0),
	column("State", "Open, Contacted, Resolved or Informed", 0),
	column("Promised By", "when the customer is to be contacted at the latest, in UTC", 0),
	column("Overdue", "whether the case is open past that time", 0),
	column("Age", "time since the response was given", 0),
	column("Reasons", "why the case was opened", 1),
	column("Language", "language of the response", 1),
	column("Plan", "action plan that the case led to", 1),
	column("Contacted", "when the customer was contacted, in UTC", 1),
	column("Contact", "whether the customer's contact is kept", 1),
}

// ConvertToTable implements rest.TableConvertor.
func (s cases) ConvertToTable(_ context.Context, object, options runtime.Object) (*metav1.Table, error) {
	now := s.b.Clock()
	var rows []metav1.TableRow
	switch o := object.(type) {
	case *feedbackv1alpha1.Case:
		rows = append(rows, caseRow(o, now))
	case *feedbackv1alpha1.CaseList:
		for i := range o.Items {
			rows = append(rows, caseRow(&o.Items[i], now))
		}
	}
	return table(object, options, caseColumns, rows), nil
}

func caseRow(c *feedbackv1alpha1.Case, now time.Time) metav1.TableRow {
	reasons := make([]string, 0, len(c.Status.Reasons))
	for _, r := range c.Status.Reasons {
		reasons = append(reasons, string(r))
	}
	overdue, contact, contacted := "no", "kept", ""
	if c.Status.Overdue {
		overdue = "yes"
	}
	if c.Status.ContactErasedTime != nil {
		contact = "erased"
	}
	if c.Status.ContactedTime != nil {
		contacted = printed(c.Status.ContactedTime.Time)
	}
	return row(c, c.Name, c.Status.Program, c.Status.Touchpoint, c.Status.Owner, string(c.Spec.State),
		printed(c.Status.PromisedBy.Time), overdue, duration.HumanDuration(now.Sub(c.CreationTimestamp.Time)),
		strings.Join(reasons, ","), c.Status.Language, planOf(c), contacted, contact)
}

func printed(t time.Time) string { return t.UTC().Format("2006-01-02T15:04Z") }
