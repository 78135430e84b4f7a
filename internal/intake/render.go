package intake

import (
	"bytes"
	"compress/flate"
	"embed"
	"encoding/binary"
	"hash/crc32"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

//go:embed page
var pageFiles embed.FS

var (
	templates = template.Must(template.ParseFS(pageFiles, "page/*.html"))
	style     = mustRead("page/style.css")
)

func mustRead(name string) string {
	content, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return string(content)
}

// buffers and packers are used again: a packer takes longer to make than to use, and more than half a megabyte.
var (
	buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	packers = sync.Pool{New: func() any { return must(flate.NewWriter(nil, flate.DefaultCompression)) }}
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newBuffer() *bytes.Buffer {
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	return b
}

func newPacker(to io.Writer) *flate.Writer {
	zw := packers.Get().(*flate.Writer)
	zw.Reset(to)
	return zw
}

// maxOpen is the most languages that stand open on a page.
const maxOpen = 4

// Folded says whether the languages show once somebody opens their list. Each script is a font that the browser has to look for,
// and many of them would take longer to paint than the questions.
func (v view) Folded() bool { return len(v.Switch) > maxOpen }

// render writes a page. It is built whole before its first byte is sent, so that a client never gets half of one.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	body := newBuffer()
	defer buffers.Put(body)
	if err := templates.ExecuteTemplate(body, name, v); err != nil {
		s.log.Error(err, "A page could not be rendered", "page", name)
		writeProblem(w, internal)
		return
	}
	h := w.Header()
	h["Content-Language"] = []string{v.Lang}
	h["Content-Security-Policy"] = []string{securityPolicy(v)}
	content, packed := body.Bytes(), acceptsGzip(r.Header.Get("Accept-Encoding"))
	if packed {
		buffer := newBuffer()
		defer buffers.Put(buffer)
		pack(buffer, content)
		content = buffer.Bytes()
	}
	writePage(w, status, v.caching(), packed, content)
}

// writePage writes a page with the headers that all pages have.
func writePage(w http.ResponseWriter, status int, caching []string, packed bool, content []byte) {
	h := w.Header()
	h["Content-Type"] = typePage
	h["Cache-Control"] = caching
	h["X-Robots-Tag"] = noIndex
	h["Vary"] = varyByAccepts
	if packed {
		h["Content-Encoding"] = codingGzip
	}
	h["Content-Length"] = []string{strconv.Itoa(len(content))}
	w.WriteHeader(status)
	_, _ = w.Write(content) // a client that has gone cannot be told
}

// caching is no-store, so that the next person at a kiosk finds nothing; but a form stays where the browser's back button
// finds it, or it would say that the page has expired, or get a form that would be another response.
func (v view) caching() []string {
	if v.history {
		return privateStore
	}
	return noStore
}

func compress(content []byte) []byte {
	var packed bytes.Buffer
	pack(&packed, content)
	return packed.Bytes()
}

// pack writes the content as gzip.
func pack(to *bytes.Buffer, content []byte) {
	zw := newPacker(to)
	defer packers.Put(zw)
	// A buffer takes every byte.
	_, _ = to.Write(gzipHeader)
	_, _ = zw.Write(content)
	_ = zw.Close()
	trailer := binary.LittleEndian.AppendUint32(to.AvailableBuffer(), crc32.ChecksumIEEE(content))
	_, _ = to.Write(binary.LittleEndian.AppendUint32(trailer, uint32(len(content)))) // RFC 1952 wants it modulo 2^32
}

// acceptsGzip reads an Accept-Encoding header.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, parameters, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		quality, given := strings.CutPrefix(strings.TrimSpace(parameters), "q=")
		q, err := strconv.ParseFloat(quality, 64)
		return !given || (err == nil && q > 0)
	}
	return false
}

// showMessage answers with a page that says one thing and belongs to no survey.
func (s *Server) showMessage(w http.ResponseWriter, r *http.Request, p problem) {
	words := requestWords(r)
	v := view{Lang: words.Tag, Dir: direction(words.Tag), W: words, Style: themed(nil)}
	v.Heading, v.Message = words.message(p)
	v.Title = v.Heading
	s.showProblem(w, r, p, "message", v)
}

// showProblem answers with a page whose status is the problem's.
func (s *Server) showProblem(w http.ResponseWriter, r *http.Request, p problem, name string, v view) {
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.retrySeconds()))
	}
	s.render(w, r, p.Status, name, v)
}
