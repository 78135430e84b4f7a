// Package unmanaged takes who wrote which field out of watched objects before anybody decodes them. That is half of what the API
// server sends of an object, nobody here reads it, and each byte of a watch is scanned nine times by those who decode it.
package unmanaged

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"strings"
)

// Watches returns what wraps a transport so that objects of an API group, as watches have them in JSON, come without the items of
// metadata.managedFields. All other answers are left as they are.
func Watches(group string) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return &transport{next: next, prefix: "/apis/" + group + "/"}
	}
}

type transport struct {
	next   http.RoundTripper
	prefix string
}

// RoundTrip asks, and filters the answer where it is a watch's.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.next.RoundTrip(r)
	if err != nil || !t.filters(r) || answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Encoding") != "" {
		return answer, err
	}
	if kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type")); err == nil && kind == "application/json" {
		answer.Body = &stream{of: answer.Body}
	}
	return answer, nil
}

func (t *transport) filters(r *http.Request) bool {
	watch := r.URL.Query().Get("watch")
	return r.Method == http.MethodGet && (watch == "true" || watch == "1") && strings.Contains(r.URL.Path, t.prefix)
}

// WrappedRoundTripper returns the transport that is wrapped.
func (t *transport) WrappedRoundTripper() http.RoundTripper { return t.next }

// Where the list is: each event is {"type": ..., "object": {"metadata": {"managedFields": [...]}}}.
const (
	objectDepth, metadataDepth = 2, 3
	metadata, managedFields    = "metadata", "managedFields"
)

// stream is events without the items of that list. It follows their structure in whatever pieces they come.
type stream struct {
	of    io.ReadCloser
	depth int
	// text is true within a string, escaped after a backslash there.
	text, escaped bool
	// name is the start of the last string that may be a field's name.
	name []byte
	// inMetadata and listed say which fields of an object, and of its metadata, came last.
	inMetadata, listed bool
	dropping           bool
}

// Close closes what is filtered.
func (s *stream) Close() error { return s.of.Close() }

// Read reads what is left of the events.
func (s *stream) Read(p []byte) (int, error) {
	for {
		n, err := s.of.Read(p)
		n = s.filter(p[:n])
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
}

// filter moves what is left to the start of p, and returns how much that is.
func (s *stream) filter(p []byte) int {
	kept, from := 0, 0 // of what is left, until where it was moved and from where it was not
	for i := 0; i < len(p); {
		if s.text {
			i = s.readText(p, i)
			continue
		}
		dropped := s.dropping
		s.structure(p[i])
		if s.dropping != dropped { // the brackets stay
			if s.dropping {
				kept += copy(p[kept:], p[from:i+1])
			}
			from = i
		}
		i++
	}
	if s.dropping {
		return kept
	}
	return kept + copy(p[kept:], p[from:])
}

// readText returns where the string that goes on at i ends, or the end of p.
func (s *stream) readText(p []byte, i int) int {
	for from := i; ; {
		if s.escaped && i < len(p) {
			s.escaped = false
			i++
		}
		n := bytes.IndexByte(p[i:], '"')
		part := p[i:]
		if n >= 0 {
			part = part[:n]
		}
		if escape := bytes.IndexByte(part, '\\'); escape >= 0 {
			s.escaped = true
			i += escape + 1
			continue
		}
		i += len(part)
		if !s.dropping && s.depth <= metadataDepth && len(s.name) <= len(managedFields) {
			s.name = append(s.name, p[from:min(i, from+len(managedFields)+1)]...)
		}
		if n < 0 {
			return i
		}
		s.text = false
		return i + 1
	}
}

// structure takes a byte that is not within a string.
func (s *stream) structure(c byte) {
	switch c {
	case '"':
		s.text, s.name = true, s.name[:0]
	case ':':
		switch s.depth {
		case objectDepth:
			s.inMetadata = string(s.name) == metadata
		case metadataDepth:
			s.listed = s.inMetadata && string(s.name) == managedFields
		}
	case '[', '{':
		s.dropping = s.dropping || c == '[' && s.listed && s.depth == metadataDepth
		s.depth++
	case ']', '}':
		s.depth--
		if s.depth <= metadataDepth {
			s.dropping, s.listed = false, false
		}
	}
}
