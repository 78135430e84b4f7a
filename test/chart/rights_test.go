package chart

import (
	"context"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/test/testenv"
)

// may asks the API server whether somebody may do something.
func may(ctx context.Context, t *testing.T, c client.Client, user, group string, what authorizationv1.ResourceAttributes) bool {
	t.Helper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user, Groups: []string{group}, ResourceAttributes: &what,
	}}
	if err := c.Create(ctx, review); err != nil {
		t.Fatal(err)
	}
	return review.Status.Allowed
}

func cx(verb, resource, namespace string) authorizationv1.ResourceAttributes {
	return authorizationv1.ResourceAttributes{Group: "cx-operator.io", Version: "v1alpha1", Verb: verb, Resource: resource, Namespace: namespace}
}

func secrets(verb, name, namespace string) authorizationv1.ResourceAttributes {
	return authorizationv1.ResourceAttributes{Version: "v1", Verb: verb, Resource: "secrets", Namespace: namespace, Name: name}
}

func apiService(verb, name string) authorizationv1.ResourceAttributes {
	return authorizationv1.ResourceAttributes{Group: "apiregistration.k8s.io", Version: "v1", Verb: verb, Resource: "apiservices", Name: name}
}

func feedback(verb, resource string) authorizationv1.ResourceAttributes {
	resource, subresource, _ := strings.Cut(resource, "/")
	return authorizationv1.ResourceAttributes{
		Group: "feedback.cx-operator.io", Version: "v1alpha1", Verb: verb, Resource: resource, Subresource: subresource, Namespace: "chart-one",
	}
}

// TestRightsInOneNamespace installs the roles of namespaced mode and asks the API server what they come to.
func TestRightsInOneNamespace(t *testing.T) {
	c := server(t)
	install(t, c, "watchNamespaces: [chart-one, chart-two]\nrbac: {people: false}\ncrds: {install: false}")
	await(t, c, "")
	const operator = "system:serviceaccount:" + system + ":cx-operator"
	reviews := authorizationv1.ResourceAttributes{Group: "authentication.k8s.io", Version: "v1", Verb: "create", Resource: "tokenreviews"}
	tests := []struct {
		name string
		what authorizationv1.ResourceAttributes
		want bool
	}{
		{"programs there", cx("list", "surveyprograms", "chart-one"), true},
		{"status in the other one", cx("patch", "touchpoints/status", "chart-two"), true},
		{"programs elsewhere", cx("list", "surveyprograms", "default"), false},
		{"programs everywhere", cx("list", "surveyprograms", ""), false},
		{"Secrets there", secrets("create", "", "chart-one"), true},
		{"Secrets elsewhere", secrets("get", "a", "default"), false},
		{"its own authority", secrets("get", "cx-operator-endpoints-ca", system), true},
		{"another Secret of its namespace", secrets("get", "other", system), false},
		{"reviews of tokens", reviews, true},
		{"change of a plan's spec", cx("update", "actionplans", "chart-one"), false},
		{"the label of its pod", authorizationv1.ResourceAttributes{Version: "v1", Verb: "patch", Resource: "pods", Namespace: system}, true},
		{"pods elsewhere", authorizationv1.ResourceAttributes{Version: "v1", Verb: "patch", Resource: "pods", Namespace: "chart-one"}, false},
		{"its APIService", apiService("patch", "v1alpha1.feedback.cx-operator.io"), true},
		{"another APIService", apiService("patch", "v1beta1.metrics.k8s.io"), false},
		{"whose certificates vouch for users", authorizationv1.ResourceAttributes{
			Version: "v1", Verb: "get", Resource: "configmaps", Namespace: "kube-system", Name: "extension-apiserver-authentication",
		}, true},
	}
	for _, tt := range tests {
		if got := may(t.Context(), t, c, operator, "system:serviceaccounts", tt.what); got != tt.want {
			t.Errorf("%s: allowed = %t, want %t", tt.name, got, tt.want)
		}
	}
}

// A rule about something that is of no namespace would do nothing in a Role.
func TestRolesNameWhatIsOfANamespace(t *testing.T) {
	server(t)
	d, err := discovery.NewDiscoveryClientForConfig(testenv.New(t))
	if err != nil {
		t.Fatal(err)
	}
	_, lists, err := d.ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	clusterWide := map[string]bool{}
	for _, list := range lists {
		for _, resource := range list.APIResources {
			if !resource.Namespaced {
				clusterWide[resource.Name] = true
			}
		}
	}
	if !clusterWide["tokenreviews"] {
		t.Fatal("the API server has no tokenreviews")
	}
	roles := 0
	for _, object := range render(t, "watchNamespaces: [chart-one]") {
		if object.GetKind() != "Role" {
			continue
		}
		roles++
		var role rbacv1.Role
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &role); err != nil {
			t.Fatal(err)
		}
		for _, rule := range role.Rules {
			for _, resource := range rule.Resources {
				if clusterWide[resource] {
					t.Errorf("Role %s names %s, which is of no namespace", role.Name, resource)
				}
			}
		}
	}
	if roles != 4 {
		t.Errorf("%d Roles, want those of the namespace, the lease, its own Secrets and the pod that serves", roles)
	}
}

// TestRightsOfPeople binds the roles to groups, as a cluster's aggregated roles would be, and asks what they come to.
func TestRightsOfPeople(t *testing.T) {
	c := server(t)
	install(t, c, "rbac: {officeSubjects: [{kind: Group, name: chart-office}]}\ncrds: {install: false}\nfullnameOverride: people")
	for role, group := range map[string]string{
		"cx-case-worker": "chart-workers", "cx-privacy-officer": "chart-officers",
		"cx-viewer": "chart-viewers", "cx-editor": "chart-editors", "cx-admin": "chart-admins",
	} {
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role, Namespace: "chart-one"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{Kind: "Group", APIGroup: rbacv1.GroupName, Name: group}},
		}
		if err := c.Create(t.Context(), binding); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		group          string
		verb, resource string
		want           bool
	}{
		{"chart-viewers", "list", "touchpoints", true},
		{"chart-viewers", "create", "actionplans", false},
		{"chart-editors", "update", "actionplans", true},
		{"chart-editors", "delete", "responsestores", false},
		{"chart-editors", "patch", "surveyprograms/status", false},
		{"chart-admins", "delete", "responsestores", true},
		{"chart-viewers", "list", "reviews", true},
		{"chart-editors", "patch", "reviews", true},
		{"chart-editors", "patch", "accountabilitypolicies", false},
		{"chart-admins", "patch", "accountabilitypolicies", true},
		{"chart-office", "patch", "accountabilitypolicies", true},
		{"chart-admins", "patch", "touchpoints/status", false},
		{"chart-office", "list", "actionplans", true},
		{"chart-office", "watch", "responsestores", true},
		{"chart-office", "update", "surveyprograms", true},
		{"chart-office", "update", "actionplans", false},
		{"chart-office", "patch", "touchpoints", false},
		{"chart-office", "update", "teams", false},
	}
	for _, tt := range tests {
		await(t, c, tt.group)
		if got := may(t.Context(), t, c, "somebody", tt.group, cx(tt.verb, tt.resource, "chart-one")); got != tt.want {
			t.Errorf("%s may %s %s: %t, want %t", tt.group, tt.verb, tt.resource, got, tt.want)
		}
	}
	for _, tt := range []struct {
		group          string
		verb, resource string
		want           bool
	}{
		{"chart-viewers", "list", "cases", true},
		{"chart-viewers", "patch", "cases", false},
		{"chart-viewers", "get", "cases/contact", false},
		{"chart-editors", "patch", "cases", true},
		{"chart-editors", "get", "cases/contact", false},
		{"chart-editors", "create", "erasures", false},
		{"chart-admins", "get", "cases/contact", true},
		{"chart-admins", "create", "erasures", true},
		{"chart-admins", "get", "coachings", false},
		{"chart-office", "list", "cases", true},
		{"chart-office", "get", "cases/contact", false},
		{"chart-workers", "patch", "cases", true},
		{"chart-workers", "get", "cases/contact", true},
		{"chart-workers", "create", "erasures", false},
		{"chart-officers", "create", "erasures", true},
		{"chart-officers", "get", "cases/contact", false},
		{"chart-officers", "list", "cases", false},
	} {
		if got := may(t.Context(), t, c, "somebody", tt.group, feedback(tt.verb, tt.resource)); got != tt.want {
			t.Errorf("%s may %s %s: %t, want %t", tt.group, tt.verb, tt.resource, got, tt.want)
		}
	}
	for role, to := range map[string]string{"cx-viewer": "view", "cx-editor": "edit", "cx-admin": "admin"} {
		var got rbacv1.ClusterRole
		if err := c.Get(t.Context(), client.ObjectKey{Name: role}, &got); err != nil {
			t.Fatal(err)
		}
		if got.Labels["rbac.authorization.k8s.io/aggregate-to-"+to] != "true" {
			t.Errorf("%s does not join %s: %v", role, to, got.Labels)
		}
	}
}

// install applies the rights that are rendered.
func install(t *testing.T, c client.Client, values string) {
	t.Helper()
	for _, object := range render(t, values) {
		if object.GroupVersionKind().Group != rbacv1.GroupName && object.GetKind() != "ServiceAccount" {
			continue
		}
		if err := apply(t.Context(), c, object); err != nil {
			t.Fatal(err)
		}
	}
}

// await waits until the API server's authorizer has read the latest bindings: those of a group, or with "" the operator's.
func await(t *testing.T, c client.Client, group string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	user := "somebody"
	if group == "" {
		user = "system:serviceaccount:" + system + ":cx-operator"
	}
	for !may(ctx, t, c, user, group, cx("list", "teams", "chart-one")) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s%s never gets the right to list teams", user, group)
		}
	}
}
