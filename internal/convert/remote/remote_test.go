package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

var key = store.Key{Namespace: "sfo", Name: "passenger"}

// client returns a client of a server that answers with handle.
func client(t *testing.T, handle http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	c, err := New(server.URL+"/under/a/path", key, "secret", server.Client().Transport)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNew(t *testing.T) {
	for _, base := range []string{"", "localhost:8080", "ftp://a", "http://", "http://a?b", "http://a#b", "http://u:p@a", "http://a b"} {
		if _, err := New(base, key, "x", nil); err == nil {
			t.Errorf("the address %q is taken", base)
		}
	}
	for _, token := range []string{"", "a b", "a\nb", "ä"} {
		if _, err := New("http://a", key, token, nil); err == nil || strings.Contains(err.Error(), "ä") {
			t.Errorf("the token %q: %v", token, err)
		}
	}
}

func TestImport(t *testing.T) {
	var got string
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = fmt.Sprint(r.Method, " ", r.URL.Path, " ", r.Header.Get("Authorization"), " ", string(body))
		_, _ = io.WriteString(w, `{"received":3,"stored":1,"repeated":1,"rejected":1,"lines":[{"line":3,"errors":[{"pointer":"/id","code":"format","detail":"d"}]}],"unlisted":0}`)
	})
	s, err := c.Import(t.Context(), func(w io.Writer) error {
		_, err := io.WriteString(w, "1\n2\n3\n")
		return err
	})
	if err != nil || s.Stored != 1 || s.Lines[0].Line != 3 || s.Lines[0].Errors[0].Pointer != "/id" {
		t.Errorf("%+v, %v", s, err)
	}
	if want := "POST /under/a/path/api/v1/namespaces/sfo/programs/passenger/responses:import Bearer secret 1\n2\n3\n"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// An import whose source fails arrives as broken off, and not as a shorter one.
func TestImportBrokenOff(t *testing.T) {
	broken := make(chan error, 1)
	c := client(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		broken <- err
	})
	unreadable := errors.New("unreadable")
	_, err := c.Import(t.Context(), func(w io.Writer) error {
		_, _ = io.WriteString(w, strings.Repeat("x\n", 100_000))
		return unreadable
	})
	if !errors.Is(err, unreadable) {
		t.Errorf("the error is %v", err)
	}
	if err := <-broken; err == nil {
		t.Error("the endpoint sees the end of the import")
	}
}

// An answer before the import's end ends the writing, however much there is to write.
func TestImportRefused(t *testing.T) {
	for name, c := range map[string]struct {
		status    int
		header    http.Header
		body      string
		temporary bool
		wait      time.Duration
		says      string
	}{
		"a problem":  {401, http.Header{"Content-Type": {"application/problem+json"}}, `{"title":"A token is needed","detail":"Send it."}`, false, 0, "401 Unauthorized: A token is needed. Send it."},
		"busy":       {503, http.Header{"Retry-After": {"7"}}, "", true, 7 * time.Second, "503 Service Unavailable"},
		"for ever":   {503, http.Header{"Retry-After": {"999999"}}, "", true, time.Hour, "503"},
		"a redirect": {307, http.Header{"Location": {"https://elsewhere.example/"}}, "", false, 0, `It points to "https://elsewhere.example/"`},
		"too large":  {413, nil, "x", false, 0, "413"},
		"not JSON":   {502, http.Header{"Content-Type": {"application/problem+json"}}, `<html>`, true, 0, "502 Bad Gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			cl := client(t, func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range c.header {
					w.Header()[k] = v
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			_, err := cl.Import(t.Context(), func(w io.Writer) error {
				for {
					if _, err := io.WriteString(w, strings.Repeat("y\n", 10_000)); err != nil {
						return err
					}
				}
			})
			// The connection may break before the answer is read: then another try tells.
			wait, again := Temporary(err)
			var status *StatusError
			if !errors.As(err, &status) {
				if !again {
					t.Errorf("%v is not worth another try", err)
				}
				return
			}
			if again != c.temporary || wait != c.wait || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, %v, %s", err, again, wait)
			}
		})
	}
	t.Run("a success that is none", func(t *testing.T) {
		cl := client(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, "<html>hello</html>")
		})
		_, err := cl.Import(t.Context(), func(io.Writer) error { return nil })
		if _, again := Temporary(err); err == nil || again {
			t.Errorf("%v", err)
		}
	})
}

func TestExport(t *testing.T) {
	for name, c := range map[string]struct {
		format, body string
		want         int
	}{
		"nothing":      {"ndjson", "", 0},
		"lines":        {"ndjson", "{}\n{}\n", 2},
		"large":        {"ndjson", strings.Repeat("{}\n", 100_000), 100_000},
		"header alone": {"csv", "id,a\r\n", 0},
		"records":      {"csv", "id,a\r\n1,\"x\r\ny \"\"z\"\"\"\r\n2,\r\n", 2},
	} {
		t.Run(name, func(t *testing.T) {
			cl := client(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/under/a/path/api/v1/namespaces/sfo/programs/passenger/responses" || r.URL.Query().Get("format") != c.format {
					t.Errorf("asked for %s", r.URL)
				}
				_, _ = io.WriteString(w, c.body)
			})
			var out bytes.Buffer
			n, err := cl.Export(t.Context(), c.format, &out)
			if err != nil || n != c.want {
				t.Errorf("%d, %v", n, err)
			}
			if diff := cmp.Diff(c.body, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// However an export is cut off, it is never taken for a whole one.
func TestExportCutOff(t *testing.T) {
	raw := func(head, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			connection, out, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer connection.Close()
			_, _ = out.WriteString(head + "\r\n\r\n" + body)
			_ = out.Flush()
		}
	}
	for name, handle := range map[string]http.HandlerFunc{
		"in chunks": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("{}\n", 10_000))
			panic(http.ErrAbortHandler)
		},
		"by length":                raw("HTTP/1.1 200 OK\r\nContent-Length: 100", "{}\n"),
		"without length, HTTP/1.0": raw("HTTP/1.0 200 OK", "{}\n"),
		"without length, HTTP/1.1": raw("HTTP/1.1 200 OK\r\nConnection: close", "{}\n"),
		"within a line":            raw("HTTP/1.1 200 OK\r\nContent-Length: 4", "{}\n{"),
	} {
		t.Run(name, func(t *testing.T) {
			if n, err := client(t, handle).Export(t.Context(), "ndjson", io.Discard); err == nil {
				t.Errorf("it passes for whole, with %d answers", n)
			}
		})
	}
	t.Run("CSV within quotes", func(t *testing.T) {
		if _, err := client(t, raw("HTTP/1.1 200 OK\r\nContent-Length: 10", "a\r\n1,\"b\r\n\n")).Export(t.Context(), "csv", io.Discard); err == nil {
			t.Error("it passes for whole")
		}
	})
	t.Run("a full disk", func(t *testing.T) {
		full := errors.New("no space left")
		_, err := client(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}\n") }).Export(t.Context(), "ndjson", failing{full})
		if _, again := Temporary(err); !errors.Is(err, full) || again {
			t.Errorf("%v, worth another try: %v", err, again)
		}
	})
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestNobodyThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := New("http://"+address, key, "x", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Export(t.Context(), "csv", io.Discard); err == nil {
		t.Error("no error")
	} else if _, again := Temporary(err); !again {
		t.Errorf("%v is not worth another try", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Import(ended, func(io.Writer) error { return nil })
	if _, again := Temporary(err); again || !errors.Is(err, context.Canceled) {
		t.Errorf("after Ctrl-C: %v", err)
	}
}
