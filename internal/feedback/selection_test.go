package feedback

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/cx-operator/cx-operator/internal/store"
)

func options(t *testing.T, labelText, fieldText string) *internalversion.ListOptions {
	t.Helper()
	l, err := labels.Parse(labelText)
	if err != nil {
		t.Fatal(err)
	}
	f, err := fields.ParseSelector(fieldText)
	if err != nil {
		t.Fatal(err)
	}
	return &internalversion.ListOptions{LabelSelector: l, FieldSelector: f}
}

func TestSelected(t *testing.T) {
	all := []store.Key{{Namespace: "b", Name: "leave"}, {Namespace: "a", Name: "stay"}, {Namespace: "a", Name: "arrive"}}
	for _, c := range []struct {
		labels, fields string
		want           []string // sources as namespace/program or namespace/program/touchpoint
		states         []store.CaseState
		overdue        bool
		err            string
	}{
		{want: []string{"a/arrive", "a/stay", "b/leave"}},
		{labels: "cx-operator.io/program in (stay,leave)", want: []string{"a/stay", "b/leave"}},
		{labels: "cx-operator.io/program!=stay,cx-operator.io/program", want: []string{"a/arrive", "b/leave"}},
		{labels: "!cx-operator.io/program"},
		{labels: "app=x"},
		{labels: "app!=x", want: []string{"a/arrive", "a/stay", "b/leave"}},
		{labels: "cx-operator.io/program=stay,cx-operator.io/touchpoint in (gate,desk)", want: []string{"a/stay/desk", "a/stay/gate"}},
		{labels: "cx-operator.io/program=stay,!cx-operator.io/touchpoint", want: []string{"a/stay/"}},
		{labels: "cx-operator.io/program=stay,cx-operator.io/touchpoint=gate", fields: "status.touchpoint=desk"},
		{labels: "cx-operator.io/program=stay,cx-operator.io/touchpoint in (gate,desk)", fields: "status.touchpoint=desk", want: []string{"a/stay/desk"}},
		{labels: "cx-operator.io/touchpoint", err: "labelSelector: cx-operator.io/touchpoint can be selected by"},
		{labels: "cx-operator.io/touchpoint notin (a)", err: "labelSelector"},
		{labels: "cx-operator.io/touchpoint in (" + manyNames(51) + ")", err: "at most 50"},
		{fields: "metadata.namespace=b", want: []string{"b/leave"}},
		{fields: "metadata.namespace=b,metadata.namespace=a"},
		{fields: "spec.state=Open", want: []string{"a/arrive", "a/stay", "b/leave"}, states: []store.CaseState{"Open"}},
		{fields: "spec.state!=Open,spec.state!=Resolved", want: []string{"a/arrive", "a/stay", "b/leave"}, states: []store.CaseState{"Contacted", "Informed"}},
		{fields: "spec.state=Open,spec.state=Resolved", states: []store.CaseState{}},
		{fields: "spec.state=open", err: "Open, Contacted, Resolved, Informed"},
		{fields: "status.overdue=true", want: []string{"a/arrive", "a/stay", "b/leave"}, overdue: true},
		{fields: "status.overdue=false", err: "status.overdue is true only"},
		{fields: "status.touchpoint!=gate", err: "status.touchpoint can be compared by = only"},
		{fields: "status.owner=care", err: "status.owner is no field"},
	} {
		w, err := selected(options(t, c.labels, c.fields))
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q %q: error %v, want %q", c.labels, c.fields, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q %q: %v", c.labels, c.fields, err)
			continue
		}
		var got []string
		for _, s := range w.sources(all) {
			name := s.program.String()
			if s.touchpoint != nil {
				name += "/" + *s.touchpoint
			}
			got = append(got, name)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q %q: %s", c.labels, c.fields, diff)
		}
		if diff := cmp.Diff(c.states, w.states); diff != "" || w.overdue != c.overdue {
			t.Errorf("%q %q: overdue %t, states %s", c.labels, c.fields, w.overdue, diff)
		}
	}
	if _, err := selected(nil); err != nil {
		t.Error(err)
	}
}

func manyNames(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = strings.Repeat("t", i+1)
	}
	return strings.Join(names, ",")
}

func TestToken(t *testing.T) {
	o := options(t, "a=b", "spec.state=Open")
	touchpoint := ""
	for _, p := range []position{
		{Namespace: "a", Program: "stay", After: "x y\x00", List: digest("a", o)}, {Namespace: "a", Program: "stay", Touchpoint: &touchpoint, List: digest("a", o)},
	} {
		got, ok := parseToken(p.token(), digest("a", o))
		if diff := cmp.Diff(p, got); !ok || diff != "" {
			t.Errorf("%t %s", ok, diff)
		}
		for name, other := range map[string]string{
			"another namespace": digest("b", o), "other labels": digest("a", options(t, "a=c", "spec.state=Open")), "other fields": digest("a", options(t, "a=b", "")),
		} {
			if _, ok := parseToken(p.token(), other); ok {
				t.Errorf("the token is taken for %s", name)
			}
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(position{Namespace: "a", Program: "b", After: "c", List: "d"}.token())
	f.Add("e30")
	f.Add("!")
	f.Fuzz(func(t *testing.T, text string) {
		p, ok := parseToken(text, "d")
		if !ok {
			return
		}
		if again, ok := parseToken(p.token(), "d"); !ok || cmp.Diff(p, again) != "" {
			t.Errorf("%+v is read again as %+v", p, again)
		}
	})
}
