package operations

import (
	"context"
	"net/http"

	"github.com/cx-operator/cx-operator/internal/store"
)

// ClientOptions of a Client. All are required.
type ClientOptions struct {
	// Program that the endpoint serves.
	Program store.Key
	// Address of the operations port: https://host:port.
	Address string
	// Token returns the program's token "internal" as it is now.
	Token func() string
	// Transport makes the connections: see NewTransport.
	Transport http.RoundTripper
}

// Client reads the feed of one program's endpoint. It is a store.Feed whose Updated fires while Run runs. It is safe for
// concurrent use.
type Client struct {
	options ClientOptions
}

var _ store.Feed = (*Client)(nil)

// NewClient returns a client that has asked for nothing yet.
func NewClient(o ClientOptions) *Client { return &Client{options: o} }

// NewTransport returns a transport that trusts the certificates in PEM that authority returns, as they are at each new
// connection. One transport serves the clients of many endpoints.
func NewTransport(authority func() []byte) *http.Transport { return &http.Transport{} }

// Run waits for what is new until the context ends, so that Updated fires. It asks for nothing until Changes was called.
func (c *Client) Run(ctx context.Context) { <-ctx.Done() }

// Changes implements store.Feed.
func (c *Client) Changes(ctx context.Context, since store.Cursor, limit int) (store.Changes, error) {
	return store.Changes{}, store.ErrClosed
}

// Updated implements store.Feed.
func (c *Client) Updated() <-chan struct{} { return nil }

// Info returns what the endpoint says of its store.
func (c *Client) Info(ctx context.Context) (store.Info, error) { return store.Info{}, store.ErrClosed }
