package intake

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

func (h *harness) command(name, body string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.post(apiPath+":"+name, mediaJSON, body, "Authorization", "Bearer "+importToken)
}

func TestSelection(t *testing.T) {
	text := func(s string) *string { return &s }
	at := time.Date(2026, time.November, 20, 9, 0, 0, 0, time.UTC)
	for body, want := range map[string]store.Selection{
		`{"all":true}`: {},
		`{"ids":["` + strings.ToUpper(id1) + `","` + id2 + `"]}`:           {IDs: []string{id1, id2}},
		`{"from":"2026-11-20T10:00:00+01:00","to":"2026-11-20T09:00:01Z"}`: {From: at, To: at.Add(time.Second)},
		`{"touchpoint":"","team":"area-a"}`:                                {Touchpoint: text(""), Unit: text("area-a")},
		`{"touchpoint":"gone"}`:                                            {Touchpoint: text("gone")},
		`{"failed":"honeypot","standing":"suspect","ids":[],"all":false}`:  {Failed: "honeypot", Standing: store.StandingSuspect},
		`{"standing":"annulled","touchpoint":null,"dryRun":false}`:         {Standing: store.StandingAnnulled},
	} {
		for name, to := range map[string]store.Standing{"annul": store.StandingAnnulled, "reinstate": store.StandingCounted} {
			h, st := stubHarness(t, testSurvey())
			st.standing = func(got store.Selection, standing store.Standing, dryRun bool) (int64, error) {
				if len(got.IDs) == 0 {
					got.IDs = nil
				}
				if diff := cmp.Diff(want, got); diff != "" || standing != to || dryRun {
					t.Errorf("%s: to %s, dry run %v (-want +got):\n%s", body, standing, dryRun, diff)
				}
				return 7, nil
			}
			w := h.command(name, body)
			wantStatus(t, w, 200)
			if got := strings.TrimSpace(w.Body.String()); got != `{"changed":7,"dryRun":false,"recount":{"responses":0,"differences":[]}}` {
				t.Errorf("answered %s", got)
			}
		}
	}
}

func TestSelectionRefused(t *testing.T) {
	many := `"` + strings.Repeat(id1+`","`, 10_000) + id1 + `"`
	for name, c := range map[string]struct {
		body, reason string
		want         []string
	}{
		"nothing":         {`{}`, "invalid", []string{" required"}},
		"nothing but dry": {`{"dryRun":true,"all":false,"ids":[]}`, "invalid", []string{" required"}},
		"all and some":    {`{"all":true,"team":"area-a"}`, "invalid", []string{"/all conflict"}},
		"no UUID":         {`{"ids":["` + id1 + `","x"]}`, "invalid", []string{"/ids/1 format"}},
		"too many ids":    {`{"ids":[` + many + `]}`, "invalid", []string{"/ids length"}},
		"a day":           {`{"from":"2026-11-20","to":"x"}`, "invalid", []string{"/from format", "/to format"}},
		"the wrong order": {`{"from":"2026-11-20T09:00:00Z","to":"2026-11-20T09:00:00Z"}`, "invalid", []string{"/to range"}},
		"names":           {fmt.Sprintf(`{"touchpoint":%q,"team":%q}`, strings.Repeat("x", 254), strings.Repeat("x", 254)), "invalid", []string{"/touchpoint length", "/team length"}},
		"words":           {`{"failed":"Time","standing":"forged"}`, "invalid", []string{"/failed format", "/standing choice"}},
		"an unknown word": {`{"all":true,"why":"forged"}`, "malformed", nil},
		"ids as a string": {`{"ids":"` + id1 + `"}`, "malformed", nil},
		"all as a string": {`{"all":"true"}`, "malformed", nil},
		"nothing at all":  {``, "malformed", nil},
		"far too much":    {`{"ids":["` + strings.Repeat("x", 1<<20) + `"]}`, "too-large", nil},
	} {
		h, st := stubHarness(t, testSurvey())
		st.standing = func(store.Selection, store.Standing, bool) (int64, error) {
			t.Errorf("%s: the store was called", name)
			return 0, nil
		}
		status := map[string]int{"invalid": 422, "malformed": 400, "too-large": 413}[c.reason]
		var got []string
		for _, e := range checkProblem(t, h.command("annul", c.body), status, c.reason).Errors {
			got = append(got, e.Pointer+" "+e.Code)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	h, st := stubHarness(t, testSurvey())
	for _, token := range []string{"", readToken, signToken} {
		checkProblem(t, h.post(apiPath+":annul", mediaJSON, `{"all":true}`, "Authorization", "Bearer "+token), 401, "unauthorized")
	}
	checkProblem(t, h.post(apiPath+":annul", "text/plain", `{"all":true}`, "Authorization", "Bearer "+importToken), 415, "unsupported")
	checkProblem(t, h.post("/api/v1/namespaces/sfo/programs/gone/responses:annul", mediaJSON, `{"all":true}`), 404, "not-found")
	st.standing = func(store.Selection, store.Standing, bool) (int64, error) { return 3, errors.New("disk full") }
	p := checkProblem(t, h.command("annul", `{"all":true}`), 503, "unavailable")
	if !strings.Contains(p.Detail, "Some responses may have changed") || strings.Contains(p.Detail, "disk") {
		t.Errorf("detail %q", p.Detail)
	}
	h.withStore(nil)
	checkProblem(t, h.command("reinstate", `{"all":true}`), 503, "unavailable")
}
