package intake

import (
	"bytes"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/google/uuid"
)

// overloaded is what answers are told that found no turn, and overloadedLine the same as a line of JSON.
var (
	overloaded     = unavailable.because("Too many responses are arriving. Send the same id again.").after(retryBusy)
	overloadedLine = must(encode(overloaded))
	retrySoon      = []string{strconv.Itoa(overloaded.retrySeconds())}
	typeProblem    = []string{"application/problem+json"}
)

// turnAway answers a JSON call that found no turn.
func (s *Server) turnAway(w http.ResponseWriter, served *served) {
	s.metrics.reject(served.key, overloaded, 1)
	w.Header()["Retry-After"] = retrySoon
	writeLine(w, overloaded.Status, typeProblem, overloadedLine)
}

// busyPage is a page that sends a form again as it was sent. What was filled in stands between its two halves, where nobody sees
// it: to show the form itself again would take longer than to store its answers.
type busyPage struct {
	before, after    []byte
	language, policy []string
}

// busyKey is all that a busyPage depends on.
type busyKey struct{ survey, touchpoint, language string }

func newBusyPages() memo[busyKey, *busyPage] {
	const most = 2 << 20 // bytes: about 300 of the usual length
	return memo[busyKey, *busyPage]{size: most, weigh: (*busyPage).weight}
}

func (b *busyPage) weight() int {
	const entry = 512
	if b == nil {
		return entry
	}
	return entry + len(b.before) + len(b.after)
}

// halves stands where a busyPage is cut. No text of a survey has control characters.
const halves = "\x01"

// renderBusy returns nil where the page cannot be rendered or cut.
func renderBusy(p page) *busyPage {
	v := p.frame()
	v.Failed, v.Notice, v.Action, v.FormID = true, v.W.ErrSaving, p.path+sentQuery, halves
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, "busy", v); err != nil {
		return nil
	}
	before, after, found := bytes.Cut(page.Bytes(), []byte(halves))
	if !found {
		return nil
	}
	return &busyPage{bytes.Clone(before), bytes.Clone(after), []string{v.Lang}, []string{securityPolicy(v)}}
}

// showBusy answers a form that found no turn. It keeps all that was filled in, to be sent again by one button.
func (s *Server) showBusy(w http.ResponseWriter, r *http.Request, served *served, p page, f form) {
	s.metrics.reject(served.key, overloaded, 1)
	render := func(busyKey) *busyPage { return renderBusy(p) }
	var b *busyPage
	if p.survey.Hash == "" { // it was not compiled: nothing can be remembered of it
		b = render(busyKey{})
	} else {
		b = s.busy.get(busyKey{p.survey.Hash, p.touchpoint, p.language}, render)
	}
	if b == nil {
		s.showAgain(w, r, p, f, overloaded)
		return
	}
	if uuid.Validate(f.id) != nil {
		if !s.renew(w, r, &f) {
			return
		}
		f.values.Set(fieldID, f.id)
	}
	h := w.Header()
	h["Retry-After"], h["Content-Language"], h["Content-Security-Policy"] = retrySoon, b.language, b.policy
	buffer := newBuffer()
	defer buffers.Put(buffer)
	buffer.Write(b.before)
	writeHidden(buffer, f.values)
	buffer.Write(b.after)
	writePage(w, overloaded.Status, view{history: f.history()}.caching(), false, buffer.Bytes())
}

// writeHidden writes the values as fields that nobody sees.
func writeHidden(to *bytes.Buffer, values url.Values) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			to.WriteString(`<input type="hidden" name="`)
			to.WriteString(html.EscapeString(name))
			to.WriteString(`" value="`)
			to.WriteString(html.EscapeString(value))
			to.WriteString("\">\n")
		}
	}
}
