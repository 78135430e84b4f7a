package remote

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestStanding(t *testing.T) {
	empty, team := "", "area-g"
	var got string
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = fmt.Sprint(r.Method, " ", r.URL.Path[strings.LastIndex(r.URL.Path, "/"):], " ", r.Header.Get("Authorization"), " ", r.Header.Get("Content-Type"), " ", string(body))
		_, _ = io.WriteString(w, `{"changed":3,"dryRun":true,"recount":{"responses":9,"differences":["a differs"]}}`)
	})
	changed, err := c.Annul(t.Context(), Selection{
		IDs: []string{"a", "b"}, From: "2026-11-20T00:00:00Z", To: "2026-11-21T00:00:00Z", Touchpoint: &empty, Team: &team,
		Failed: "time", Standing: "suspect", DryRun: true,
	})
	if err != nil || changed.Changed != 3 || !changed.DryRun || changed.Recount.Responses != 9 || len(changed.Recount.Differences) != 1 {
		t.Errorf("%+v, %v", changed, err)
	}
	const sent = `POST /responses:annul Bearer secret application/json {"ids":["a","b"],"from":"2026-11-20T00:00:00Z","to":"2026-11-21T00:00:00Z",` +
		`"touchpoint":"","team":"area-g","failed":"time","standing":"suspect","dryRun":true}`
	if got != sent {
		t.Errorf("sent %s, want %s", got, sent)
	}
	if _, err := c.Reinstate(t.Context(), Selection{All: true}); err != nil || got != `POST /responses:reinstate Bearer secret application/json {"all":true}` {
		t.Errorf("sent %s, %v", got, err)
	}
}

func TestStandingFails(t *testing.T) {
	for name, c := range map[string]struct {
		handle    http.HandlerFunc
		temporary bool
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, false},
		"away":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, true},
		"no JSON": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, false},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = io.WriteString(w, `{"changed":`)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client(t, c.handle).Annul(t.Context(), Selection{All: true})
			if _, again := Temporary(err); err == nil || again != c.temporary {
				t.Errorf("%v, temporary: %v", err, again)
			}
			if status := (&StatusError{}); name == "refused" && (!errors.As(err, &status) || status.Status != http.StatusUnauthorized) {
				t.Errorf("%v", err)
			}
		})
	}
}
