package transfer

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cx-operator/cx-operator/internal/convert/remote"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Endpoint is where the answers of a program are, and a token that opens it.
type Endpoint struct {
	// Program by namespace and name.
	Program store.Key
	// URL is http(s)://host[:port].
	URL string
	// Token of the kind that was asked for.
	Token string
}

// Finder finds the endpoint of a program by the name that the command line has, and its token of a kind: "import" or "read".
type Finder func(ctx context.Context, program, token string) (Endpoint, error)

// remoteOptions say which endpoint a command is about.
type remoteOptions struct {
	program, url, tokenFile string
	token                   string // its kind
	find                    Finder // nil where everything must be given
}

func (o *remoteOptions) addTo(f *pflag.FlagSet) {
	program, url, file := "the program, as NAMESPACE/NAME", "address of the endpoint: http(s)://host[:port]",
		fmt.Sprintf("file with the program's %s token (the key %[1]s of the Secret NAME-tokens)", o.token)
	if o.find != nil {
		program, url, file = "the program, as NAME or NAMESPACE/NAME", url+"; by default that of the program's page", file+"; by default that Secret is read"
	}
	f.StringVar(&o.program, "program", "", program)
	f.StringVar(&o.url, "url", "", url)
	f.StringVar(&o.tokenFile, "token-file", "", file)
}

// check refuses a program that is not named as it must be.
func (o *remoteOptions) check() error {
	if o.find != nil && o.program != "" {
		return nil
	}
	_, err := ParseProgram(o.program)
	return err
}

// connect returns the program and a client of its endpoint; none for a dry run.
func (o *remoteOptions) connect(ctx context.Context, dryRun bool) (store.Key, *remote.Client, error) {
	if dryRun || o.find == nil || o.url != "" && o.tokenFile != "" {
		key, err := ParseProgram(o.program)
		if err != nil || dryRun {
			return key, nil, err
		}
		client, err := newClient(o.url, o.tokenFile, key)
		return key, client, err
	}
	found, err := o.find(ctx, o.program, o.token)
	if err != nil {
		return store.Key{}, nil, err
	}
	if o.url != "" {
		found.URL = o.url
	}
	if o.tokenFile != "" {
		client, err := newClient(found.URL, o.tokenFile, found.Program)
		return found.Program, client, err
	}
	client, err := remote.New(found.URL, found.Program, found.Token, http.DefaultTransport)
	if err != nil {
		return found.Program, nil, fmt.Errorf("the endpoint of %s: %w", found.Program, err)
	}
	return found.Program, client, nil
}

// ParseProgram reads NAMESPACE/NAME.
func ParseProgram(text string) (store.Key, error) {
	namespace, name, ok := strings.Cut(text, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		return store.Key{}, fmt.Errorf("--program %q must be NAMESPACE/NAME", text)
	}
	return store.Key{Namespace: namespace, Name: name}, nil
}

// maxToken is the size of the largest file with a token, in bytes.
const maxToken = 4 << 10

func newClient(url, tokenFile string, key store.Key) (*remote.Client, error) {
	token, err := readSmall(tokenFile, maxToken)
	if err != nil {
		return nil, fmt.Errorf("--token-file: %w", err)
	}
	client, err := remote.New(url, key, strings.TrimSpace(string(token)), http.DefaultTransport)
	if err != nil {
		return nil, fmt.Errorf("--url, --token-file: %w", err)
	}
	return client, nil
}
