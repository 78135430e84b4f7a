package intake

import (
	"bytes"
	"compress/gzip"
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
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

// render writes a page. It is built whole before its first byte is sent, so that a client never gets half of one.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	var body bytes.Buffer
	if err := templates.ExecuteTemplate(&body, name, v); err != nil {
		s.log.Error(err, "A page could not be rendered", "page", name)
		writeProblem(w, internal)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Lang)
	h.Set("Cache-Control", v.caching())
	h.Set("Content-Security-Policy", securityPolicy(v))
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Vary", "Accept-Encoding, Accept-Language")
	content := body.Bytes()
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		content = compress(content)
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(status)
	_, _ = w.Write(content) // a client that has gone cannot be told
}

// caching is no-store, so that the next person at a kiosk finds nothing; but a form stays where the browser's back button
// finds it, or it would say that the page has expired, or get a form that would be another response.
func (v view) caching() string {
	if v.history {
		return "private, no-cache"
	}
	return "no-store"
}

func compress(content []byte) []byte {
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	// A buffer takes every byte.
	_, _ = zw.Write(content)
	_ = zw.Close()
	return packed.Bytes()
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
