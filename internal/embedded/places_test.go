package embedded

import (
	"net/http"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/cx-operator/cx-operator/internal/rollup"
)

// Who subscribed to places hears of the touchpoint that was answered, and of no other.
func TestPlacesOfAnAnswer(t *testing.T) {
	s := start(t, t.TempDir())
	places := s.SubscribePlaces()
	s.open()
	s.serve(form("A"))
	heard(t, places, rollup.Place{Program: visits, All: true, Handed: true}) // it is served for the first time
	s.submit(http.StatusCreated)
	heard(t, places, rollup.Place{Program: visits, Touchpoint: "desk"})
}

// heard waits for a place. What is told of the program as a whole before is passed over: a store that opened may be told of too.
func heard(t *testing.T, places <-chan event.TypedGenericEvent[rollup.Place], want rollup.Place) {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		select {
		case e := <-places:
			if e.Object == want {
				return
			}
			if !e.Object.All {
				t.Fatalf("heard of %+v, want %+v", e.Object, want)
			}
		case <-late:
			t.Fatalf("nobody was told of %+v", want)
		}
	}
}
