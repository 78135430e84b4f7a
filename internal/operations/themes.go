package operations

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/themes"
)

const (
	pathThemes = "/internal/v1/themes"
	// maxThemesSize bounds an answer, in bytes, and maxWords a theme, in characters.
	maxThemesSize = 64 << 10
	maxWords      = 120
	// maxComments bounds a count.
	maxComments = int64(themes.MaxComments) * 40 // languages
)

// wireThemes are the themes of one program.
type wireThemes struct {
	// Program whose themes these are, so that a wrong address is noticed.
	Program string      `json:"program"`
	Themes  []wireTheme `json:"themes"`
}

type wireTheme struct {
	Words    string `json:"words"`
	Question string `json:"question"`
	Comments int64  `json:"comments"`
	Before   int64  `json:"before,omitempty"`
}

// themes answers with what recurs in the comments of a window. The comments themselves stay.
func (h *handler) themes(w http.ResponseWriter, r *http.Request) {
	window, problem := parseWindow(r.URL.Query())
	if problem != nil {
		problem.write(w)
		return
	}
	select {
	case h.reading <- struct{}{}:
		defer func() { <-h.reading }()
	default:
		newProblem(http.StatusServiceUnavailable, "busy", "Comments are being read already", "Only one call reads comments at a time.").write(w)
		return
	}
	opened := h.Store()
	switch {
	case opened.Store == nil:
		unavailable(opened.Why).write(w)
		return
	case h.Survey == nil:
		unavailable("no survey is served").write(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), themes.ReadTimeout)
	defer cancel()
	found, err := themes.Read(ctx, opened.Store, h.Survey, window)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	writeBody(w, http.StatusOK, "application/json", encodeThemes(h.Program, found))
}

func parseWindow(v url.Values) (themes.Window, *Problem) {
	var w themes.Window
	for name, at := range map[string]*time.Time{"before": &w.Before, "from": &w.From, "to": &w.To} {
		text := v.Get(name)
		if text == "" && name == "before" {
			continue
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return w, malformed("before, from and to: times are written as 2026-11-16T00:00:00Z; from and to are required.")
		}
		*at = t
	}
	if w.Before.IsZero() {
		w.Before = w.From
	}
	if err := w.Check(); err != nil {
		return w, malformed(err.Error() + ".")
	}
	return w, nil
}

func encodeThemes(program store.Key, found []themes.Theme) []byte {
	wire := wireThemes{Program: program.String(), Themes: make([]wireTheme, len(found))}
	for i, t := range found {
		wire.Themes[i] = wireTheme(t)
	}
	body, err := json.Marshal(wire)
	if err != nil { // texts and numbers can be written
		panic(err)
	}
	return body
}

// Themes asks the endpoint for the themes of a window.
func (c *Client) Themes(ctx context.Context, w themes.Window) ([]themes.Theme, error) {
	if err := w.Check(); err != nil {
		return nil, err
	}
	q := url.Values{}
	for name, at := range map[string]time.Time{"before": w.Before, "from": w.From, "to": w.To} {
		q.Set(name, at.UTC().Format(time.RFC3339))
	}
	body, err := c.call(ctx, pathThemes+"?"+q.Encode(), themes.ReadTimeout+readTimeout, maxThemesSize)
	if err != nil {
		return nil, err
	}
	return decodeThemes(c.options.Program, body)
}

// decodeThemes reads the themes of a program, and refuses what no endpoint says: they go into an object that people read.
func decodeThemes(program store.Key, data []byte) ([]themes.Theme, error) {
	var wire wireThemes
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, errors.New("the themes are not written as they should be")
	}
	if wire.Program != program.String() {
		return nil, errors.New("the endpoint at the program's address serves another program")
	}
	if len(wire.Themes) > themes.Most {
		return nil, errors.New("the themes are too many")
	}
	var found []themes.Theme
	for _, t := range wire.Themes {
		if err := t.check(); err != nil {
			return nil, err
		}
		found = append(found, themes.Theme(t))
	}
	return found, nil
}

func (t wireTheme) check() error {
	if n := utf8.RuneCountInString(t.Words); n < 1 || n > maxWords || len(t.Question) > 63 || t.Question == "" {
		return errors.New("the words of a theme are out of range")
	}
	if strings.ContainsFunc(t.Words, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && r != ' ' }) {
		return errors.New("the words of a theme hold more than words")
	}
	if !isCount(t.Comments) || t.Before != 0 && !isCount(t.Before) {
		return errors.New("the comments of a theme are out of range")
	}
	return nil
}

func isCount(n int64) bool { return n >= themes.Least && n <= maxComments }
