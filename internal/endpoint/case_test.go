package endpoint_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

const caseKey = "the key that seals contacts, 32 bytes or more"

// askContact mounts a survey that asks for a contact at the desk, and the keys for that.
func (w *world) askContact() {
	w.t.Helper()
	s := form()
	s.Contact = &survey.Contact{}
	s.FollowUps = map[string]survey.FollowUp{"desk": {OpenOn: []string{"ContactRequested", "LowScore"}, LowPercent: 25, WithinHours: 48, RetentionDays: 90}}
	data, err := json.Marshal(s)
	must(w.t, err)
	w.mount("survey", map[string]string{"survey.json": string(data)})
	w.mount("keys", map[string]string{"contacts": "k", "cases": caseKey})
}

// complain sends an answer that opens a case, and returns the address that it came with.
func (p *process) complain() (address string, status int, receipt string) {
	id := uuid.NewString()
	address = "ana+" + id[:8] + "@example.org"
	body := fmt.Sprintf(`{"id":%q,"touchpoint":"desk","answers":{"ease":1},"contact":{"address":%q,"consent":true}}`, id, address)
	status, text, _ := p.call(http.MethodPost, "http://"+p.intake+responses, "", body)
	var answer struct{ Receipt string }
	_ = json.Unmarshal([]byte(text), &answer) // of an error there is no receipt
	return address, status, answer.Receipt
}

// contacts asks the endpoint, as the operator does, for all cases and their contacts.
func (p *process) contacts() map[string]store.Case {
	p.t.Helper()
	d, err := p.Desk(visits)
	must(p.t, err)
	all := map[string]store.Case{}
	q := store.CaseQuery{Limit: 50}
	for {
		page, err := d.ListCases(p.t.Context(), visits, q)
		must(p.t, err)
		for _, c := range page.Cases {
			contact, err := d.Contact(p.t.Context(), visits, c.ID)
			must(p.t, err)
			if _, twice := all[contact]; twice {
				p.t.Errorf("two cases of %s", contact)
			}
			all[contact] = c
		}
		if q.After = page.Next; q.After == "" {
			return all
		}
	}
}

// TestKilledBetweenCases: every answer that was acknowledged has its case after a power cut, with its contact; no case is there
// twice, and none without its answer. Nothing of a contact is in the log or in the store's file.
func TestKilledBetweenCases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.askContact()
	p := w.process(w.sqlite()...)
	w.read(p.port(), "internal-1")
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	for round := range 3 {
		p.start()
		l := w.load(func() (int, string, http.Header) {
			address, status, _ := p.complain()
			if status == http.StatusCreated {
				mu.Lock()
				acknowledged[address] = true
				mu.Unlock()
			}
			return status, "", nil
		})
		w.eventually("answers are taken", func() bool { return l.acknowledged.Load() >= 40 })
		p.kill()
		if n := l.stop(); n < 40 {
			t.Fatalf("round %d: %d acknowledged", round, n)
		}
	}
	p.start()
	contacts := p.contacts()
	for address := range acknowledged {
		if c, ok := contacts[address]; !ok || c.State != store.CaseOpen || c.Touchpoint != "desk" {
			t.Errorf("the case of an acknowledged answer is lost: %+v", c)
		}
	}
	if n := p.stored("read-1"); n != int64(len(contacts)) || len(contacts) < len(acknowledged) {
		t.Errorf("%d answers, %d cases, %d acknowledged", n, len(contacts), len(acknowledged))
	}
	if log := p.log.String(); strings.Contains(log, "example.org") || strings.Contains(log, "ana+") || strings.Contains(log, caseKey) {
		t.Errorf("the log tells of contacts: %s", log)
	}
	w.neverInFiles("example.org")
}

// TestCasesOfAnEndpoint: the operator works on the cases that a Dedicated endpoint keeps, over a rotation of its key.
func TestCasesOfAnEndpoint(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]func(*world) []string{
		"SQLite": (*world).sqlite, "PostgreSQL": func(w *world) []string { return w.postgres(database(w.t, server)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.askContact()
			p := w.process(args(w)...).start()
			w.read(p.port(), "internal-1")
			first, status, receipt := p.complain()
			if status != http.StatusCreated {
				t.Fatalf("%d\n%s", status, p.log)
			}
			w.mount("keys", map[string]string{"contacts": "k", "cases": strings.Repeat("n", 43) + "\n" + caseKey})
			w.eventually("the keys are read anew", func() bool { return strings.Contains(p.log.String(), "Tokens have changed") })
			second, _, _ := p.complain()
			cases := p.contacts()
			if len(cases) != 2 || cases[first].ID == "" || cases[second].ID == "" {
				t.Fatalf("%+v", cases)
			}
			d, err := w.Desk(visits)
			must(t, err)
			now := time.Now().UTC()
			changed, err := d.ChangeCase(t.Context(), visits, store.CaseChange{ID: cases[first].ID, Version: 1, State: store.CaseResolved, Note: "done", By: "rosa", At: now})
			if err != nil || changed.State != store.CaseResolved || len(changed.Answers) != 1 {
				t.Errorf("%+v, %v", changed, err)
			}
			if n, err := d.EraseContacts(t.Context(), visits, desk.Erasure{Contact: strings.ToUpper(second)}, now); n != 1 || err != nil {
				t.Errorf("by contact: %d, %v", n, err)
			}
			// The page that erases answers erases the contact, too.
			if status, text, _ := p.call(http.MethodGet, "http://"+p.intake+"/s/sfo/visits/erase", "", ""); status != http.StatusOK {
				t.Fatalf("%d %s", status, text)
			}
			request, err := http.NewRequest(http.MethodPost, "http://"+p.intake+"/s/sfo/visits/erase", strings.NewReader("receipt="+receipt))
			must(t, err)
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			answer, err := p.client.Do(request)
			must(t, err)
			must(t, answer.Body.Close())
			for _, c := range cases {
				if contact, err := d.Contact(t.Context(), visits, c.ID); !errors.Is(err, desk.ErrErased) {
					t.Errorf("%q, %v", contact, err)
				}
			}
		})
	}
}

// neverInFiles looks for a text in every file of the world, the store's among them.
func (w *world) neverInFiles(text string) {
	w.t.Helper()
	looked := 0
	must(w.t, filepath.WalkDir(filepath.Join(w.dir, "store"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if looked += len(data); bytes.Contains(data, []byte(text)) {
			w.t.Errorf("%s has %q in clear", filepath.Base(path), text)
		}
		return nil
	}))
	if looked < 4096 {
		w.t.Errorf("only %d bytes were looked at", looked)
	}
}
