package intake

import (
	"bytes"
	_ "embed"
	"net/http"
	"strconv"
)

// embedScript is the script by which another site offers a survey in a corner of its pages. It is the same for every survey
// and holds nothing about anybody.
//
//go:embed embed.js
var embedScript []byte

// formScript is the script of a form: it tells how far the form was filled in. The page does without it.
//
//go:embed form.js
var formScript []byte

// proofScript works for the proof that a program may ask for. It comes before formScript, in one file.
//
//go:embed proof.js
var proofScript []byte

// lean joins scripts, and leaves out what is for those who read the source: comments on lines of their own, and indentation. The
// semicolon keeps one script from being taken for a call of the one before.
func lean(scripts ...[]byte) []byte {
	var out []byte
	for line := range bytes.Lines(bytes.Join(scripts, []byte(";\n"))) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && !bytes.HasPrefix(line, []byte("//")) {
			out = append(append(out, line...), '\n')
		}
	}
	return out
}

// scriptHandler answers with the scripts as one, which pages of the given origins may load.
func scriptHandler(origins string, scripts ...[]byte) http.HandlerFunc {
	plain := lean(scripts...)
	packed := compress(plain)
	return func(w http.ResponseWriter, r *http.Request) {
		content := plain
		h := w.Header()
		h.Set("Content-Type", "text/javascript; charset=utf-8")
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
		v.Script, v.Visits, v.Touchpoint = "/form.js", p.visitsPath(), p.touchpoint
	}
	if bits := p.survey.Access.ProofBits; bits > 0 {
		v.Script, v.Bits, v.Program, v.Proof = "/proof.js", bits, p.survey.Program.String(), p.proven(f)
	}
}
