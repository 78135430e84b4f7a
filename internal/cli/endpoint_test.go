package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/exit"
	"github.com/cx-operator/cx-operator/internal/store"
)

// flags of an endpoint that could start, but for the files.
func endpointFlags(change map[string]string) []string {
	all := map[string]string{
		"--program": "sfo/visits", "--store": "sfo/answers", "--survey": "survey.json", "--tokens-dir": "tokens", "--keys-dir": "keys",
		"--tls-dir": "tls", "--sqlite-dir": "store", "--public-url": "https://survey.test",
	}
	for flag, value := range change {
		all[flag] = value
	}
	args := []string{"endpoint"}
	for flag, value := range all {
		args = append(args, flag+"="+value)
	}
	return args
}

// A wrong flag is named, with what is allowed, and the exit code is 2.
func TestEndpointFlags(t *testing.T) {
	for _, c := range []struct{ flag, value, want string }{
		{"--program", "visits", `--program "visits" must be NAMESPACE/NAME`},
		{"--program", "", "--program"},
		{"--store", "sfo/", `--store "sfo/" must be NAMESPACE/NAME`},
		{"--store", "a/b/c", "--store"},
		{"--survey", "", "--survey is required"},
		{"--tokens-dir", "", "--tokens-dir is required"},
		{"--keys-dir", "", "--keys-dir is required"},
		{"--tls-dir", "", "--tls-dir is required"},
		{"--sqlite-dir", "", "one of --sqlite-dir and --postgres-uri-file is required"},
		{"--postgres-uri-file", "uri", "exclude each other"},
		{"--postgres-connections", "3", "--postgres-connections 3 must be 4 to 100"},
		{"--postgres-connections", "many", "--postgres-connections"},
		{"--postgres-schema", strings.Repeat("x", 64), "--postgres-schema must have at most 63 characters"},
		{"--public-url", "survey.test", "--public-url"},
		{"--public-url", "", "--public-url"},
		{"--intake-bind-address", "8080", "--intake-bind-address"},
		{"--operations-bind-address", "", "--operations-bind-address"},
		{"--rate-per-minute", "0", "--rate-per-minute 0 must be 1 or more, or -1 for no limit"},
		{"--rate-burst", "0", "--rate-burst 0 must be 1 or more"},
		{"--trusted-proxies", "10.0.0.0/33", `--trusted-proxies: "10.0.0.0/33" is neither an address nor a CIDR`},
		{"--scrape-token-hash", "abc", "--scrape-token-hash must be a SHA-256"},
		{"--scrape-token-hash", "abcd", "--scrape-token-hash must be a SHA-256"},
		{"--drain", "-1s", "--drain -1s must be 0s to 5m"},
		{"--drain", "10", "--drain"},
		{"--wrong", "flag", "unknown flag"},
	} {
		var out, errOut bytes.Buffer
		code := Main(context.Background(), endpointFlags(map[string]string{c.flag: c.value}), strings.NewReader(""), &out, &errOut)
		if code != exit.Usage || !strings.Contains(errOut.String(), c.want) || out.Len() > 0 {
			t.Errorf("%s=%q: exit code %d: %s", c.flag, c.value, code, &errOut)
		}
	}
	only := endpointFlags(map[string]string{"--sqlite-dir": "", "--postgres-uri-file": "uri"})
	var out, errOut bytes.Buffer
	if code := Main(context.Background(), only, strings.NewReader(""), &out, &errOut); code != exit.Usage || !strings.Contains(errOut.String(), "--postgres-schema is required") {
		t.Errorf("exit code %d: %s", code, &errOut)
	}
}

// Right flags mean what they say; files that are not there are another matter, with exit code 1.
func TestEndpointFlagsThatAreRight(t *testing.T) {
	var out, errOut bytes.Buffer
	t.Chdir(t.TempDir())
	if code := Main(context.Background(), endpointFlags(nil), strings.NewReader(""), &out, &errOut); code != exit.Problems || !strings.Contains(errOut.String(), "read the survey") {
		t.Errorf("exit code %d: %s", code, &errOut)
	}
	o := endpointOptions{
		program: "sfo/visits", store: "oak/answers", survey: "s", tokens: "t", keys: "k", tls: "c",
		postgresURI: "u", postgresSchema: "x", postgresConnections: 6, publicURL: "https://survey.test:8443",
		intakeAddress: ":1", operationsAddress: "127.0.0.1:2", ratePerMinute: -1, rateBurst: 1,
		trustedProxies: []string{"10.0.0.1", "fd00::/8"}, scrapeTokenHash: strings.Repeat("0f", 32), drain: 5 * time.Minute,
	}
	got, err := o.parse()
	if err != nil {
		t.Fatal(err)
	}
	if got.Program != (store.Key{Namespace: "sfo", Name: "visits"}) || got.Store != (store.Key{Namespace: "oak", Name: "answers"}) {
		t.Errorf("%s, %s", got.Program, got.Store)
	}
	if got.PostgresConnections != 6 || got.PostgresSchema != "x" || len(got.ScrapeTokenHash) != 32 || got.Drain != 5*time.Minute {
		t.Errorf("%+v", got)
	}
	var proxies []string
	for _, p := range got.Intake.TrustedProxies {
		proxies = append(proxies, p.String())
	}
	if diff := cmp.Diff([]string{"10.0.0.1/32", "fd00::/8"}, proxies); diff != "" {
		t.Error(diff)
	}
}
