package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// summary is what an import answers.
type summary struct {
	Received int64 `json:"received"`
	Stored   int64 `json:"stored"`
	Repeated int64 `json:"repeated"`
	Rejected int64 `json:"rejected"`
}

// importLimit is how long the import may take; a few seconds are usual.
const importLimit = 5 * time.Minute

// importAnswers sends the whole table in one request, as a customer's own script would, and returns its counts.
func (d *demo) importAnswers(ctx context.Context, survey string) ([]count, error) {
	counts, err := readTable()
	if err != nil {
		return nil, err
	}
	source, err := d.answers(ctx, counts)
	if err != nil {
		return nil, err
	}
	token, err := d.importToken(ctx)
	if err != nil {
		return nil, err
	}
	all := total(counts)
	d.say.step("Importing %d answers of passengers through the endpoint's API", all)
	bar := d.say.progress(all)
	got, err := post(ctx, survey+importPath, token, source, bar.add)
	bar.end()
	if err != nil {
		return nil, errors.Join(context.Cause(ctx), err)
	}
	d.say.step("Received %d, stored %d, repeated %d, rejected %d", got.Received, got.Stored, got.Repeated, got.Rejected)
	if want := (summary{Received: all, Stored: all}); got != want {
		return nil, fmt.Errorf("the import should have stored all of %d answers", all)
	}
	return counts, nil
}

func readTable() ([]count, error) {
	const name = "hack/demo/data/sfo-2017-counts.csv"
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading the airport's answers: %w", err)
	}
	defer file.Close()
	counts, err := readCounts(file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return counts, nil
}

func (d *demo) answers(ctx context.Context, counts []count) (answers, error) {
	var touchpoints v1alpha1.TouchpointList
	if err := d.list(ctx, &touchpoints); err != nil {
		return answers{}, err
	}
	var p v1alpha1.SurveyProgram
	if err := d.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: program}, &p); err != nil {
		return answers{}, fmt.Errorf("reading the program: %w", err)
	}
	location, err := time.LoadLocation(p.Spec.TimeZone)
	if err != nil {
		return answers{}, fmt.Errorf("finding the airport's time zone: %w", err)
	}
	return answers{counts: counts, touchpoints: servedBy(touchpoints.Items), today: d.say.now(), location: location}, nil
}

// importToken reads the token that the operator made for imports into the program.
func (d *demo) importToken(ctx context.Context) (string, error) {
	var secret corev1.Secret
	if err := d.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: program + "-tokens"}, &secret); err != nil {
		return "", fmt.Errorf("reading the import token: %w", err)
	}
	token := string(secret.Data["import"])
	if token == "" {
		return "", fmt.Errorf("secret %s has no key import", secret.Name)
	}
	return token, nil
}

// post streams the answers into one request and returns the summary. taken is called with the number of answers that went
// out.
func post(ctx context.Context, address, token string, source answers, taken func(int64)) (summary, error) {
	ctx, cancel := context.WithTimeout(ctx, importLimit)
	defer cancel()
	body, lines := io.Pipe()
	go func() { lines.CloseWithError(source.writeTo(lines)) }()
	defer body.Close() // ends the writer where the server took less than all
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, countLines{body, taken})
	if err != nil {
		return summary{}, fmt.Errorf("importing: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/x-ndjson")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return summary{}, fmt.Errorf("importing: %w", err)
	}
	defer response.Body.Close()
	return readSummary(response)
}

func readSummary(response *http.Response) (summary, error) {
	const most = 1 << 20
	content, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return summary{}, fmt.Errorf("reading the import's summary: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return summary{}, fmt.Errorf("importing: the endpoint answered %s: %s", response.Status, firstLines(string(content)))
	}
	var got summary
	if err := json.Unmarshal(content, &got); err != nil {
		return summary{}, fmt.Errorf("reading the import's summary: %w", err)
	}
	if got.Rejected > 0 {
		return got, fmt.Errorf("importing: %d answers were rejected: %s", got.Rejected, firstLines(string(content)))
	}
	return got, nil
}

// firstLines cuts a long message short.
func firstLines(text string) string {
	const most = 2000
	text = strings.TrimSpace(text)
	if len(text) > most {
		return text[:most] + " ..."
	}
	return text
}
