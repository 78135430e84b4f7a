package operations

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	problemType = "application/problem+json"
	problemBase = "https://cx-operator.io/problems/"
)

// Problem is an answer that is not a success, as RFC 9457 writes it. A Client returns it as an error.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail is a sentence for people, without anything secret, and the same while the cause is.
	Detail string `json:"detail,omitempty"`
}

// Error implements error.
func (p *Problem) Error() string {
	text := "the endpoint answers " + strconv.Itoa(p.Status)
	if p.Title != "" {
		text += ": " + p.Title
	}
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	return text
}

func newProblem(status int, reason, title, detail string) *Problem {
	return &Problem{Type: problemBase + reason, Title: title, Status: status, Detail: detail}
}

func unavailable(detail string) *Problem {
	return newProblem(http.StatusServiceUnavailable, "unavailable", "The store cannot be read now", detail)
}

func malformed(detail string) *Problem {
	return newProblem(http.StatusBadRequest, "malformed", "The request cannot be read", detail)
}

// write answers with the problem.
func (p *Problem) write(w http.ResponseWriter) {
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	}
	body, err := json.Marshal(p)
	if err != nil { // texts and a number can be written
		panic(err)
	}
	writeBody(w, p.Status, problemType, body)
}

// writeBody answers. What the client does not take, it cannot be told of.
func writeBody(w http.ResponseWriter, status int, mediaType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // no browser shows JSON, or text that says it is no more, as a page
}

const maxSentence = 256 // bytes of a text that an endpoint may have said in a condition

// readProblem makes an error of an answer that is no success. Of what an endpoint says, it takes short printable texts.
func readProblem(status int, mediaType string, body []byte) *Problem {
	p := &Problem{}
	if mediaType != problemType || json.Unmarshal(body, p) != nil {
		p = &Problem{}
	}
	p.Type, p.Title, p.Detail = printable(p.Type, maxSentence), printable(p.Title, maxSentence), printable(p.Detail, maxSentence)
	p.Status = status
	return p
}

// printable returns the beginning of a text, without what cannot be printed.
func printable(text string, longest int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, text)
	if len(text) <= longest {
		return text
	}
	for longest > 0 && !utf8.RuneStart(text[longest]) {
		longest--
	}
	return text[:longest]
}
