package intake

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/js"
)

// The scripts as people read them. They are the same for every survey and hold nothing about anybody.
var (
	// embedSource offers a survey in a corner of another site's pages.
	//go:embed embed.js
	embedSource []byte
	// formSource tells how far a form was filled in. The page does without it.
	//go:embed form.js
	formSource []byte
	// workSource has proofSource, in a worker, find the proof that a program may ask for.
	//go:embed work.js
	workSource []byte
	//go:embed proof.js
	proofSource []byte
)

// The scripts of forms. The one that has work done comes first, since the other must know whether it keeps a form back.
var (
	formScript = newScript(formSource)
	workScript = newScript(workSource, formSource)
)

// script is one that a page has in it.
type script struct {
	Code template.JS
	// source is how a Content-Security-Policy names it.
	source string
}

func newScript(sources ...[]byte) *script {
	code := minified(sources...)
	return &script{Code: template.JS(code), source: sourceOf(code)} //nolint:gosec // It is a part of this program.
}

// sourceOf is the source of a Content-Security-Policy that is this text and no other.
func sourceOf(text []byte) string {
	sum := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// minified joins scripts without what is for their readers. The semicolon keeps one script from being taken for a call of the one
// before.
func minified(sources ...[]byte) []byte {
	var code bytes.Buffer
	if err := js.Minify(minify.New(), &code, bytes.NewReader(bytes.Join(sources, []byte(";\n"))), nil); err != nil {
		panic(err) // a script of this program is none
	}
	return code.Bytes()
}

// scriptHandler answers with a script, which pages of the given origins may load. It asks nobody for anything where it is a worker.
func scriptHandler(origins string, source []byte) http.HandlerFunc {
	plain := minified(source)
	packed := compress(plain)
	return func(w http.ResponseWriter, r *http.Request) {
		content := plain
		h := w.Header()
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'")
		h.Set("Cache-Control", "public, max-age=3600")
		h.Set("Cross-Origin-Resource-Policy", origins)
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			content = packed
		}
		h.Set("Content-Length", strconv.Itoa(len(content)))
		_, _ = w.Write(content) // a client that has gone cannot be told
	}
}

// scripted adds to a form's page what its script needs. Without keys nothing could be told, and without a proof to work for there
// is nothing else to do.
func (p page) scripted(v *view, f form) {
	if v.FormToken != "" {
		v.Script, v.Visits, v.Touchpoint = formScript, p.visitsPath(), p.touchpoint
	}
	if bits := p.survey.Access.ProofBits; bits > 0 {
		v.Script, v.Bits, v.Program, v.Proof = workScript, bits, p.survey.Program.String(), p.proven(f)
	}
}
