package apply

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// settled are the objects of a program on PostgreSQL as they are wanted, and as the API server has them.
func settled(t testing.TB) (wanted, current []render.Object) {
	t.Helper()
	program := &v1alpha1.SurveyProgram{ObjectMeta: metav1.ObjectMeta{Namespace: "sfo", Name: "visits", UID: "11111111-2222-3333-4444-555555555555"}}
	wanted, err := render.Dedicated{
		Program: program, Survey: &survey.Survey{DefaultLanguage: "en", Title: survey.Texts{"en": "Visits"}},
		Store:   &v1alpha1.ResponseStore{ObjectMeta: metav1.ObjectMeta{Namespace: "sfo", Name: "answers"}, Spec: v1alpha1.ResponseStoreSpec{Postgres: &v1alpha1.PostgresStore{}}},
		Options: render.Options{Image: "registry.example.org/cx-operator:1", OperatorNamespace: "cx-operator-system"},
	}.Objects()
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range wanted {
		asked, err := manifest(object)
		if err != nil {
			t.Fatal(err)
		}
		typed := empty(object)
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(asked.Object, typed); err != nil {
			t.Fatal(err)
		}
		current = append(current, typed)
	}
	return wanted, current
}

// BenchmarkCompare finds that nothing of a program is to be written.
func BenchmarkCompare(b *testing.B) {
	wanted, current := settled(b)
	a := &Applier{}
	b.ReportAllocs()
	for b.Loop() {
		for i, object := range wanted {
			asked, err := manifest(object)
			if err != nil {
				b.Fatal(err)
			}
			if same, err := a.same(asked, current[i]); err != nil || !same {
				b.Fatal(same, err)
			}
		}
	}
}
