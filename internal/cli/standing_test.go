package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// standings are the ids of the program's answers by standing.
func (e *endpoint) standings() map[store.Standing][]string {
	e.t.Helper()
	all := map[store.Standing][]string{}
	if err := e.store.Export(context.Background(), surgeriesKey, func(r store.Response) error {
		all[r.Standing] = append(all[r.Standing], r.ID)
		return nil
	}); err != nil {
		e.t.Fatal(err)
	}
	return all
}

func (e *endpoint) wantStandings(counted, annulled int) {
	e.t.Helper()
	got := e.standings()
	want := map[string]int{"counted": counted, "annulled": annulled}
	if diff := cmp.Diff(want, map[string]int{"counted": len(got[store.StandingCounted]), "annulled": len(got[store.StandingAnnulled])}); diff != "" {
		e.t.Errorf("(-want +got):\n%s", diff)
	}
	e.counted()
}

func TestAnnulAndReinstate(t *testing.T) {
	e := newEndpointHere(t)
	write(t, "visits.csv", visits)
	e.want("import visits.csv $TO --token-file import-token --mapping mapping.yaml --survey program.yaml", 0, "39 stored")
	const with = " $TO --token-file import-token "

	e.want("annul"+with+"--team chelsea --dry-run", 0, "10 answers would be annulled\n39 answers are kept, and the counts agree with them\n")
	e.wantStandings(39, 0)
	e.want("annul"+with+"--team chelsea", 0, "10 answers annulled\n39 answers are kept")
	e.want("annul"+with+"--team chelsea", 0, "0 answers annulled\n")
	e.wantStandings(29, 10)
	e.want("annul"+with+"--team elsewhere", 0, "0 answers annulled\n")
	e.want("annul"+with+"--from 2023-07-14T00:00:00+01:00 --to 2023-07-15T00:00:00+01:00", 0, "1 answer annulled\n")
	e.want("annul"+with+"--failed honeypot", 0, "0 answers annulled\n")
	e.want("annul"+with+"--touchpoint= --standing counted --dry-run", 0, "28 answers would be annulled\n")
	e.want("reinstate"+with+"--standing annulled --team= ", 0, "0 answers reinstated\n")
	e.want("reinstate"+with+"--all", 0, "11 answers reinstated\n39 answers are kept")
	e.wantStandings(39, 0)

	ids := e.standings()[store.StandingCounted]
	e.want(fmt.Sprintf("annul%s--id %s --id %s", with, ids[0], strings.ToUpper(ids[1])), 0, "2 answers annulled\n")
	write(t, "ids", strings.Join(ids[:20], "\n")+"\n\n 00000000-0000-4000-8000-000000000000 \r\n")
	e.want("annul"+with+"--ids-file ids", 0, "18 answers annulled\n")
	e.wantStandings(19, 20)
	e.want("reinstate"+with+"--ids-file ids --id "+ids[0], 0, "20 answers reinstated\n")

	e.want("annul $TO --token-file read-token --all", 1, "401 Unauthorized")
	e.want("annul"+with+"--failed no-check", 1, "422 Unprocessable Entity")
	e.wantStandings(39, 0)
	e.status.Store(http.StatusServiceUnavailable)
	e.want("annul"+with+"--all", 0, "Trying again in 1s.", "39 answers annulled\n")
}

// More ids than a call takes go in several calls.
func TestAnnulManyIDs(t *testing.T) {
	e := newEndpointHere(t)
	write(t, "visits.csv", strings.Replace(visits, "likely,28", "likely,100", 1))
	e.want("import visits.csv $TO --token-file import-token --mapping mapping.yaml --survey program.yaml", 0, "111 stored")
	ids := e.standings()[store.StandingCounted]
	var many strings.Builder
	many.WriteString(ids[0] + "\n")
	for i := range 25_000 {
		fmt.Fprintf(&many, "00000000-0000-4000-8000-%012d\n", i)
	}
	many.WriteString(strings.Join(ids[50:], "\n"))
	write(t, "ids", many.String())
	e.want("annul $TO --token-file import-token --ids-file ids", 0, "62 answers annulled\n111 answers are kept")
	e.wantStandings(49, 62)
}
