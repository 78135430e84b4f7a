package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"

	"github.com/cx-operator/cx-operator/internal/intake"
)

// asBare in the environment has a process be a bare handler.
const asBare = "CX_OPERATOR_PERF_BARE"

// bareMain does the work of a process that startBare has started, and ends it; in any other process it returns.
func bareMain() {
	if os.Getenv(asBare) == "" {
		return
	}
	if err := serveBare(); err != nil {
		fmt.Fprintln(os.Stderr, "bare handler:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serveBare serves until its standard input ends.
func serveBare() error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := intake.HTTPServer("", http.HandlerFunc(answerBare))
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	if _, err := fmt.Fprintln(os.Stdout, l.Addr()); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	if err := errors.Join(server.Close(), <-failed); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// bareBody bounds what is read, as intake bounds it.
const bareBody = 64 << 10

// answerBare reads and parses what intake would, and answers 201.
func answerBare(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bareBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	id, err := parseBare(r.Header.Get("Content-Type"), body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]string{"id": id}) // a client that has gone cannot be told
}

func parseBare(mediaType string, body []byte) (id string, err error) {
	if strings.HasPrefix(mediaType, "application/x-www-form-urlencoded") {
		values, err := url.ParseQuery(string(body))
		return values.Get("_id"), err
	}
	var submission struct {
		ID         string         `json:"id"`
		Touchpoint string         `json:"touchpoint"`
		Team       string         `json:"team"`
		Language   string         `json:"language"`
		Answers    map[string]any `json:"answers"`
	}
	err = json.Unmarshal(body, &submission)
	return submission.ID, err
}

// bare is a process with a bare handler.
type bare struct {
	process
	in io.Closer
}

func startBare() (*bare, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b := &bare{}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), asBare+"=1")
	if b.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := b.launchReading(cmd, out); err != nil {
		return nil, err
	}
	return b, nil
}

// launchReading starts the process, whose first line is its address.
func (b *bare) launchReading(cmd *exec.Cmd, out io.Reader) error {
	b.said, b.ended, b.cmd = &output{}, make(chan error, 1), cmd
	cmd.Stderr = b.said
	if err := cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	go func() { b.ended <- cmd.Wait() }()
	if err != nil {
		return errors.Join(fmt.Errorf("the bare handler does not serve: %w\n%s", err, b.said.Bytes()), b.stop())
	}
	b.address = strings.TrimSpace(line)
	return nil
}

func (b *bare) stop() error {
	if err := b.in.Close(); err != nil {
		return err
	}
	return <-b.ended
}

// startBares starts so many, and returns their addresses and what ends them.
func startBares(n int) (list []string, stop func() error, err error) {
	var all []*bare
	stop = func() error {
		var errs []error
		for _, b := range all {
			errs = append(errs, b.stop())
		}
		return errors.Join(errs...)
	}
	for range n {
		b, err := startBare()
		if err != nil {
			return nil, nil, errors.Join(err, stop())
		}
		all = append(all, b)
		list = append(list, b.address)
	}
	return list, stop, nil
}
