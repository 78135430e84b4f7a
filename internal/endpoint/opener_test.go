package endpoint

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/pki"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/upkeep"
)

// named is a store that takes note of when it is closed.
type named struct {
	store.Store
	name string
	log  *journal
}

func (n named) Close() error { n.log.say("closed %s", n.name); return nil }

// journal is what happened, with the seconds at which it did.
type journal struct {
	mu    sync.Mutex
	began time.Time
	lines []string
}

func (j *journal) say(text string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	line := strings.ReplaceAll(text, "%s", "")
	for _, a := range args {
		line += a.(string)
	}
	j.lines = append(j.lines, time.Since(j.began).String()+" "+line)
}

func (j *journal) want(t *testing.T, want ...string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if diff := cmp.Diff(want, j.lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	j.lines = nil
}

// running is an opener in a bubble of synctest: places that begin with "bad" cannot be opened, and "slow" hangs.
func running(t *testing.T) (*opener, *journal, func()) {
	j := &journal{began: time.Now()}
	o := &opener{
		closeAfter: closeAfter,
		open: func(ctx context.Context, place string) (store.Store, error) {
			switch {
			case strings.HasPrefix(place, "bad"):
				return nil, errors.New(place)
			case place == "slow":
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return named{name: place, log: j}, nil
		},
		opened:  func(s store.Store) { j.say("opened %s", s.(named).name) },
		failed:  func(err error) { j.say("failed %s", err.Error()) },
		closing: func(err error) { t.Error(err) },
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); o.run(ctx) }()
	return o, j, func() { cancel(); <-done }
}

func letPass(d time.Duration) { <-time.After(d); synctest.Wait() }

// A store that cannot be opened is tried again after a pause that grows, and another place at once.
func TestOpenerTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, j, stop := running(t)
		letPass(time.Minute)
		j.want(t) // nowhere to open it
		j.began = time.Now()
		o.want("bad")
		letPass(14 * time.Second)
		j.want(t, "0s failed bad", "1s failed bad", "3s failed bad", "7s failed bad", "12s failed bad")
		o.want("one")
		o.want("one")
		letPass(time.Minute)
		j.want(t, "14s opened one")
		stop()
		j.want(t, "1m14s closed one")
	})
}

// The former store serves until the new place is open, and is closed a while later, for requests that have begun with it.
func TestOpenerMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, j, stop := running(t)
		o.want("one")
		letPass(time.Second)
		o.want("bad")
		letPass(time.Second / 2)
		o.want("slow")
		letPass(time.Hour) // an attempt ends after ten minutes, and the next begins
		j.mu.Lock()
		failures := len(j.lines) - 2
		for i, line := range j.lines[2:] {
			if !strings.HasSuffix(line, "failed context deadline exceeded") {
				t.Errorf("line %d: %s", i, line)
			}
		}
		j.lines = j.lines[:2]
		j.mu.Unlock()
		if failures != 5 {
			t.Errorf("%d attempts ended in an hour, want 5", failures)
		}
		j.want(t, "0s opened one", "1s failed bad")
		j.began = time.Now()
		o.want("two") // which ends the attempt under way
		letPass(time.Minute)
		j.want(t, "0s opened two", "30s closed one")
		o.want("three")
		letPass(time.Second)
		stop()
		j.mu.Lock()
		slices.Sort(j.lines) // both are closed at the end, in any order
		j.mu.Unlock()
		j.want(t, "1m0s opened three", "1m1s closed three", "1m1s closed two")
	})
}

// A complaint is made when it is new, and again after it was gone.
func TestComplaints(t *testing.T) {
	var said []string
	c := complaints{log: funcr.New(func(_, args string) { said = append(said, args) }, funcr.Options{})}
	for _, err := range []error{nil, errors.New("a"), errors.New("a"), errors.New("b"), nil, nil, errors.New("b")} {
		c.note("cannot", err)
	}
	c.note("cannot either", errors.New("b"))
	if len(said) != 4 {
		t.Errorf("said %d times: %q", len(said), said)
	}
}

// A certificate whose key is not there yet leaves the former one.
func TestCertificate(t *testing.T) {
	dir := t.TempDir()
	authority, err := pki.NewAuthority(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	issue := func() pki.Pair {
		pair, err := authority.Issue(rand.Reader, time.Now(), []string{"localhost"})
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	put := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := readCertificate(dir); err == nil {
		t.Error("read where there is none")
	}
	first, second := issue(), issue()
	put("tls.crt", first.Certificate)
	put("tls.key", first.Key)
	c, err := readCertificate(dir)
	if err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		pair, err := c.config().GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return string(pair.Certificate[0])
	}
	before := shown()
	put("tls.crt", second.Certificate)
	if err := c.reread(); err == nil || shown() != before {
		t.Errorf("half of a certificate: %v", err)
	}
	put("tls.key", second.Key)
	if err := c.reread(); err != nil || shown() == before {
		t.Errorf("the whole of it: %v", err)
	}
}

func TestReadSecrets(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"import": "i\n", "sign": " s ", "internal": "o"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Every byte counts: links were signed with them where the operator itself served the program.
	want := secrets{tokens: intake.Tokens{Import: "i\n", Sign: " s "}, internal: "o"}
	if got, err := readSecrets(dir, filepath.Join(dir, "gone")); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "read"), make([]byte, maxSecret+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readSecrets(dir, dir); err == nil || !strings.Contains(err.Error(), "read the token read") {
		t.Errorf("a token without end: %v", err)
	}
}

// A PostgreSQL store may be that of other programs, whose rules are not known; that of one file is the program's alone.
func TestTasks(t *testing.T) {
	sv := &survey.Survey{}
	for dir, shared := range map[string]bool{"": true, "/var/lib/cx-operator": false} {
		e := &Endpoint{survey: sv, options: Options{SQLiteDir: dir, Store: store.Key{Namespace: "sfo", Name: "answers"}}}
		want := []upkeep.Task{{Survey: sv, StoreName: "sfo/answers", Shared: shared}}
		if got := e.tasks(); len(got) != 1 || got[0] != want[0] {
			t.Errorf("%+v", got)
		}
	}
}
