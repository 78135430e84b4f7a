package main

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// wordsPath is the page of nothing but another one's words.
const wordsPath = "/words"

// blocks are the elements that a page's words are taken from, each as a paragraph: what stands in one line there.
var blocks = []atom.Atom{atom.Summary, atom.H1, atom.H2, atom.P, atom.Legend, atom.Label, atom.Ul, atom.Div, atom.Button}

// wordsOf returns a page of the words that another one shows, as paragraphs without any style, form or script: whoever shows these
// words at all has a browser do at least that.
func wordsOf(page []byte) ([]byte, error) {
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Words</title><link rel="icon" href="data:,">`)
	var paragraph []string
	end := func() {
		if len(paragraph) > 0 {
			fmt.Fprintf(&out, "<p>%s\n", template.HTMLEscapeString(strings.Join(paragraph, " ")))
		}
		paragraph = nil
	}
	var walk func(n *html.Node, row bool)
	walk = func(n *html.Node, row bool) {
		if n.Type == html.TextNode {
			paragraph = append(paragraph, strings.Fields(n.Data)...)
		}
		if n.Type == html.ElementNode && isHidden(n) {
			return
		}
		block := !row && n.Type == html.ElementNode && slices.Contains(blocks, n.DataAtom)
		if block {
			end()
		}
		for child := range n.ChildNodes() {
			walk(child, row || n.DataAtom == atom.Ul || attribute(n, "class") == "scale")
		}
		if block {
			end()
		}
	}
	walk(root, false)
	end()
	return out.Bytes(), nil
}

// isHidden says that nothing of an element shows.
func isHidden(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Head, atom.Script, atom.Style:
		return true
	case atom.Ul:
		return n.Parent.DataAtom == atom.Details
	}
	return attribute(n, "aria-hidden") == "true"
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// withWords adds the page of a page's words to a handler, as it is served to whoever takes nothing packed.
func withWords(handler http.Handler, p page) (http.Handler, error) {
	request := httptest.NewRequest(http.MethodGet, p.path, http.NoBody)
	request.Header.Set("Accept-Encoding", "identity")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	if answer.Code != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d", p.path, answer.Code)
	}
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	words, err := wordsOf(content)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(wordsPath, static(string(words)))
	mux.Handle("/", handler)
	return mux, nil
}
