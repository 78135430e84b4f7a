package apply

import (
	"context"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/render"
)

// absentFor is how long a kind that the cluster lacks is not asked for again.
const absentFor = 5 * time.Second

// leftovers are what is known of the kinds that a cluster may lack: who has objects of them, and which of them it does lack. To ask
// for each owner would be a request each time. The zero value is ready.
type leftovers struct {
	// looking is held by who looks for the first time.
	looking sync.Mutex

	mu     sync.Mutex
	owners map[string]map[types.UID]bool
	looked map[string]bool
	absent map[string]time.Time
}

// lacks says that the cluster was found to lack a kind a moment ago.
func (l *leftovers) lacks(kind string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.absent[kind]
	return ok && time.Since(at) < absentFor //nolint:forbidigo // a cache lags by the machine's clock, whatever time it is for what is reconciled
}

func (l *leftovers) noteAbsent(kind string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.absent == nil {
		l.absent = map[string]time.Time{}
	}
	l.absent[kind] = time.Now() //nolint:forbidigo // a cache lags by the machine's clock, whatever time it is for what is reconciled
}

// note remembers that an owner has an object of a kind.
func (l *leftovers) note(kind string, owner types.UID) {
	if _, ok := optional()[kind]; !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.absent, kind)
	if l.owners == nil {
		l.owners = map[string]map[types.UID]bool{}
	}
	if l.owners[kind] == nil {
		l.owners[kind] = map[types.UID]bool{}
	}
	l.owners[kind][owner] = true
}

func (l *leftovers) clear(kind string, owner types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.owners[kind], owner)
}

func (l *leftovers) known(kind string, owner types.UID) (has, looked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.owners[kind][owner], l.looked[kind]
}

func (l *leftovers) noteLooked(kind string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.looked == nil {
		l.looked = map[string]bool{}
	}
	l.looked[kind] = true
}

// hasLeft says whether an owner has an object of a kind: one that this process made, or that was there when it first looked, by one
// request for all owners.
func (a *Applier) hasLeft(ctx context.Context, object render.Object, owner types.UID) (bool, error) {
	gvk, err := a.Client.GroupVersionKindFor(object)
	if err != nil {
		return false, err
	}
	if has, looked := a.leftovers.known(gvk.Kind, owner); has || looked {
		return has, nil
	}
	a.leftovers.looking.Lock()
	defer a.leftovers.looking.Unlock()
	if has, looked := a.leftovers.known(gvk.Kind, owner); has || looked {
		return has, nil
	}
	for _, namespace := range a.namespaces() {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(gvk)
		err := a.reader().List(ctx, list, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue})
		if isAbsent(err) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("look for what is wanted no longer (%s): %w", gvk.Kind, err)
		}
		for i := range list.Items {
			if controller := metav1.GetControllerOf(&list.Items[i]); controller != nil {
				a.leftovers.note(gvk.Kind, controller.UID)
			}
		}
	}
	a.leftovers.noteLooked(gvk.Kind)
	has, _ := a.leftovers.known(gvk.Kind, owner)
	return has, nil
}

func (a *Applier) namespaces() []string {
	if len(a.Namespaces) == 0 {
		return []string{metav1.NamespaceAll}
	}
	return a.Namespaces
}

func (a *Applier) reader() client.Reader {
	if a.Reader == nil {
		return a.Client
	}
	return a.Reader
}
