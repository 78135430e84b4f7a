package intake

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cx-operator/cx-operator/internal/link"
)

// TestScripts: they are small, and hold nothing that a page's script should not do.
func TestScripts(t *testing.T) {
	h := newHarness(t)
	for path, most := range map[string]int{"/embed.js": 2 << 10, "/form.js": 600, "/proof.js": 1500} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		packed := h.do(r)
		wantStatus(t, packed, http.StatusOK)
		if packed.Body.Len() > most {
			t.Errorf("%s has %d bytes on the wire, want %d", path, packed.Body.Len(), most)
		}
		plain := h.get(path)
		wantStatus(t, plain, http.StatusOK)
		script := plain.Body.String()
		zr, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		if unpacked, err := io.ReadAll(zr); err != nil || string(unpacked) != script {
			t.Errorf("%s is another one packed: %v", path, err)
		}
		for _, never := range []string{"cookie", "localStorage", "sessionStorage", "indexedDB", "fetch(", "XMLHttpRequest", "innerHTML", "eval(", "Function(", "http:", "https:", "//"} {
			if strings.Contains(script, never) {
				t.Errorf("%s has %s", path, never)
			}
		}
		for header, want := range map[string]string{"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"} {
			if got := plain.Header().Get(header); got != want {
				t.Errorf("%s: %s: %q", path, header, got)
			}
		}
		if foreign := plain.Header().Get("Cross-Origin-Resource-Policy") == "cross-origin"; foreign != (path == "/embed.js") {
			t.Errorf("%s can be loaded by other sites: %v", path, foreign)
		}
	}
	if proof, form := h.get("/proof.js").Body.String(), h.get("/form.js").Body.String(); !strings.HasSuffix(proof, form) || len(proof) == len(form) {
		t.Error("the script with the proof does not have the other one")
	}
}

func TestLean(t *testing.T) {
	got := string(lean([]byte("// a\n(function () {\n  // b\n\n  x('//') // c\n})()\n"), []byte("(y)()\n")))
	if want := "(function () {\nx('//') // c\n})()\n;\n(y)()\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestScriptOfAPage: a page has the script that it needs, and what the script needs.
func TestScriptOfAPage(t *testing.T) {
	tag := regexp.MustCompile(`<script [^>]*></script>`)
	for name, c := range map[string]struct {
		bits   int32
		signed bool
		want   string
	}{
		"tells visits":      {0, true, `<script src="/form.js" data-visits="/s/sfo/passenger/visits" data-touchpoint="security"></script>`},
		"works too":         {16, true, `<script src="/proof.js" data-visits="/s/sfo/passenger/visits" data-touchpoint="security" data-bits="16" data-program="sfo/passenger" data-wait="One moment, please …"></script>`},
		"only works":        {16, false, `<script src="/proof.js" data-visits="" data-touchpoint="" data-bits="16" data-program="sfo/passenger" data-wait="One moment, please …"></script>`},
		"has nothing to do": {0, false, ""},
	} {
		s := testSurvey()
		s.Access.ProofBits = c.bits
		h := newHarness(t)
		p := testProgram(s, h.store)
		if !c.signed {
			p.Tokens.Sign = ""
		}
		h.registry.Set(programKey, p)
		w := h.get(pagePath + "/security")
		if got := tag.FindString(w.Body.String()); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
		if allowed := strings.Contains(w.Header().Get("Content-Security-Policy"), "script-src 'self'"); allowed != (c.want != "") {
			t.Errorf("%s: scripts allowed: %v", name, allowed)
		}
	}
}

// TestNoncesOfTheScript: what proof.js found in a JavaScript engine is taken. The program's name moves the nonce through the
// blocks that are hashed.
func TestNoncesOfTheScript(t *testing.T) {
	const response = "0b7b2a14-5a4c-4f0c-8d7e-0d2f3c6a9b11"
	for _, c := range []struct {
		namespace, program string
		bits               int
		nonce              string
	}{
		{"sfo", strings.Repeat("p", 9), 8, "d"},
		{"sfo", strings.Repeat("p", 9), 12, "1wc"},
		{"sfo", strings.Repeat("p", 9), 16, "168o"},
		{"a", strings.Repeat("p", 1), 14, "e0l"},
		{"a", strings.Repeat("p", 38), 14, "1b1"},
		{"a", strings.Repeat("p", 45), 14, "3xa"},
		{"a", strings.Repeat("p", 52), 14, "8d8"},
		{"a", strings.Repeat("p", 53), 14, "x1e"},
		{"a", strings.Repeat("p", 54), 14, "fsk"},
		{"a", strings.Repeat("p", 55), 14, "a7j"},
		{"a", strings.Repeat("p", 60), 14, "bir"},
		{strings.Repeat("n", 63), strings.Repeat("p", 253), 14, "hps"},
	} {
		if !link.Proven(c.bits, c.namespace, c.program, response, c.nonce) {
			t.Errorf("%s/%s, %d bits: %s is refused", c.namespace, c.program, c.bits, c.nonce)
		}
		// It is the first one: the script leaves none out, so that its work is as long as it should be.
		for n := range 1 << 20 {
			nonce := strconv.FormatInt(int64(n), 36)
			if link.Proven(c.bits, c.namespace, c.program, response, nonce) {
				if nonce != c.nonce {
					t.Errorf("%s/%s, %d bits: %s comes before %s", c.namespace, c.program, c.bits, nonce, c.nonce)
				}
				break
			}
		}
	}
}
