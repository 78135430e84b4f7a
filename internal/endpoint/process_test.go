package endpoint_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"go.uber.org/goleak"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cx-operator/cx-operator/internal/cli"
	"github.com/cx-operator/cx-operator/internal/fleet"
	"github.com/cx-operator/cx-operator/internal/pki"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

// asCommand lets this test's binary be the cx-operator command, so that a test can run it as a process and kill it.
const asCommand = "CX_OPERATOR_TEST_AS_COMMAND"

// server is the PostgreSQL server of most tests.
var server *pgtest.Server

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(cli.Main(ctrl.SetupSignalHandler(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(pgtest.Main(pgtest.Options{}, func(s *pgtest.Server) int {
		server = s
		keeper := goleak.IgnoreCurrent() // the server's lives as long as the server
		code := m.Run()
		if err := goleak.Find(keeper); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return code
	}))
}

// patience is longer than anything takes that works.
const patience = 60 * time.Second

const scrape = "the fleet's scrape token"

var visits = store.Key{Namespace: "sfo", Name: "visits"}

// world is what is mounted beside the processes of one program, and who reads their counts.
type world struct {
	t         *testing.T
	dir       string
	authority pki.Pair
	// client trusts the authority.
	client *http.Client
	*fleet.Fleet
	book *rollup.Book

	mu      sync.Mutex
	address string // of the operations port that the fleet reads
	changed int    // counts what was mounted
}

func newWorld(t *testing.T) *world {
	t.Helper()
	authority, err := pki.NewAuthority(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.Certificate)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	w := &world{t: t, dir: t.TempDir(), authority: authority, client: &http.Client{Transport: transport, Timeout: patience}}
	data, err := json.Marshal(form())
	if err != nil {
		t.Fatal(err)
	}
	w.mount("survey", map[string]string{"survey.json": string(data)})
	w.mount("tokens", tokens("1"))
	w.mount("keys", map[string]string{"contacts": "k"})
	w.certify("localhost")
	w.follow()
	return w
}

func form() *survey.Survey {
	return &survey.Survey{
		Program: visits, DisplayName: "Visits", DefaultLanguage: "en", Languages: []string{"en"}, Title: survey.Texts{"en": "Your visit"},
		Questions: []survey.Question{{
			Name: "ease", Type: "CES", Revision: 1, Text: survey.Texts{"en": "How easy was it?"}, Scale: score.Scale{Min: 1, Max: 7},
		}},
		Touchpoints:   map[string]survey.Touchpoint{"desk": {DisplayName: "Desk", Questions: []string{"ease"}}},
		RetentionDays: 30, MinimumCell: 5, Hash: "hash",
	}
}

func tokens(generation string) map[string]string {
	all := map[string]string{}
	for _, name := range []string{"import", "read", "internal", "sign"} {
		all[name] = name + "-" + generation
	}
	return all
}

// mount replaces the files of a folder as the kubelet does: all at once, by a link.
func (w *world) mount(name string, files map[string]string) {
	w.t.Helper()
	dir := filepath.Join(w.dir, name)
	w.changed++
	version := fmt.Sprintf("..%d", w.changed)
	must(w.t, os.MkdirAll(filepath.Join(dir, version), 0o700))
	for file, content := range files {
		must(w.t, os.WriteFile(filepath.Join(dir, version, file), []byte(content), 0o600))
		if link := filepath.Join(dir, file); !exists(link) {
			must(w.t, os.Symlink(filepath.Join("..data", file), link))
		}
	}
	must(w.t, os.Symlink(version, filepath.Join(dir, "..new")))
	must(w.t, os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data")))
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// certify mounts a new certificate.
func (w *world) certify(names ...string) {
	w.t.Helper()
	leaf, err := w.authority.Issue(rand.Reader, time.Now(), names)
	must(w.t, err)
	w.mount("tls", map[string]string{"tls.crt": string(leaf.Certificate), "tls.key": string(leaf.Key)})
}

// follow runs a fleet that reads the program's counts.
func (w *world) follow() {
	w.book = rollup.NewBook()
	w.Fleet = fleet.New(fleet.Options{
		Book: w.book, Clock: time.Now, Log: logr.Discard(), CA: func() []byte { return w.authority.Certificate },
		Address: func(store.Key) string { w.mu.Lock(); defer w.mu.Unlock(); return w.address },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Start(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
}

// read has the fleet read the program at an operations port.
func (w *world) read(address, token string) {
	w.mu.Lock()
	w.address = address
	w.mu.Unlock()
	w.Follow(fleet.Program{Key: visits, Survey: form(), Token: token, URL: "http://survey.test"})
}

// counted is how many answers the fleet knows of.
func (w *world) counted() int64 {
	now := store.HourOf(time.Now())
	return w.book.Window(rollup.Query{
		Source: w.Source(visits), Program: visits, ProgramWide: true, Question: "ease", Revision: 1, From: now - 24, To: now + 1,
	}).Values["7"]
}

func (w *world) eventually(what string, check func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !check() {
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: not in time; %d counted", what, w.counted())
		}
		<-tick.C
	}
}

// process is one endpoint.
type process struct {
	*world
	intake, operations string // host:port
	program            string // the test's own, but for what is built
	args               []string
	env                []string // besides the test's own
	cmd                *exec.Cmd
	ended              chan error
	log                *lockedBuffer
}

// process prepares one with a store by flags.
func (w *world) process(args ...string) *process {
	w.t.Helper()
	p := &process{world: w, intake: freeAddress(w.t), operations: freeAddress(w.t), program: os.Args[0], args: args, log: &lockedBuffer{}}
	w.t.Cleanup(func() {
		if p.cmd != nil {
			p.kill()
		}
		if w.t.Failed() {
			w.t.Logf("the endpoint at %s said:\n%s", p.intake, p.log)
		}
	})
	return p
}

func (w *world) sqlite() []string {
	return []string{"--sqlite-dir", filepath.Join(w.dir, "store")}
}

// postgres mounts a connection URI.
func (w *world) postgres(uri string) []string {
	w.t.Helper()
	w.mount("store", map[string]string{"uri": uri + "\n"})
	return []string{"--postgres-uri-file", filepath.Join(w.dir, "store", "uri"), "--postgres-schema", "cx_sfo_answers"}
}

// launch runs the command.
func (p *process) launch() {
	p.t.Helper()
	hash := sha256.Sum256([]byte(scrape))
	args := append([]string{
		"endpoint", "--program", visits.String(), "--store", "sfo/answers", "--survey", filepath.Join(p.dir, "survey", "survey.json"),
		"--tokens-dir", filepath.Join(p.dir, "tokens"), "--keys-dir", filepath.Join(p.dir, "keys"), "--tls-dir", filepath.Join(p.dir, "tls"),
		"--public-url", "http://survey.test", "--intake-bind-address", p.intake, "--operations-bind-address", p.operations,
		"--rate-per-minute", "-1", "--scrape-token-hash", hex.EncodeToString(hash[:]), "--drain", "0s",
	}, p.args...)
	p.cmd = exec.Command(p.program, args...)
	p.cmd.Env = append(append(os.Environ(), asCommand+"=1"), p.env...)
	p.cmd.Stderr = p.log
	must(p.t, p.cmd.Start())
	p.ended = make(chan error, 1)
	go func(cmd *exec.Cmd, ended chan<- error) { ended <- cmd.Wait() }(p.cmd, p.ended)
}

// start runs the command and waits until it is ready.
func (p *process) start() *process {
	p.t.Helper()
	p.launch()
	p.eventually("the endpoint is ready", func() bool {
		select {
		case err := <-p.ended:
			p.cmd = nil
			p.t.Fatalf("the endpoint ended: %v", err)
		default:
		}
		status, _ := p.operate("/readyz", "")
		return status == http.StatusOK
	})
	return p
}

// port is the operations port's address.
func (p *process) port() string {
	_, number, err := net.SplitHostPort(p.operations)
	must(p.t, err)
	return "https://localhost:" + number
}

// kill ends the process as a power cut does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // one that has ended cannot be killed
	if err := <-p.ended; err == nil {
		p.t.Error("the endpoint had ended before it was killed")
	}
	p.cmd = nil
}

func (p *process) signal() {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
}

// wait returns how the process ended.
func (p *process) wait() error {
	p.t.Helper()
	select {
	case err := <-p.ended:
		p.cmd = nil
		return err
	case <-time.After(patience):
		p.t.Fatal("the endpoint does not end")
		return nil
	}
}

// terminate ends the process in order.
func (p *process) terminate() {
	p.t.Helper()
	p.signal()
	if err := p.wait(); err != nil {
		p.t.Errorf("it ended with %v", err)
	}
}

// operate asks the operations port; the status is 0 where there is no answer.
func (p *process) operate(path, token string) (status int, body string) {
	status, body, _ = p.call(http.MethodGet, p.port()+path, token, "")
	return status, body
}

const responses = "/api/v1/namespaces/sfo/programs/visits/responses"

// call is safe for other goroutines than the test's.
func (p *process) call(method, url, token, body string) (int, string, http.Header) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, err.Error(), nil
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := p.client.Do(r)
	if err != nil {
		return 0, err.Error(), nil
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error(), nil
	}
	return answer.StatusCode, string(text), answer.Header
}

// submit sends an answer of its own and returns the status, 0 where there was no answer.
func (p *process) submit() (int, string, http.Header) {
	body := fmt.Sprintf(`{"id":%q,"touchpoint":"desk","answers":{"ease":7}}`, uuid.NewString())
	return p.call(http.MethodPost, "http://"+p.intake+responses, "", body)
}

func (p *process) mustSubmit(n int) {
	p.t.Helper()
	for range n {
		if status, text, _ := p.submit(); status != http.StatusCreated {
			p.t.Fatalf("%d: %s", status, text)
		}
	}
}

// stored is how many answers the store has, by an export.
func (p *process) stored(readToken string) int64 {
	p.t.Helper()
	status, text, _ := p.call(http.MethodGet, "http://"+p.intake+responses+"?format=ndjson", readToken, "")
	if status != http.StatusOK {
		p.t.Fatalf("export: %d: %s", status, text)
	}
	return int64(strings.Count(text, `"id"`))
}

// load sends answers until it is stopped, and counts those that were acknowledged.
type load struct {
	acknowledged atomic.Int64
	done         chan struct{}
	senders      sync.WaitGroup
}

func (w *world) load(send func() (int, string, http.Header)) *load {
	l := &load{done: make(chan struct{})}
	for range 4 {
		l.senders.Go(func() {
			for {
				select {
				case <-l.done:
					return
				default:
				}
				switch status, _, _ := send(); status {
				case http.StatusCreated:
					l.acknowledged.Add(1)
				case 0:
					pause()
				}
			}
		})
	}
	return l
}

func (l *load) stop() int64 {
	close(l.done)
	l.senders.Wait()
	return l.acknowledged.Load()
}

// pause is between tries of something that is not there.
func pause() { <-time.After(10 * time.Millisecond) }

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, l.Close())
	return l.Addr().String()
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

var databases atomic.Int64

// database makes an empty database and returns where it is.
func database(t *testing.T, s *pgtest.Server) string {
	t.Helper()
	name := fmt.Sprintf("endpoint%d", databases.Add(1))
	out, err := s.Command("createdb", "--host", s.Socket(), "--username", "postgres", name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.Replace(s.DSN(nil), "/postgres?", "/"+name+"?", 1)
}
