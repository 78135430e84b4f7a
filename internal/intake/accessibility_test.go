package intake

import (
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/cx-operator/cx-operator/internal/survey"
)

func TestPageIsAccessible(t *testing.T) {
	h := newHarness(t)
	pages := map[string]string{
		"form":   h.get(pagePath + "?team=area-a").Body.String(),
		"errors": h.postForm(pagePath, url.Values{"_id": {id1}, "security": {"9"}, "comment": {strings.Repeat("x", 300)}}).Body.String(),
		"erase":  h.get(pagePath + "/erase").Body.String(),
		"thanks": h.get(pagePath + "?receipt=0123456789ABCDEFGHJK").Body.String(),
		"robot":  h.postForm(pagePath, url.Values{"_id": {id1}, "_website": {"x"}}).Body.String(),
		"link":   h.get(pagePath + "?invitation=x").Body.String(),
	}
	steps := stepHarness(t)
	steps.serve(func() *survey.Survey { s := stepSurvey(t); s.Access.ProofBits = 16; return s }())
	first := steps.get(pagePath)
	pages["step"], pages["next step"] = first.Body.String(), steps.send(first, url.Values{"recommend": {"3"}}).Body.String()
	for name, page := range pages {
		t.Run(name, func(t *testing.T) {
			for _, fault := range accessibility(t, page) {
				t.Error(fault)
			}
		})
	}
	if faults := accessibility(t, `<input id="a" type="radio"><p id="a" aria-describedby="b"><a href="#c"></a><label><input name="a"> </label><label>x<input name="b"></label><label><input name="c"> x</label>`); len(faults) != 6 {
		t.Errorf("the check sees only %v", faults)
	}
	if faults := accessibility(t, `<div aria-hidden="true"><p><label for="a">x</label><input id="a" tabindex="-1"><label for="b">x</label><input id="b" autocomplete="off"><a href="/">x</a></p></div>`); len(faults) != 4 {
		t.Errorf("the check of what is hidden sees only %v", faults)
	}
}

// TestNobodyMeetsTheTrap: the field for robots is there once, under a label that says what to do for those who have no style, and
// the style hides it without taking it from the page's flow of reading.
func TestNobodyMeetsTheTrap(t *testing.T) {
	h := newHarness(t)
	for _, path := range []string{pagePath, pagePath + "/security?lang=es"} {
		body := h.get(path).Body.String()
		trap := regexp.MustCompile(`(?s)<div class="off" aria-hidden="true">(.*?)</div>`).FindAllStringSubmatch(body, -1)
		if len(trap) != 1 || strings.Count(body, `name="_website"`) != 1 || !strings.Contains(trap[0][1], `name="_website" value="" tabindex="-1" autocomplete="off"`) {
			t.Errorf("%s: the trap is %v", path, trap)
		}
	}
	rule := regexp.MustCompile(`\.off\{([^}]*)\}`).FindStringSubmatch(style)
	if rule == nil || !strings.Contains(rule[1], "position:absolute") || !strings.Contains(rule[1], "clip-path:inset(50%)") {
		t.Errorf("the trap is seen: %v", rule)
	}
	// Its label must not read like something that browsers fill in.
	for _, w := range allWords {
		for _, word := range []string{"mail", "name", "phone", "address", "http", "web"} {
			if strings.Contains(strings.ToLower(w.LeaveEmpty), word) {
				t.Errorf("%s: the label of the trap has %q", w.Tag, word)
			}
		}
	}
}

// hiddenFrom says whether a node is hidden from screen readers.
func hiddenFrom(node *html.Node) bool {
	for n := node; n != nil; n = n.Parent {
		for _, a := range n.Attr {
			if a.Key == "aria-hidden" && a.Val == "true" {
				return true
			}
		}
	}
	return false
}

// accessibility checks what a machine can see without rendering: IDs stand once, every reference has its target, every
// input its label, and every choice of several its group.
func accessibility(t *testing.T, page string) []string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	ids, labelled := map[string]int{}, map[string]bool{}
	var references, faults []string
	var inputs []*html.Node
	for node := range doc.Descendants() {
		attribute := map[string]string{}
		for _, a := range node.Attr {
			attribute[a.Key] = a.Val
		}
		if id := attribute["id"]; id != "" {
			ids[id]++
		}
		references = append(references, strings.Fields(attribute["aria-describedby"]+" "+attribute["aria-labelledby"])...)
		if target, ok := strings.CutPrefix(attribute["href"], "#"); ok {
			references = append(references, target)
		}
		focusable := node.Data == "a" || node.Data == "button" || node.Data == "textarea" || node.Data == "input" && attribute["type"] != "hidden"
		if focusable && hiddenFrom(node) {
			if attribute["tabindex"] != "-1" {
				faults = append(faults, "the keyboard reaches a hidden "+node.Data)
			}
			if node.Data == "input" && attribute["autocomplete"] != "off" {
				faults = append(faults, "a hidden input is filled in by browsers")
			}
			if node.Data == "a" {
				faults = append(faults, "a hidden link")
			}
		}
		switch {
		case node.Data == "label" && attribute["for"] != "":
			labelled[attribute["for"]] = true
		case node.Data == "textarea", node.Data == "input" && attribute["type"] != "hidden":
			inputs = append(inputs, node)
		}
	}
	for id, n := range ids {
		if n > 1 {
			faults = append(faults, "id "+id+" stands more than once")
		}
	}
	for _, r := range references {
		if ids[r] == 0 {
			faults = append(faults, "nothing has the id "+r)
		}
	}
	for _, input := range inputs {
		if !labelled[attributeOf(input, "id")] && !withinLabel(input) {
			faults = append(faults, "no label for "+attributeOf(input, "name"))
		}
	}
	return faults
}

func attributeOf(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// withinLabel says whether the input is the first thing in a label with words, which must not be meant for another one.
func withinLabel(input *html.Node) bool {
	label := input.Parent
	if label.Data != "label" || attributeOf(label, "for") != "" || label.FirstChild != input {
		return false
	}
	for node := range label.Descendants() {
		if node.Type == html.TextNode && strings.TrimSpace(node.Data) != "" {
			return true
		}
	}
	return false
}

// TestColoursHaveContrast computes WCAG 2.2 contrast of the style's colours, light and dark: 4.5 for text, 3 for lines.
func TestColoursHaveContrast(t *testing.T) {
	schemes := regexp.MustCompile(`:root\{([^}]*)\}`).FindAllStringSubmatch(style, -1)
	if len(schemes) != 2 {
		t.Fatalf("%d colour schemes, want 2", len(schemes))
	}
	for _, scheme := range schemes {
		colour := map[string]string{}
		for definition := range strings.SplitSeq(scheme[1], ";") {
			name, value, _ := strings.Cut(definition, ":")
			colour[name] = value
		}
		for _, c := range []struct {
			front, back string
			least       float64
		}{
			{"--text", "--ground", 4.5}, {"--text", "--tile", 4.5}, {"--text", "--on", 4.5}, {"--soft", "--ground", 4.5}, {"--soft", "--tile", 4.5},
			{"--accent", "--ground", 4.5}, {"--on-accent", "--accent", 4.5}, {"--wrong", "--ground", 4.5}, {"--line", "--ground", 3}, {"--line", "--tile", 3},
		} {
			if got := contrast(t, colour[c.front], colour[c.back]); got < c.least {
				t.Errorf("%s on %s: %.2f, want %v", c.front, c.back, got, c.least)
			}
		}
	}
	if got := contrast(t, "#000", "#fff"); math.Abs(got-21) > 1e-9 {
		t.Errorf("black on white: %v, want 21", got)
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + .05) / (min(la, lb) + .05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	hex := strings.TrimPrefix(colour, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 24)
	if err != nil {
		t.Fatalf("colour %q: %v", colour, err)
	}
	linear := func(shift int) float64 {
		c := float64(n>>shift&255) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return .2126*linear(16) + .7152*linear(8) + .0722*linear(0)
}
