package apply_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

const claimName = "responses-answers"

func TestAClaimFollowsItsStore(t *testing.T) {
	w := newWorld(t, sqliteSpec())
	w.apply()
	claim := &corev1.PersistentVolumeClaim{}
	w.mustGet(claimName, claim)
	if got := storageOf(claim); got != "5Gi" || len(claim.OwnerReferences) > 0 {
		t.Fatalf("%s, owners %v", got, claim.OwnerReferences)
	}

	w.wanted.Store.Spec.DeletionPolicy = v1alpha1.DeletionDelete
	w.apply()
	w.mustGet(claimName, claim)
	if diff := cmp.Diff([]string{string(w.wanted.Store.UID)}, ownerUIDs(claim)); diff != "" {
		t.Errorf("Delete: %s", diff)
	}
	w.still()

	w.wanted.Store.Spec.DeletionPolicy = v1alpha1.DeletionRetain
	w.apply()
	w.mustGet(claimName, claim)
	if len(claim.OwnerReferences) > 0 {
		t.Errorf("Retain: %v", claim.OwnerReferences)
	}
	w.still()

	// Nothing else than the store's end takes it along.
	if _, err := w.applier.Apply(t.Context(), w.wanted.Program, nil); err != nil {
		t.Fatal(err)
	}
	w.mustGet(claimName, claim)

	// Another life of the store and of the program finds it again.
	w.delete(w.wanted.Program)
	w.delete(w.wanted.Store)
	w.wanted.Program, w.wanted.Store = w.program("flights"), w.store("responses", sqliteSpec())
	uid := claim.UID
	if result, _ := w.apply(); len(result.Taken)+len(result.Refused) > 0 {
		t.Errorf("%+v", result)
	}
	w.mustGet(claimName, claim)
	if claim.UID != uid {
		t.Error("another claim is in its place")
	}
}

func TestAClaimOnlyGrows(t *testing.T) {
	w := newWorld(t, sqliteSpec())
	growing := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: w.ns}, Provisioner: "example.org/x", AllowVolumeExpansion: ptr.To(true)}
	w.create(growing)
	w.wanted.Store.Spec.SQLite.StorageClassName = w.ns
	w.apply()
	claim := &corev1.PersistentVolumeClaim{}
	w.mustGet(claimName, claim)
	// Only a bound claim may grow. Binding is for a controller that does not run here.
	w.patch(claim, func() { claim.Spec.VolumeName = "volume" })
	claim.Status.Phase = corev1.ClaimBound
	if err := w.people.Status().Update(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ask, want string
		writes    int64
	}{{"10Gi", "10Gi", 1}, {"10240Mi", "10Gi", 0}, {"1Gi", "10Gi", 0}, {"20Gi", "20Gi", 1}} {
		w.wanted.Store.Spec.SQLite.Size = ptr.To(resource.MustParse(c.ask))
		result, n := w.apply()
		w.mustGet(claimName, claim)
		if got := storageOf(claim); got != c.want || n != c.writes || len(result.Refused) > 0 {
			t.Errorf("%s asked: %s with %d writes, want %s with %d; %+v", c.ask, got, n, c.want, c.writes, result)
		}
		w.still()
	}

	w.wanted.Store.Spec.SQLite.StorageClassName = "another"
	result, n := w.apply()
	if n != 0 || len(result.Refused) != 1 || !strings.Contains(result.Refused[0].Message, `cannot become "another"`) {
		t.Errorf("%d writes, %+v", n, result)
	}
}

// A class that does not let volumes grow refuses, which is told and stops nothing that runs.
func TestAClaimThatCannotGrow(t *testing.T) {
	w := newWorld(t, sqliteSpec())
	w.apply()
	w.wanted.Store.Spec.SQLite.Size = ptr.To(resource.MustParse("10Gi"))
	result, _ := w.apply()
	if len(result.Refused) != 1 || result.Refused[0].Kind != "PersistentVolumeClaim" {
		t.Errorf("%+v", result)
	}
	set := &appsv1.StatefulSet{}
	w.mustGet(name, set)
	w.wanted.Options.Image = "registry.example.org/cx-operator:2"
	w.apply()
	w.mustGet(name, set)
	if got := set.Spec.Template.Spec.Containers[0].Image; got != w.wanted.Options.Image {
		t.Errorf("the pod still runs %s", got)
	}
}

// Answers that are taken on a volume that goes would go with it.
func TestAClaimThatIsDeletedGetsNoPods(t *testing.T) {
	w := newWorld(t, sqliteSpec())
	w.apply()
	claim, set := &corev1.PersistentVolumeClaim{}, &appsv1.StatefulSet{}
	w.mustGet(claimName, claim)
	w.mustGet(name, set)
	w.delete(set)
	w.delete(claim) // a finalizer keeps it while pods may use it
	result, n := w.apply()
	if n != 0 || len(result.Refused) != 1 || !strings.Contains(result.Refused[0].Message, "being deleted") {
		t.Errorf("%d writes, %+v", n, result)
	}
	w.mustGet(claimName, claim)
	w.patch(claim, func() { claim.Finalizers = nil })
	if result, _ := w.apply(); len(result.Refused) > 0 {
		t.Errorf("%+v", result)
	}
	w.mustGet(name, set)
}

func TestSomebodyElsesClaimIsNotTouched(t *testing.T) {
	w := newWorld(t, sqliteSpec())
	w.create(&corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: claimName},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	})
	result, _ := w.apply()
	if !slices.Contains(result.Taken, "PersistentVolumeClaim/"+claimName) {
		t.Errorf("%+v", result)
	}
	if err := w.get(name, &appsv1.StatefulSet{}); !apierrors.IsNotFound(err) {
		t.Errorf("pods were started on somebody else's volume: %v", err)
	}
}

// monitorCRD is enough of the definition of ServiceMonitor to keep one.
func monitorCRD() *apiextensionsv1.CustomResourceDefinition {
	open := &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: ptr.To(true)}
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "servicemonitors.monitoring.coreos.com"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "monitoring.coreos.com", Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "servicemonitors", Singular: "servicemonitor", Kind: "ServiceMonitor", ListKind: "ServiceMonitorList"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true, Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: open},
			}},
		},
	}
}
