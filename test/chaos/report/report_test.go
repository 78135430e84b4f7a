package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cx-operator/cx-operator/test/ledger"
)

func rows() []Row {
	r := Row{Fault: "a pod killed", Done: "kill -9", Seen: "nothing", Load: 8, RecoverySeconds: 1.25}
	r.Add(ledger.Result{Sent: 10, Acknowledged: 9, Lost: 2, Duplicated: 1}, ledger.Counts{Unavailable: 3, Unanswered: 4})
	r.Add(ledger.Result{Sent: 5, Acknowledged: 5}, ledger.Counts{Unavailable: 1})
	return []Row{r, {Fault: "none"}}
}

func TestText(t *testing.T) {
	var b strings.Builder
	if err := Text(&b, rows()); err != nil {
		t.Fatal(err)
	}
	want := `FAULT         ANSWERS/S  SENT  ACKNOWLEDGED  FOUND  LOST  DUPLICATED  TRY AGAIN  NO ANSWER  RECOVERY
a pod killed  8          15    14            12     2     1           4          4          1.2 s
none          0          0     0             0      0     0           0          0          0.0 s
{"fault":"a pod killed","sent":15,"acknowledged":14,"lost":2,"duplicated":1,"recoverySeconds":1.25}
{"fault":"none","sent":0,"acknowledged":0,"lost":0,"duplicated":0,"recoverySeconds":0}
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestUpdate(t *testing.T) {
	document := filepath.Join(t.TempDir(), "d.md")
	if err := os.WriteFile(document, []byte("before\n"+begin+"\nold\n| kept | x |\n| none | outdated |\n"+end+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		if err := Update(document, rows()); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	got := string(content)
	if !strings.HasPrefix(got, "before\n"+begin+"\n\n| fault") || !strings.HasSuffix(got, end+"\nafter\n") || strings.Contains(got, "\nold\n") {
		t.Errorf("got\n%s", got)
	}
	if want := "| a pod killed | kill -9 | nothing | 15 | 14 | 12 | 2 | 1 | 4 | 4 | 1.2 s |\n"; strings.Count(got, want) != 1 {
		t.Errorf("without %s:\n%s", want, got)
	}
	if kept, none, pod := strings.Index(got, "| kept | x |\n"), strings.Index(got, "| none |"), strings.Index(got, "| a pod killed |"); kept < 0 || none < kept || pod < none {
		t.Errorf("want the row that was kept, the one that was replaced, the new one:\n%s", got)
	}
	if strings.Contains(got, "outdated") {
		t.Errorf("an old row is left:\n%s", got)
	}
	for _, broken := range []string{"", begin + "\n", end + "\n" + begin + "\n"} {
		if err := os.WriteFile(document, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Update(document, rows()); err == nil || !strings.Contains(err.Error(), "has no lines") {
			t.Errorf("%q: error = %v, want that it has no place for a table", broken, err)
		}
	}
}
