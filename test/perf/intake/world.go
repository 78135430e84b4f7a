package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/cx-operator/cx-operator/internal/pki"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

var program = store.Key{Namespace: "city", Name: "services"}

// signToken is the program's token sign.
const signToken = "the sign token of the bench"

// form is a survey of the usual length, at four touchpoints of four teams. Every answer has a recommendation.
func form() *survey.Survey {
	en := func(text string) survey.Texts { return survey.Texts{"en": text} }
	choices := func(names ...string) (all []survey.Choice) {
		for _, name := range names {
			all = append(all, survey.Choice{Name: name, Label: en(name)})
		}
		return all
	}
	return &survey.Survey{
		Program: program, DisplayName: "City services", Asker: "City of Example", DefaultLanguage: "en", Languages: []string{"en"},
		Title: en("How did it go?"), PrivacyNotice: en("Please do not write names."),
		Questions: []survey.Question{
			{Name: "recommend", Type: "NPS", Revision: 1, Required: true, Scale: score.Scale{Min: 0, Max: 10}, Text: en("How likely are you to recommend us?")},
			{Name: "satisfied", Type: "CSAT", Revision: 1, Scale: score.Scale{Min: 1, Max: 5}, Text: en("How satisfied are you?")},
			{Name: "ease", Type: "CES", Revision: 1, Scale: score.Scale{Min: 1, Max: 7}, Text: en("How easy was it?")},
			{Name: "purpose", Type: "SingleChoice", Revision: 1, Text: en("Why did you come?"), Choices: choices("permit", "tax", "passport", "other")},
			{Name: "comment", Type: "Text", Revision: 1, MaxLength: 500, Text: en("What should we know?")},
		},
		Touchpoints: map[string]survey.Touchpoint{
			"counter": {DisplayName: "Counter", Questions: []string{"recommend", "satisfied", "purpose", "comment"}},
			"phone":   {DisplayName: "Telephone", Questions: []string{"recommend", "ease", "comment"}},
			"website": {DisplayName: "Website", Questions: []string{"recommend", "ease", "purpose", "comment"}},
			"letter":  {DisplayName: "Letter", Questions: []string{"recommend", "satisfied", "comment"}},
		},
		Units:         map[string]string{"north": "North", "south": "South", "east": "East", "west": "West"},
		RetentionDays: 730, MinimumCell: 5, Hash: "bench",
	}
}

// world is what all endpoints have: the program's files, the command and somebody who trusts its certificate.
type world struct {
	dir    string
	binary string
	// env has this program itself be the command, under a profile; nil for the command.
	env    []string
	client *http.Client
	started
}

// started counts what was started, for names.
type started struct{ n int }

func (s *started) next() int { s.n++; return s.n }

// build builds the command of this checkout.
func build(ctx context.Context, into string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", into, "github.com/cx-operator/cx-operator")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the command: %w\n%s", err, out)
	}
	return nil
}

// newWorld writes the program's files into dir. The command is built there, too, unless there is one already.
func newWorld(ctx context.Context, dir, command string) (*world, error) {
	w := &world{dir: dir, binary: command}
	if command == "" {
		w.binary = filepath.Join(dir, "cx-operator")
		if err := build(ctx, w.binary); err != nil {
			return nil, err
		}
	}
	authority, err := pki.NewAuthority(rand.Reader, time.Now())
	if err != nil {
		return nil, err
	}
	leaf, err := authority.Issue(rand.Reader, time.Now(), []string{"localhost"})
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.Certificate)
	w.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}, Timeout: time.Minute}
	compiled, err := json.Marshal(form())
	if err != nil {
		return nil, err
	}
	files := map[string]string{
		"survey.json": string(compiled), "tls/tls.crt": string(leaf.Certificate), "tls/tls.key": string(leaf.Key),
		"tokens/sign": signToken, "tokens/internal": "i", "tokens/import": "m", "tokens/read": "r", "keys/contacts": "k",
	}
	for name, content := range files {
		if err := w.write(name, content); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *world) write(name, content string) error {
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o600)
}

// endpoint is a process of the command.
type endpoint struct {
	process
	operations string
	// page is how long after its start the process showed a page, ready how long until it took answers.
	page, ready time.Duration
}

// startWithin bounds how long a start may take on a busy machine.
const startWithin = time.Minute

// start starts an endpoint on the store that the flags name, and returns once it takes answers.
func (w *world) start(ctx context.Context, storeFlags ...string) (*endpoint, error) {
	e := &endpoint{}
	var err error
	if e.address, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	if e.operations, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	args := append([]string{
		"endpoint", "--program", program.String(), "--store", "city/answers", "--survey", filepath.Join(w.dir, "survey.json"),
		"--tokens-dir", filepath.Join(w.dir, "tokens"), "--keys-dir", filepath.Join(w.dir, "keys"), "--tls-dir", filepath.Join(w.dir, "tls"),
		"--public-url", "http://survey.test", "--intake-bind-address", e.address, "--operations-bind-address", e.operations,
		"--rate-per-minute", "-1", "--drain", "0s",
	}, storeFlags...)
	command := w.binary
	if len(w.env) > 0 {
		if command, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(command, args...)
	cmd.Env = append(os.Environ(), w.env...)
	if err := e.launch(cmd); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(e.operations)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if err := w.await(ctx, "http://"+e.address+"/s/"+program.String()+"/counter"); err != nil {
		return nil, errors.Join(fmt.Errorf("the endpoint shows no page: %w\n%s", err, e.said.Bytes()), e.stop())
	}
	e.page = time.Since(begun)
	if err := w.await(ctx, "https://localhost:"+port+"/readyz"); err != nil {
		return nil, errors.Join(fmt.Errorf("the endpoint is not ready: %w\n%s", err, e.said.Bytes()), e.stop())
	}
	e.ready = time.Since(begun)
	return e, nil
}

// startAll starts so many endpoints on one store.
func (w *world) startAll(ctx context.Context, n int, storeFlags ...string) (all []*endpoint, err error) {
	for range n {
		e, err := w.start(ctx, storeFlags...)
		if err != nil {
			return nil, errors.Join(err, stopAll(all))
		}
		all = append(all, e)
	}
	return all, nil
}

func stopAll(all []*endpoint) error {
	var errs []error
	for _, e := range all {
		errs = append(errs, e.stop())
	}
	return errors.Join(errs...)
}

// await asks for an address, a thousand times a second, until it answers with 200.
func (w *world) await(ctx context.Context, url string) error {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for {
		err := w.get(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

func (w *world) get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := w.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// addresses of endpoints, where answers go.
func addresses(all []*endpoint) (list []string) {
	for _, e := range all {
		list = append(list, e.address)
	}
	return list
}

// lastLines of what a process said.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}
