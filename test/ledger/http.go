package ledger

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// post sends an answer once. after is what Retry-After says, 0 where it says nothing.
func (l *Ledger) post(ctx context.Context, client *http.Client, id string, score int) (status int, after time.Duration, err error) {
	body, err := json.Marshal(map[string]any{
		"id": id, "touchpoint": l.options.Touchpoint, "language": "en", "answers": map[string]int{l.options.Question: score},
	})
	if err != nil {
		return 0, 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, responses(l.options.Address, l.options.Program), bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	// Like browsers: a request on a connection that was kept, and that the server closed without a word, is sent again on a new
	// one. An empty list is not sent; it only tells Go's client that this is safe.
	request.Header["Idempotency-Key"] = nil
	response, err := client.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0, 0, fmt.Errorf("reading the answer: %w", err)
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		after = time.Duration(seconds) * time.Second
	}
	return response.StatusCode, after, nil
}

func responses(address, program string) string {
	namespace, name, _ := strings.Cut(program, "/")
	return address + "/api/v1/namespaces/" + namespace + "/programs/" + name + "/responses"
}

// Stored is what a program has stored and counted.
type Stored struct {
	// Scores are those of every stored answer to the question, by id.
	Scores map[string][]int
	// Differences are counts that are not what the stored answers add up to.
	Differences []string
}

// Read asks a program what it has stored, with the tokens that it reads and imports by.
func Read(ctx context.Context, o Options, read, imports string) (Stored, error) {
	stored := Stored{Scores: map[string][]int{}}
	export, err := call(ctx, http.MethodGet, responses(o.Address, o.Program)+"?format=ndjson", read, nil)
	if err != nil {
		return Stored{}, fmt.Errorf("exporting the answers: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(export))
	for lines.Scan() {
		var line struct {
			ID      string
			Answers map[string]json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return Stored{}, fmt.Errorf("reading the exported answers: %w", err)
		}
		score, err := strconv.Atoi(string(line.Answers[o.Question]))
		if err != nil {
			score = 0 // an answer to something else, or nothing that could have been sent
		}
		stored.Scores[line.ID] = append(stored.Scores[line.ID], score)
	}
	if err := lines.Err(); err != nil {
		return Stored{}, fmt.Errorf("reading the exported answers: %w", err)
	}
	recount, err := call(ctx, http.MethodPost, responses(o.Address, o.Program)+":annul", imports, []byte(`{"all":true,"dryRun":true}`))
	if err != nil {
		return Stored{}, fmt.Errorf("counting again: %w", err)
	}
	var counted struct {
		Recount struct{ Differences []string }
	}
	if err := json.Unmarshal(recount, &counted); err != nil {
		return Stored{}, fmt.Errorf("counting again: %w", err)
	}
	stored.Differences = counted.Recount.Differences
	return stored, nil
}

// call makes a request that must be answered by 200. An export that was cut off is an error, by its missing end.
func call(ctx context.Context, method, address, token string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return content, err
}
