package intake

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// Media types of requests.
const (
	mediaJSON = "application/json"
	mediaForm = "application/x-www-form-urlencoded"
)

// mediaNDJSON is the usual name of newline-delimited JSON; none is registered.
const mediaNDJSON = "application/x-ndjson"

var errTooLarge = errors.New("the body is too large")

// checkMediaType returns a problem where the request's content is of none of the media types, or not UTF-8.
func checkMediaType(r *http.Request, allowed ...string) *problem {
	if given := r.Header.Get("Content-Type"); slices.Contains(allowed, given) {
		return nil
	}
	mediaType, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, given := parameters["charset"]
	if err != nil || !slices.Contains(allowed, mediaType) || (given && !strings.EqualFold(charset, "utf-8")) {
		p := unsupported.because("Content-Type must be " + strings.Join(allowed, " or ") + ", in UTF-8.")
		return &p
	}
	return nil
}

// openBody returns the request's body, unpacked, which fails with errTooLarge beyond limit bytes, packed or unpacked.
func openBody(w http.ResponseWriter, r *http.Request, limit int64) (io.Reader, *problem) {
	body := http.MaxBytesReader(w, r.Body, limit)
	switch coding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); coding {
	case "", "identity":
		return body, nil
	case "gzip":
		zr, err := gzip.NewReader(body)
		if err != nil {
			p := bodyProblem(fmt.Errorf("reading gzip: %w", err), limit)
			return nil, &p
		}
		return &limitedReader{r: zr, left: limit}, nil
	default:
		p := unsupported.because("Content-Encoding must be gzip or absent.")
		return nil, &p
	}
}

// readBody reads a whole body of at most limit bytes.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *problem) {
	in, refused := openBody(w, r, limit)
	if refused != nil {
		return nil, refused
	}
	body, err := io.ReadAll(in)
	if err != nil {
		p := bodyProblem(err, limit)
		return nil, &p
	}
	return body, nil
}

// bodyProblem words an error of reading a body.
func bodyProblem(err error, limit int64) problem {
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong), errors.Is(err, errTooLarge):
		return tooLarge.because(fmt.Sprintf("The body must have at most %d bytes.", limit))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return timedOut.because("The body did not arrive in time.")
	default:
		return malformed.because("The body broke off or is not what its headers say.")
	}
}

// limitedReader fails with errTooLarge once more than left bytes were read, where io.LimitReader would end silently.
type limitedReader struct {
	r    io.Reader
	left int64
}

func (l *limitedReader) Read(b []byte) (int, error) {
	if int64(len(b)) > l.left+1 {
		b = b[:l.left+1]
	}
	n, err := l.r.Read(b)
	l.left -= int64(n)
	if l.left < 0 {
		return n, errTooLarge
	}
	return n, err
}

// readForm reads a form.
func (s *Server) readForm(w http.ResponseWriter, r *http.Request) (url.Values, *problem) {
	if refused := checkMediaType(r, mediaForm); refused != nil {
		return nil, refused
	}
	body, refused := readBody(w, r, s.config.MaxBody)
	if refused != nil {
		return nil, refused
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		p := malformed.because("The form is not URL-encoded.")
		return nil, &p
	}
	for name, list := range values {
		if !utf8.ValidString(name) || slices.ContainsFunc(list, func(v string) bool { return !utf8.ValidString(v) }) {
			p := malformed.because("The form is not UTF-8.")
			return nil, &p
		}
	}
	return values, nil
}
