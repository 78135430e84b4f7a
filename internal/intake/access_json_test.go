package intake

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/link"
)

func TestLinkInJSON(t *testing.T) {
	good := tokenOf(t, goodLink)
	body := func(token, more string) string {
		return `{"id":"` + id1 + `","invitation":"` + token + `",` + more + `"answers":{"security":4}}`
	}
	for name, c := range linkCases(t) {
		t.Run(name, func(t *testing.T) {
			s := testSurvey()
			s.Access.Signed = !c.open
			h, st := stubHarness(t, s)
			if c.token == "" && c.open {
				wantStatus(t, h.submit(body("", `"touchpoint":"security",`)), 201)
				return
			}
			w := h.submit(body(c.token, ""))
			if c.status == 200 {
				wantStatus(t, w, 201)
				r := st.appended[0]
				if r.Touchpoint != "security" || r.Unit != "area-a" || cmp.Diff([]string{"link"}, r.Passed) != "" || !r.StartedAt.IsZero() {
					t.Errorf("stored %+v", r)
				}
				return
			}
			checkProblem(t, w, c.status, c.reason)
			if len(st.appended) > 0 || h.counted(h.Server.metrics.rejected, "reason", c.reason) != 1 {
				t.Error("stored, or not counted")
			}
		})
	}
	for name, c := range map[string]struct {
		token, more string
		want        []string
	}{
		"the same said":       {good, `"touchpoint":"security","team":"area-a",`, nil},
		"another team":        {good, `"team":"area-g",`, []string{"/team conflict"}},
		"another touchpoint":  {good, `"touchpoint":"x",`, []string{"/touchpoint conflict"}},
		"both":                {good, `"touchpoint":"x","team":"x",`, []string{"/touchpoint conflict", "/team conflict"}},
		"a team of its own":   {tokenOf(t, changed(goodLink, func(l *link.Link) { l.Team = "" })), `"team":"area-a",`, []string{"/team conflict"}},
		"a team that is gone": {tokenOf(t, changed(goodLink, func(l *link.Link) { l.Team = "area-z" })), "", []string{"/team unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := stubHarness(t, signedSurvey())
			w := h.submit(body(c.token, c.more))
			if c.want == nil {
				wantStatus(t, w, 201)
				return
			}
			var got []string
			for _, e := range checkProblem(t, w, 422, "invalid").Errors {
				got = append(got, e.Pointer+" "+e.Code)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
