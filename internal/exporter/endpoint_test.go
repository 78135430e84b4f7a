package exporter

import (
	"slices"
	"testing"
)

func TestEndpoint(t *testing.T) {
	for name, c := range map[string]struct {
		readable *bool
		want     []string
	}{
		"not tried yet": {nil, nil},
		"read":          {new(true), []string{`cx_endpoint_readable{namespace="sfo",program="visits"} 1`}},
		"away":          {new(false), []string{`cx_endpoint_readable{namespace="sfo",program="visits"} 0`}},
	} {
		t.Run(name, func(t *testing.T) {
			e, mine := New(), &Endpoint{"sfo", "visits", 3, 2, c.readable}
			e.Set(Source{Kind: "SurveyProgram", Namespace: "sfo", Name: "visits"}, Series{Endpoint: mine})
			mine.Replicas = 99 // the caller's own
			if mine.Readable != nil {
				*mine.Readable = !*mine.Readable
			}
			text := scrape(t, e)
			if got := lines(text, "cx_endpoint_readable", ""); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			for _, line := range []string{`cx_endpoint_replicas{namespace="sfo",program="visits"} 3`, `cx_endpoint_ready_replicas{namespace="sfo",program="visits"} 2`} {
				if !slices.Contains(slices.Concat(lines(text, "cx_endpoint_replicas", ""), lines(text, "cx_endpoint_ready_replicas", "")), line) {
					t.Errorf("no %s in\n%s", line, text)
				}
			}
		})
	}
}
