package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestWordsOf: each line of a page is a paragraph, and what does not show is left out.
func TestWordsOf(t *testing.T) {
	got, err := wordsOf([]byte(`<!doctype html><html><head><title>No</title><style>no{}</style></head><body>
<nav><details><summary>Language – English</summary><ul><li>no</li></ul></details></nav><nav><ul><li>English</li> <li>Español</li></ul></nav>
<h1>A &amp; B</h1><form><fieldset><legend>How? <span>(required)</span></legend><p>0 = low</p>
<div class="scale"><label><input type="radio"> 0</label> <label><input type="radio"> 1</label></div></fieldset>
<div class="list"><label><input type="radio"> one</label><label><input type="radio"> two</label></div>
<div class="off" aria-hidden="true"><label>no</label></div><textarea></textarea><button>Send</button></form><script>no</script></body></html>`))
	if err != nil {
		t.Fatal(err)
	}
	_, words, _ := strings.Cut(string(got), "<p>")
	want := "Language – English\n<p>English Español\n<p>A &amp; B\n<p>How? (required)\n<p>0 = low\n<p>0 1\n<p>one\n<p>two\n<p>Send\n"
	if words != want {
		t.Errorf("%s\nwant\n%s", words, want)
	}
}

// TestWordsAreServed: beside each page that is measured there are its words, and the page is as it was.
func TestWordsAreServed(t *testing.T) {
	pages, err := pagesOf("../../../config/samples/airport")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		handler, err := newHandler(p, 1)
		if err != nil {
			t.Fatal(err)
		}
		both, err := withWords(handler, p)
		if err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]string{wordsPath: "<p>Privacy\n", p.path: "<fieldset"} {
			answer := httptest.NewRecorder()
			both.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, http.NoBody))
			if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), want) {
				t.Errorf("%s: %s: %d", p.name, path, answer.Code)
			}
		}
	}
	p := pages[0]
	p.path += "/nowhere"
	if _, err := withWords(http.NotFoundHandler(), p); err == nil {
		t.Error("words of a page that is not there")
	}
}
