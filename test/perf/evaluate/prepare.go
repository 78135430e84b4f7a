package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers"
	"github.com/cx-operator/cx-operator/internal/render"
)

// appliers is how many objects are created, and programs imported, at once.
const appliers = 16

func (o liveOptions) namespace(touchpoint int) string {
	return fmt.Sprintf("bench-%02d", touchpoint/perProgram%o.namespaces)
}

// prepare waits until everything is served, imports what was answered before, and waits until all of it shows.
func (o *operator) prepare(ctx context.Context, live liveOptions, l *ledger) error {
	c, err := client.New(o.config, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		return err
	}
	began := time.Now()
	if err := o.await(ctx, func() (bool, error) { return served(ctx, c, live) }); err != nil {
		return err
	}
	progress("live: all served %s after the operator began", time.Since(began).Round(time.Second))
	if err := o.importAll(ctx, c, live, l); err != nil {
		return err
	}
	progress("live: history imported after %s", time.Since(began).Round(time.Second))
	err = o.await(ctx, func() (bool, error) {
		counts, _, err := o.scrape(ctx, "?name[]=cx_objective_responses")
		for i := range live.touchpoints {
			if counts["cx_objective_responses"][touchpointName(i)] != float64(live.history) {
				return false, err
			}
		}
		return true, err
	})
	progress("live: all counted after %s", time.Since(began).Round(time.Second))
	return err
}

// create creates everything.
func (o liveOptions) create(ctx context.Context, config *rest.Config) error {
	c, err := client.New(config, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		return err
	}
	began := time.Now()
	for n := range o.namespaces {
		if err := c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: o.namespace(n * perProgram)}}); err != nil {
			return err
		}
	}
	err = createObjects(ctx, c, o)
	progress("live: %d touchpoints created in %s", o.touchpoints, time.Since(began).Round(time.Second))
	return err
}

func createObjects(ctx context.Context, c client.Client, live liveOptions) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(appliers)
	for n := range live.namespaces {
		s := &v1alpha1.ResponseStore{ObjectMeta: metav1.ObjectMeta{Namespace: live.namespace(n * perProgram), Name: storeName}}
		s.Spec.SQLite = &v1alpha1.SQLiteStore{}
		group.Go(func() error { return c.Create(ctx, s) })
	}
	for i := range live.touchpoints {
		namespace := live.namespace(i)
		if i%perProgram == 0 {
			p := program(programName(i))
			p.Namespace, p.UID = namespace, ""
			group.Go(func() error { return c.Create(ctx, p) })
		}
		t := touchpoint(program(programName(i)), touchpointName(i))
		t.Namespace, t.UID = namespace, ""
		t.Spec.Objectives = t.Spec.Objectives[:1]
		t.Spec.Objectives[0].Target = intstr.FromInt32(int32(20 + i%60))
		group.Go(func() error { return c.Create(ctx, t) })
	}
	return group.Wait()
}

// served says whether every program has its tokens and every touchpoint its page.
func served(ctx context.Context, c client.Client, live liveOptions) (bool, error) {
	for n := range live.namespaces {
		var list v1alpha1.TouchpointList
		if err := c.List(ctx, &list, client.InNamespace(live.namespace(n*perProgram))); err != nil {
			return false, err
		}
		for i := range list.Items {
			if list.Items[i].Status.URL == "" {
				return false, nil
			}
		}
	}
	return true, nil
}

// importAll imports the history of every program.
func (o *operator) importAll(ctx context.Context, c client.Client, live liveOptions, l *ledger) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(appliers)
	for first := 0; first < live.touchpoints; first += perProgram {
		group.Go(func() error {
			var secret corev1.Secret
			key := client.ObjectKey{Namespace: live.namespace(first), Name: render.TokensName(programName(first))}
			if err := c.Get(ctx, key, &secret); err != nil {
				return err
			}
			return o.importProgram(ctx, live, l, first, string(secret.Data[render.TokenImport]))
		})
	}
	return group.Wait()
}

func (o *operator) importProgram(ctx context.Context, live liveOptions, l *ledger, first int, token string) error {
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	now := time.Now()
	for i := first; i < min(first+perProgram, live.touchpoints); i++ {
		var good int64
		for k := range live.history {
			a := newAnswer(i)
			a.SubmittedAt = now.Add(-time.Duration(k+1) * 80 * 24 * time.Hour / time.Duration(live.history+1)).UTC().Format(time.RFC3339)
			if a.good() {
				good++
			}
			if err := encoder.Encode(a); err != nil {
				return err
			}
		}
		l.imported(i, good, int64(live.history))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, o.responses(live, first)+":import", &lines)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/x-ndjson")
	response, err := http.DefaultClient.Do(request) // #nosec G107 -- an address of this machine
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var sum struct{ Stored, Rejected int }
	if err := json.Unmarshal(text, &sum); err != nil || response.StatusCode != http.StatusOK || sum.Rejected > 0 {
		return fmt.Errorf("importing %s: %s: %s", programName(first), response.Status, text)
	}
	return nil
}

func (o *operator) responses(live liveOptions, touchpoint int) string {
	return o.survey + "/api/v1/namespaces/" + live.namespace(touchpoint) + "/programs/" + programName(touchpoint) + "/responses"
}
