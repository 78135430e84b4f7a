package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
	"github.com/cx-operator/cx-operator/internal/transfer"
)

const surgeries = `apiVersion: cx-operator.io/v1alpha1
kind: SurveyProgram
metadata: {name: friends-and-family, namespace: nhs}
spec:
  displayName: Friends and family test
  purpose: Know whether people would come again.
  executiveSponsor: {displayName: Practice manager}
  storeRef: {name: answers}
  survey:
    defaultLanguage: en
    title: {en: Your visit}
    questions:
    - {name: experience, type: CSAT, text: {en: "How likely are you to recommend our practice?"}}
    - {name: comment, type: Text, text: {en: "What should we know?"}}
---
apiVersion: v1
kind: List
items:
- apiVersion: cx-operator.io/v1alpha1
  kind: Team
  metadata: {name: earls-court}
  spec: {displayName: Earls Court Surgery, level: Location}
- apiVersion: cx-operator.io/v1alpha1
  kind: Team
  metadata: {name: chelsea}
  spec: {displayName: The Chelsea Practice, level: Location}
`

const surgeriesMapping = `version: 1
source: gp-fft
submittedAt: {column: date, timeZone: Europe/London}
count: {column: count}
team: {column: surgery}
questions:
  experience:
    column: rating
    values: {Extremely likely: 5, Likely: 4, Neither likely nor unlikely: 3, Unlikely: 2, Extremely unlikely: 1}
    noAnswer: ["Don't know"]
`

var surgeriesKey = store.Key{Namespace: "nhs", Name: "friends-and-family"}

// endpoint is a real endpoint over a real store, in a folder with the program's files.
type endpoint struct {
	t      *testing.T
	store  store.Store
	path   string
	url    string
	status atomic.Int32 // what the next requests get instead; 0 is nothing
	failed atomic.Int32 // how many did
}

func newEndpointHere(t *testing.T) *endpoint {
	t.Helper()
	t.Chdir(t.TempDir())
	write(t, "program.yaml", surgeries)
	write(t, "mapping.yaml", surgeriesMapping)
	write(t, "import-token", "import-secret\n")
	write(t, "read-token", "read-secret\n")
	e := &endpoint{t: t, path: filepath.Join(t.TempDir(), "answers.sqlite")}
	s, err := sqlite.Open(t.Context(), e.path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // some tests close it themselves
	e.store = s
	compiled, err := transfer.ReadSurvey([]string{"program.yaml"}, surgeriesKey, nil)
	if err != nil {
		t.Fatal(err)
	}
	registry := intake.NewRegistry()
	registry.Set(surgeriesKey, intake.Program{Survey: compiled, Store: s, Tokens: intake.Tokens{Import: "import-secret", Read: "read-secret"}})
	server, err := intake.New(registry, intake.Config{Clock: time.Now, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := e.status.Swap(0); status != 0 {
			e.failed.Add(1)
			w.WriteHeader(int(status))
			return
		}
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	e.url = front.URL
	return e
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// command runs a command line; what is in it of the endpoint is filled in.
func (e *endpoint) command(line string) (code int, out, errOut string) {
	e.t.Helper()
	line = strings.NewReplacer("$TO", "--program nhs/friends-and-family --url "+e.url).Replace(line)
	var stdout, stderr bytes.Buffer
	code = Main(e.t.Context(), strings.Fields(line), strings.NewReader("date,surgery,rating,count\n2023-07-20,The Chelsea Practice,Likely,2\n"), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func (e *endpoint) want(line string, code int, says ...string) {
	e.t.Helper()
	got, out, errOut := e.command(line)
	if got != code {
		e.t.Errorf("%s: exit code %d, want %d\n%s%s", line, got, code, out, errOut)
	}
	for _, s := range says {
		if !strings.Contains(out+errOut, s) {
			e.t.Errorf("%s does not say %q:\n%s%s", line, s, out, errOut)
		}
	}
}

// counted returns the program's answers by team and value, after a check that the counts are right.
func (e *endpoint) counted() map[string]int {
	e.t.Helper()
	got := map[string]int{}
	if err := e.store.Export(context.Background(), surgeriesKey, func(r store.Response) error {
		got[r.Unit+" "+r.Answers[0].Values[0]]++
		return nil
	}); err != nil {
		e.t.Fatal(err)
	}
	check, err := e.store.Recount(context.Background(), surgeriesKey)
	if err != nil || len(check.Differences) > 0 {
		e.t.Errorf("recount: %+v, %v", check, err)
	}
	return got
}

const visits = `date,surgery,rating,count
2023-07-13,Earls Court Surgery,Extremely likely,28
2023-07-13,The Chelsea Practice,Likely,10
2023-07-14,Earls Court Surgery,Don't know,3
2023-07-14,Earls Court Surgery,Extremely unlikely,1
`

func TestImport(t *testing.T) {
	e := newEndpointHere(t)
	write(t, "visits.csv", visits)
	want := map[string]int{"earls-court 5": 28, "chelsea 4": 10, "earls-court 1": 1}
	e.want("import visits.csv --program nhs/friends-and-family --mapping mapping.yaml --survey program.yaml --dry-run", 0,
		"4 rows: 3 accepted, 0 rejected, 1 skipped (1 no answer); 39 answers\n")
	if len(e.counted()) > 0 {
		t.Fatal("a dry run stores answers")
	}
	e.want("import visits.csv $TO --token-file import-token --mapping mapping.yaml --survey program.yaml", 0,
		"39 answers\nthe endpoint: 39 stored, 0 there before, 0 rejected\n")
	if diff := cmp.Diff(want, e.counted()); diff != "" {
		t.Error(diff)
	}
	// The same file twice changes nothing, also in one call with a later one, which counts more.
	write(t, "later.csv", strings.Replace(visits, "likely,28", "likely,30", 1))
	e.want("import visits.csv later.csv $TO --token-file import-token --mapping mapping.yaml --survey program.yaml", 0,
		"80 answers\nthe endpoint: 2 stored, 78 there before, 0 rejected\n")
	want["earls-court 5"] = 30
	if diff := cmp.Diff(want, e.counted()); diff != "" {
		t.Error(diff)
	}
	e.want("import - $TO --token-file import-token --mapping mapping.yaml --survey program.yaml", 0, "the endpoint: 2 stored")
}

// What is wrong is told by line, whether it is found here or by the endpoint, and what is right goes through.
func TestImportProblems(t *testing.T) {
	e := newEndpointHere(t)
	write(t, "visits.csv", visits+"2023-07-15,Elsewhere,Likely,1\n2023-07-15,The Chelsea Practice,Liky,1\n15/07/2023,The Chelsea Practice,Likely,1\n")
	const elsewhere = `visits.csv:6: column "surgery": there is no such team; leave it out if the answer speaks of none; there are chelsea, earls-court`
	label := `visits.csv:7: column "rating": "Liky" is not known, allowed are "Extremely likely",`
	date := `visits.csv:8: column "date": "15/07/2023" is not a time as the formats say: rfc3339, yyyy-MM-dd HH:mm:ss`
	e.want("import visits.csv --program nhs/friends-and-family --mapping mapping.yaml --survey program.yaml --dry-run", 1, elsewhere, label, date, "3 rejected")
	// Without the manifests, the endpoint finds the unknown teams: all of them, which are called by other names here.
	write(t, "typed.yaml", strings.Replace(surgeriesMapping, "    column: rating\n", "    column: rating\n    type: Scale\n", 1))
	e.want("import visits.csv $TO --token-file import-token --mapping typed.yaml", 1, label,
		"visits.csv:2: the endpoint refused it: /team: there is no such team", "the endpoint: 0 stored, 0 there before, 40 rejected")
	code, out, _ := e.command("import visits.csv $TO --token-file import-token --mapping mapping.yaml --survey program.yaml -o json")
	var got struct {
		Rows     map[string]int
		Problems []struct {
			Line   int
			Column string
		}
		Server struct{ Stored int }
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 || got.Server.Stored != 39 || len(got.Problems) != 3 ||
		got.Problems[2].Column != "date" || got.Rows["accepted"] != 3 {
		t.Errorf("%d %v %+v", code, err, got)
	}
	// A mapping that was changed makes other answers of the same rows: told, and not doubled.
	before := e.counted()
	write(t, "changed.yaml", strings.Replace(surgeriesMapping, "Likely: 4", "Likely: 3", 1))
	write(t, "visits.csv", visits)
	e.want("import visits.csv $TO --token-file import-token --mapping changed.yaml --survey program.yaml", 1,
		"visits.csv:3: the endpoint refused it: /id", "29 there before, 10 rejected")
	if diff := cmp.Diff(before, e.counted()); diff != "" {
		t.Error(diff)
	}
}

func TestImportCommandLine(t *testing.T) {
	e := newEndpointHere(t)
	write(t, "visits.csv", visits)
	write(t, "empty", "")
	write(t, "bad.yaml", "version: 1\nsource: s\nquestion: {}\n")
	write(t, "unfit.yaml", strings.Replace(surgeriesMapping, "column: rating", "column: Rating?", 1))
	const dry = "import visits.csv --program nhs/friends-and-family --survey program.yaml --dry-run "
	for line, says := range map[string]string{
		"import visits.csv": `--program "" must be NAMESPACE/NAME`,
		"import visits.csv --program nhs/friends-and-family --dry-run":          "--dry-run needs --survey",
		"import visits.csv --program nhs/friends-and-family":                    "--url and --token-file are required",
		"import - visits.csv --program a/b --survey program.yaml --dry-run":     "cannot be combined",
		"import visits.csv --program nhs/other --survey program.yaml --dry-run": "there is no SurveyProgram nhs/other",
		"import visits.csv --program nhs/other --survey none.yaml --dry-run":    "no such file",
		"import visits.csv --program nhs/other --survey mapping.yaml --dry-run": "the manifests are not valid: mapping.yaml:1: must have an apiVersion",
		dry + "-o xml":       "write text or json",
		dry + "--format xls": "allowed are csv, formbricks, limesurvey, typeform, ndjson",
		dry + "--mapping mapping.yaml --format xls":    "is unknown",
		dry + "--mapping mapping.yaml --format ndjson": "takes no mapping",
		dry + "--mapping none.yaml":                    "no such file",
		dry + "--mapping bad.yaml":                     "bad.yaml: line 3: field question not found",
		dry + "--mapping unfit.yaml":                   `questions.experience: there is no column "Rating?"; the file has "date", "surgery", "rating", "count"`,
		dry:                                            "no column is called as a question",
		"import none.csv $TO --token-file import-token --mapping mapping.yaml --survey program.yaml":                                        "none.csv: no such file",
		"import visits.csv $TO --token-file empty --mapping mapping.yaml --survey program.yaml":                                             "the token must not be empty",
		"import visits.csv $TO --token-file none --mapping mapping.yaml --survey program.yaml":                                              "--token-file: open none",
		"import visits.csv --program nhs/friends-and-family --url x --token-file import-token --mapping mapping.yaml --survey program.yaml": "must be http(s)://",
		"export --program x --url a --token-file b":                                                                                         "must be NAMESPACE/NAME",
		"annul":                               `--program "" must be NAMESPACE/NAME`,
		"annul --program a/b --all":           "--url and --token-file are required",
		"annul $TO --token-file import-token": "say which answers: --id,",
		"reinstate $TO --token-file import-token --dry-run":          "say which answers: --id,",
		"annul $TO --token-file import-token --all --team chelsea":   "--all takes no other condition",
		"annul $TO --token-file import-token --standing annulled":    "--standing \"annulled\" is not possible here, write counted or suspect",
		"reinstate $TO --token-file import-token --standing counted": "write suspect or annulled",
		"annul $TO --token-file import-token --from yesterday":       "--from \"yesterday\" must be a time such as 2026-11-20T09:00:00Z",
		"annul $TO --token-file import-token --id 7":                 "\"7\" is no id of an answer, which is a UUID",
		"annul $TO --token-file import-token --ids-file none":        "--ids-file: open none",
		"annul $TO --token-file import-token --ids-file empty":       "--ids-file: empty holds no id",
		"annul $TO --token-file none --all":                          "--token-file: open none",
		"export $TO --token-file read-token --format xls":            "write csv or ndjson",
		"export --program a/b":                                       "--url and --token-file are required",
		"export $TO --token-file read-token --file visits.csv":       "is there already, and is not overwritten",
		"backup --store x": "--store and --to are required",
		"restore --from x": "--from and --store are required",
	} {
		e.want(line, 2, says)
	}
	e.want("import visits.csv $TO --token-file read-token --mapping mapping.yaml --survey program.yaml", 1, "401 Unauthorized: A token is needed")
	if len(e.counted()) > 0 {
		t.Error("something was stored")
	}
}

// An endpoint that is away for a while is waited for.
func TestImportAndExportAgain(t *testing.T) {
	e := newEndpointHere(t)
	write(t, "visits.csv", visits)
	e.status.Store(http.StatusServiceUnavailable)
	e.want("import visits.csv $TO --token-file import-token --mapping mapping.yaml --survey program.yaml", 0, "Trying again in 1s.", "39 stored")
	e.status.Store(http.StatusBadGateway)
	e.want("export $TO --token-file read-token --file answers.ndjson", 0, "Trying again in 1s.", "39 answers in answers.ndjson")
	if e.failed.Load() != 2 {
		t.Errorf("%d requests failed", e.failed.Load())
	}
}

// What is exported, in either format, can be imported again, and changes nothing.
func TestExport(t *testing.T) {
	e := newEndpointHere(t)
	write(t, "visits.csv", visits)
	e.want("import visits.csv $TO --token-file import-token --mapping mapping.yaml --survey program.yaml", 0)
	before := e.counted()
	for _, format := range []string{"csv", "ndjson"} {
		e.want("export $TO --token-file read-token --format "+format+" --file out."+format, 0, "39 answers in out."+format)
		e.want(fmt.Sprintf("import out.%s $TO --token-file import-token --survey program.yaml --format %[1]s", format), 0, "0 stored, 39 there before, 0 rejected")
	}
	if diff := cmp.Diff(before, e.counted()); diff != "" {
		t.Error(diff)
	}
	code, out, errOut := e.command("export $TO --token-file read-token --format ndjson")
	file, err := os.ReadFile("out.ndjson")
	if err != nil || code != 0 || out != string(file) || errOut != "39 answers\n"+v1alpha1.CoachingText+"\n" {
		t.Errorf("%d %v %s", code, err, errOut)
	}
	e.want("export $TO --token-file import-token --file refused.csv", 1, "401 Unauthorized")
	entries, err := filepath.Glob("*refused*")
	hidden, err2 := filepath.Glob(".*")
	if err != nil || err2 != nil || len(entries)+len(hidden) > 0 {
		t.Errorf("left behind: %v %v", entries, hidden)
	}
}
