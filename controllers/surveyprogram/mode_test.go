package surveyprogram

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

const (
	embeddedMode  = v1alpha1.EndpointEmbedded
	dedicatedMode = v1alpha1.EndpointDedicated
)

// told is a decision in short: "embed bring Dedicated StoreInUse".
func told(d decision) string {
	parts := []string{}
	if d.embed {
		parts = append(parts, "embed")
	}
	if d.move {
		parts = append(parts, "move")
	}
	parts = append(parts, map[work]string{leave: "leave", keep: "keep", bring: "bring", remove: "remove"}[d.endpoint])
	if d.onePod {
		parts = append(parts, "one-pod")
	}
	if d.serves != "" {
		parts = append(parts, string(d.serves))
	}
	if d.problem != nil {
		parts = append(parts, d.problem.Reason)
	}
	return strings.Join(parts, " ")
}

func TestDecide(t *testing.T) {
	for name, c := range map[string]struct {
		in   situation
		want string
	}{
		"Embedded, new":                            {situation{wants: embeddedMode}, "embed leave Embedded"},
		"Embedded, as before":                      {situation{wants: embeddedMode, serves: embeddedMode}, "embed leave Embedded"},
		"Embedded, nobody to serve it":             {situation{wants: embeddedMode, unembedded: "no"}, "leave NotServed"},
		"Embedded, nobody to serve it any more":    {situation{wants: embeddedMode, serves: embeddedMode, unembedded: "no"}, "leave Embedded NotServed"},
		"Embedded, the store is a Dedicated one's": {situation{wants: embeddedMode, sqlite: true, holder: "other"}, "leave StoreInUse"},
		"Embedded, without a store":                {situation{wants: embeddedMode, noStore: true}, "embed leave Embedded"},

		"to Embedded, nobody to serve it":       {situation{wants: embeddedMode, serves: dedicatedMode, exists: true, unembedded: "no"}, "keep Dedicated NotServed"},
		"to Embedded, SQLite with answers":      {situation{wants: embeddedMode, serves: dedicatedMode, exists: true, sqlite: true, left: leftAnswers, ready: true}, "keep Dedicated ModeChangeRefused"},
		"to Embedded, SQLite, not known":        {situation{wants: embeddedMode, serves: dedicatedMode, exists: true, sqlite: true, ready: true}, "keep Dedicated ModeChangeRefused"},
		"to Embedded, SQLite without answers":   {situation{wants: embeddedMode, serves: dedicatedMode, exists: true, sqlite: true, left: leftNothing}, "keep Dedicated ModeChangeRefused"},
		"to Embedded, PostgreSQL, not open yet": {situation{wants: embeddedMode, serves: dedicatedMode, exists: true}, "embed keep Dedicated EndpointStarting"},
		"to Embedded, PostgreSQL, open":         {situation{wants: embeddedMode, serves: dedicatedMode, exists: true, ready: true}, "embed remove Embedded"},
		"to Embedded, what ran was deleted":     {situation{wants: embeddedMode, serves: dedicatedMode, sqlite: true}, "keep Dedicated ModeChangeRefused"},
		"to Embedded, cut off before a status":  {situation{wants: embeddedMode, exists: true, sqlite: true, left: leftAnswers}, "keep Dedicated ModeChangeRefused"},

		"Dedicated, new":                             {situation{wants: dedicatedMode}, "bring Dedicated"},
		"Dedicated, new on SQLite":                   {situation{wants: dedicatedMode, sqlite: true, left: leftNothing}, "bring Dedicated"},
		"Dedicated, as before":                       {situation{wants: dedicatedMode, serves: dedicatedMode, exists: true, sqlite: true}, "bring Dedicated"},
		"Dedicated, what ran was deleted":            {situation{wants: dedicatedMode, serves: dedicatedMode, sqlite: true, left: leftAnswers}, "bring Dedicated"},
		"Dedicated, not by this operator":            {situation{wants: dedicatedMode, serves: dedicatedMode, exists: true, undedicated: "no"}, "leave Dedicated NotServed"},
		"Dedicated, without a store":                 {situation{wants: dedicatedMode, noStore: true}, "leave"},
		"Dedicated, its store was deleted":           {situation{wants: dedicatedMode, serves: dedicatedMode, exists: true, noStore: true}, "keep Dedicated"},
		"Dedicated, the store is another's":          {situation{wants: dedicatedMode, sqlite: true, holder: "other"}, "leave StoreInUse"},
		"Dedicated, came second":                     {situation{wants: dedicatedMode, exists: true, sqlite: true, holder: "other"}, "remove StoreInUse"},
		"Dedicated, many pods, new":                  {situation{wants: dedicatedMode, sqlite: true, manyPods: true}, "leave StoreInUse"},
		"Dedicated, many pods, running":              {situation{wants: dedicatedMode, serves: dedicatedMode, exists: true, sqlite: true, manyPods: true}, "bring one-pod Dedicated StoreInUse"},
		"Dedicated, many pods on PostgreSQL":         {situation{wants: dedicatedMode, manyPods: true}, "bring Dedicated"},
		"Dedicated, answers of a former life":        {situation{wants: dedicatedMode, sqlite: true, left: leftAnswers}, "leave ModeChangeRefused"},
		"Dedicated, a former life is not known":      {situation{wants: dedicatedMode, sqlite: true}, "leave Waiting"},
		"Dedicated on PostgreSQL, holders are many":  {situation{wants: dedicatedMode, holder: "other"}, "bring Dedicated"},
		"to Dedicated, not by this operator":         {situation{wants: dedicatedMode, serves: embeddedMode, undedicated: "no"}, "leave Embedded NotServed"},
		"to Dedicated, without a store":              {situation{wants: dedicatedMode, serves: embeddedMode, noStore: true}, "embed leave Embedded"},
		"to Dedicated, SQLite with answers":          {situation{wants: dedicatedMode, serves: embeddedMode, sqlite: true, left: leftAnswers}, "embed leave Embedded ModeChangeRefused"},
		"to Dedicated, SQLite, not known":            {situation{wants: dedicatedMode, serves: embeddedMode, sqlite: true}, "embed leave Embedded Waiting"},
		"to Dedicated, SQLite without answers":       {situation{wants: dedicatedMode, serves: embeddedMode, sqlite: true, left: leftNothing}, "move bring Dedicated"},
		"to Dedicated, SQLite, nobody serves it":     {situation{wants: dedicatedMode, serves: embeddedMode, sqlite: true, left: leftNothing, unembedded: "no"}, "leave Embedded ModeChangeRefused"},
		"to Dedicated, SQLite of others":             {situation{wants: dedicatedMode, serves: embeddedMode, sqlite: true, holder: "other"}, "embed leave Embedded StoreInUse"},
		"to Dedicated, many pods":                    {situation{wants: dedicatedMode, serves: embeddedMode, sqlite: true, manyPods: true}, "embed leave Embedded StoreInUse"},
		"to Dedicated, PostgreSQL, not ready":        {situation{wants: dedicatedMode, serves: embeddedMode, exists: true}, "embed bring Embedded EndpointStarting"},
		"to Dedicated, PostgreSQL, ready":            {situation{wants: dedicatedMode, serves: embeddedMode, exists: true, ready: true}, "bring Dedicated"},
		"to Dedicated, PostgreSQL, nobody serves it": {situation{wants: dedicatedMode, serves: embeddedMode, unembedded: "no"}, "bring Dedicated"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := told(decide(c.in)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// Whatever the situation: what holds answers that cannot follow is never left, and nothing serves a SQLite program twice.
func TestDecideLosesNothing(t *testing.T) {
	bools := []bool{false, true}
	n := 0
	for _, wants := range []v1alpha1.EndpointMode{embeddedMode, dedicatedMode} {
		for _, serves := range []v1alpha1.EndpointMode{"", embeddedMode, dedicatedMode} {
			for _, exists := range bools {
				for _, ready := range bools {
					for _, many := range bools {
						for _, left := range []left{leftUnknown, leftNothing, leftAnswers} {
							for _, blocked := range []string{"", "unembedded", "undedicated", "holder"} {
								in := situation{wants: wants, serves: serves, exists: exists, sqlite: true, manyPods: many, left: left, ready: ready}
								switch blocked {
								case "unembedded":
									in.unembedded = "no"
								case "undedicated":
									in.undedicated = "no"
								case "holder":
									in.holder = "other"
								}
								d := decide(in)
								n++
								where := fmt.Sprintf("%+v: %s", in, told(d))
								if d.embed && (d.endpoint == keep || d.endpoint == bring) {
									t.Errorf("served twice: %s", where)
								}
								if d.serves == "" && serves != "" && blocked != "holder" {
									t.Errorf("served no more: %s", where)
								}
								if in.holder == "" && exists && d.endpoint == remove {
									t.Errorf("left behind on its volume: %s", where)
								}
								if left != leftNothing && !exists && serves == embeddedMode && d.endpoint == bring {
									t.Errorf("left behind in this process: %s", where)
								}
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d situations", n)
}

func TestHolder(t *testing.T) {
	at := func(name string, age int, wants, serves v1alpha1.EndpointMode, exists bool) user {
		p := &v1alpha1.SurveyProgram{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(time.Unix(int64(age), 0))}}
		p.Spec.Endpoint.Mode = wants
		if serves != "" {
			p.Status.Endpoint = &v1alpha1.EndpointStatus{Mode: serves}
		}
		return user{p, exists}
	}
	const e, d = embeddedMode, dedicatedMode
	for name, c := range map[string]struct {
		p      user
		others []user
		want   string
	}{
		"alone":                                    {at("p", 1, d, "", false), nil, ""},
		"the oldest":                               {at("p", 1, d, "", false), []user{at("q", 2, d, "", false)}, ""},
		"younger":                                  {at("p", 2, d, "", false), []user{at("q", 1, d, "", false), at("r", 0, d, "", false)}, "r"},
		"as old, later by name":                    {at("p", 1, d, "", false), []user{at("a", 1, d, "", false)}, "a"},
		"older, but another runs":                  {at("p", 1, d, "", false), []user{at("q", 2, d, "", true)}, "q"},
		"older, but another is served":             {at("p", 1, d, "", false), []user{at("q", 2, e, e, false)}, "q"},
		"younger, but it runs":                     {at("p", 2, d, "", true), []user{at("q", 1, d, "", false)}, ""},
		"both run, the older":                      {at("p", 1, d, d, true), []user{at("q", 2, d, d, true)}, ""},
		"both run, the younger":                    {at("p", 2, d, d, true), []user{at("q", 1, d, d, true)}, "q"},
		"Embedded ones share":                      {at("p", 2, e, "", false), []user{at("q", 1, e, e, false)}, ""},
		"Embedded, a Dedicated one runs":           {at("p", 1, e, "", false), []user{at("q", 2, d, d, true)}, "q"},
		"Embedded, an older one is to be":          {at("p", 2, e, "", false), []user{at("q", 1, d, "", false)}, "q"},
		"Embedded, a younger one is to be":         {at("p", 1, e, "", false), []user{at("q", 2, d, "", false)}, ""},
		"Embedded and served, another is to be":    {at("p", 2, e, e, false), []user{at("q", 1, d, "", false)}, ""},
		"to be Dedicated, others share its store":  {at("p", 1, d, e, false), []user{at("q", 2, e, e, false)}, "q"},
		"to be Dedicated, none shares it":          {at("p", 2, d, e, false), []user{at("q", 1, d, "", false)}, ""},
		"Embedded, and the other is, too, to move": {at("p", 2, e, "", false), []user{at("q", 1, d, e, false)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := holderFor(c.p, c.others); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestRollout(t *testing.T) {
	deployment := func(change func(*appsv1.Deployment)) *appsv1.Deployment {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Generation: 2}, Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](3)}}
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 3, UpdatedReplicas: 3, ReadyReplicas: 3, AvailableReplicas: 3}
		if change != nil {
			change(d)
		}
		return d
	}
	late := appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded"}
	for name, c := range map[string]struct {
		change                   func(*appsv1.Deployment)
		behind, settled, failing bool
	}{
		"all in service":      {nil, false, true, false},
		"the cache is behind": {nil, true, false, false},
		"not seen yet":        {func(d *appsv1.Deployment) { d.Generation = 3 }, false, false, false},
		"one is old":          {func(d *appsv1.Deployment) { d.Status.UpdatedReplicas, d.Status.Replicas = 2, 3 }, false, false, false},
		"an old one goes":     {func(d *appsv1.Deployment) { d.Status.Replicas = 4 }, false, false, false},
		"one is away":         {func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 2 }, false, false, false},
		"too late": {func(d *appsv1.Deployment) {
			d.Status.AvailableReplicas = 2
			d.Status.Conditions = append(d.Status.Conditions, late)
		}, false, false, true},
		"too late, but there after all": {func(d *appsv1.Deployment) { d.Status.Conditions = append(d.Status.Conditions, late) }, false, true, false},
		"too late, before this change":  {func(d *appsv1.Deployment) { d.Generation = 3; d.Status.Conditions = append(d.Status.Conditions, late) }, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := ofDeployment(deployment(c.change), !c.behind)
			if r.settled != c.settled || r.failed != c.failing || r.wanted != 3 || !r.found || r.message == "" {
				t.Errorf("%+v", r)
			}
		})
	}
}
