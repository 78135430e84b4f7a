package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
)

// key names an object.
type key struct{ resource, namespace, name string }

func (k key) String() string { return k.resource + " " + k.namespace + "/" + k.name }

// object is what the bench looks at of an object.
type object struct {
	Metadata struct {
		Namespace, Name, ResourceVersion string
		Generation                       int64
	}
	Status struct {
		ObservedGeneration int64
		Conditions         []condition
	}
}

type condition struct{ Type, Status, Reason, Message string }

// is returns a condition as "True/Reconciled".
func (o *object) is(kind string) string {
	i := slices.IndexFunc(o.Status.Conditions, func(c condition) bool { return c.Type == kind })
	if i < 0 {
		return ""
	}
	return o.Status.Conditions[i].Status + "/" + o.Status.Conditions[i].Reason
}

// observed says that the status is of the spec as it is.
func (o *object) observed() bool { return o.Status.ObservedGeneration == o.Metadata.Generation }

// watcher follows objects with as little work as possible: it shares the machine with what is measured.
type watcher struct {
	done func(resource string, o *object) bool // whether an object is as it is to be

	mu      sync.Mutex
	objects map[key]bool // and whether they are
	last    map[key]string
	missing int           // how many are not, of those awaited
	moved   time.Time     // when something last became so
	reached chan struct{} // closed when missing falls to 0
	wishes  map[key]*wish
	err     error
}

// wish is something that is awaited of one object.
type wish struct {
	fulfilled func(*object) bool
	at        chan time.Time
}

// watch follows the collections at some paths, by the name of their resource, until the context ends.
func watch(ctx context.Context, config *rest.Config, paths map[string]string, done func(string, *object) bool) (*watcher, error) {
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	w := &watcher{done: done, objects: map[key]bool{}, last: map[key]string{}, wishes: map[key]*wish{}}
	for resource, path := range paths {
		go w.follow(ctx, httpClient, strings.TrimSuffix(config.Host, "/")+path, resource)
	}
	return w, nil
}

func (w *watcher) follow(ctx context.Context, c *http.Client, address, resource string) {
	version := ""
	for ctx.Err() == nil {
		if err := w.stream(ctx, c, address, resource, &version); err != nil && ctx.Err() == nil {
			w.mu.Lock()
			w.err = fmt.Errorf("watching %s: %w", resource, err)
			w.mu.Unlock()
			return
		}
	}
}

// stream reads one watch to its end. It goes on where the last one ended.
func (w *watcher) stream(ctx context.Context, c *http.Client, address, resource string, version *string) error {
	query := url.Values{"watch": {"true"}, "allowWatchBookmarks": {"true"}}
	if *version != "" {
		query.Set("resourceVersion", *version)
	}
	separator := "?"
	if strings.Contains(address, separator) {
		separator = "&"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+separator+query.Encode(), http.NoBody)
	if err != nil {
		return err
	}
	response, err := c.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", response.Status)
	}
	events := json.NewDecoder(response.Body)
	for {
		var e struct {
			Type   string
			Object object
		}
		if err := events.Decode(&e); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			return err
		}
		if e.Type == "ERROR" {
			return errors.New("the API server ended the watch with an error")
		}
		*version = e.Object.Metadata.ResourceVersion
		if e.Type != "BOOKMARK" {
			w.note(resource, e.Type, &e.Object, time.Now())
		}
	}
}

func (w *watcher) note(resource, event string, o *object, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := key{resource, o.Metadata.Namespace, o.Metadata.Name}
	if wish := w.wishes[k]; wish != nil && wish.fulfilled(o) {
		delete(w.wishes, k)
		wish.at <- now
	}
	before, awaited := w.objects[k]
	if !awaited {
		return
	}
	done := event != "DELETED" && w.done(resource, o)
	if !done {
		w.last[k] = o.is("Ready")
	}
	if done == before {
		return
	}
	w.objects[k], w.moved = done, now
	if !done {
		w.missing++
		return
	}
	delete(w.last, k)
	if w.missing--; w.missing == 0 {
		w.objects = map[key]bool{} // what becomes of them from now on is not awaited
		close(w.reached)
	}
}

// await starts to wait for objects that do not exist yet.
func (w *watcher) await(keys []key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reached, w.moved = make(chan struct{}), time.Now()
	for _, k := range keys {
		if _, known := w.objects[k]; !known {
			w.objects[k] = false
			w.missing++
		}
	}
}

// converged waits until all objects are as they are to be, and returns when that was. It gives up where nothing became so for
// some time.
func (w *watcher) converged(ctx context.Context, patience time.Duration, progress func(missing int)) (time.Time, error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-w.reached:
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.moved, nil
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		case <-tick.C:
		}
		missing, moved, err := w.state()
		if err != nil {
			return time.Time{}, err
		}
		progress(missing)
		if time.Since(moved) > patience {
			return time.Time{}, fmt.Errorf("%d objects are not as they are to be, and none became so for %v: %s", missing, patience, w.examples())
		}
	}
}

func (w *watcher) state() (missing int, moved time.Time, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.missing, w.moved, w.err
}

// examples names a few objects that are not as they are to be.
func (w *watcher) examples() string {
	const few = 5
	w.mu.Lock()
	defer w.mu.Unlock()
	var texts []string
	for k, done := range w.objects {
		if !done && len(texts) < few {
			texts = append(texts, fmt.Sprintf("%s: Ready %q", k, w.last[k]))
		}
	}
	return strings.Join(texts, "; ")
}

// wish has it told when something is seen of an object.
func (w *watcher) wish(k key, fulfilled func(*object) bool) <-chan time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := make(chan time.Time, 1)
	w.wishes[k] = &wish{fulfilled, at}
	return at
}
