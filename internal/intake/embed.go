package intake

import (
	"bytes"
	_ "embed"
	"net/http"
	"strconv"
)

//go:embed embed.js
var embedScript []byte

// showEmbed answers /embed.js: the script by which another site offers a survey in a corner of its pages. It is the same for
// every survey and holds nothing about anybody.
func showEmbed(w http.ResponseWriter, r *http.Request) {
	script := bytes.TrimSpace(embedScript)
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Vary", "Accept-Encoding")
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		script = compress(script)
	}
	h.Set("Content-Length", strconv.Itoa(len(script)))
	_, _ = w.Write(script) // a client that has gone cannot be told
}
