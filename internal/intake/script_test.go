package intake

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cx-operator/cx-operator/internal/link"
)

// never is what no script of a page does.
var never = []string{
	"cookie", "localStorage", "sessionStorage", "indexedDB", "fetch(", "XMLHttpRequest", "innerHTML", "eval(", "Function(", "importScripts", "http:", "https:", "//",
}

func wantDecent(t *testing.T, name, script string) {
	t.Helper()
	for _, word := range never {
		if strings.Contains(script, word) {
			t.Errorf("%s has %s", name, word)
		}
	}
}

// TestScripts: they are small, and hold nothing that a page's script should not do.
func TestScripts(t *testing.T) {
	h := newHarness(t)
	for path, most := range map[string]int{"/embed.js": 2 << 10, "/proof.js": 1 << 10} {
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
		wantDecent(t, path, script)
		for header, want := range map[string]string{
			"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff",
			"Content-Security-Policy": "default-src 'none'",
		} {
			if got := plain.Header().Get(header); got != want {
				t.Errorf("%s: %s: %q", path, header, got)
			}
		}
		if foreign := plain.Header().Get("Cross-Origin-Resource-Policy") == "cross-origin"; foreign != (path == "/embed.js") {
			t.Errorf("%s can be loaded by other sites: %v", path, foreign)
		}
	}
	wantStatus(t, h.get("/form.js"), http.StatusNotFound)
	for name, s := range map[string]*script{"the script of forms": formScript, "that of forms with work": workScript} {
		wantDecent(t, name, string(s.Code))
		if packed := compress([]byte(s.Code)); len(packed) > 1<<10 {
			t.Errorf("%s has %d bytes on the wire", name, len(packed))
		}
		if strings.Contains(string(s.Code), "</") || strings.Contains(string(s.Code), "<!--") {
			t.Errorf("%s may end before its end: %s", name, s.Code)
		}
	}
}

func TestMinified(t *testing.T) {
	got := string(minified([]byte("// a\n(function () {\n  // b\n\n  var long = 1\n  x('//', long, long) // c\n})()\n"), []byte("(y)()\n")))
	if want := `(function(){var e=1;x("//",e,e)})(),y()`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, s := range []*script{formScript, workScript} {
		sum := sha256.Sum256([]byte(s.Code))
		if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; s.source != want {
			t.Errorf("the policy names %s, want %s", s.source, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("what is no script is minified")
		}
	}()
	minified([]byte("function ("))
}

// TestScriptOfAPage: a page has the script that it needs, what the script needs, and a policy that allows that and no more.
func TestScriptOfAPage(t *testing.T) {
	tag := regexp.MustCompile(`(?s)<script( [^>]*)>(.*)</script>`)
	const work = ` data-bits="16" data-program="sfo/passenger" data-wait="One moment, please …"`
	for name, c := range map[string]struct {
		bits   int32
		signed bool
		script *script
		data   string
		policy string
	}{
		"tells visits":      {0, true, formScript, ` type="module" data-visits="/s/sfo/passenger/visits" data-touchpoint="security"`, "connect-src 'self'; "},
		"works too":         {16, true, workScript, ` type="module" data-visits="/s/sfo/passenger/visits" data-touchpoint="security"` + work, "connect-src 'self'; worker-src 'self'; "},
		"only works":        {16, false, workScript, ` type="module" data-visits="" data-touchpoint=""` + work, "worker-src 'self'; "},
		"has nothing to do": {},
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
		want, policy := []string(nil), "img-src data:; "
		if c.script != nil {
			want = []string{c.data, string(c.script.Code)}
			policy += "script-src " + c.script.source + "; " + c.policy
		}
		got := tag.FindStringSubmatch(w.Body.String())
		if len(got) > 0 {
			got = got[1:]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q\nwant %q", name, got, want)
		}
		if got := w.Header().Get("Content-Security-Policy"); !strings.Contains(got, policy+"form-action") {
			t.Errorf("%s: %s\nwant %s", name, got, policy)
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
