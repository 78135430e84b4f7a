package survey

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
)

// The contrasts that WCAG 2.2 asks for at level AA: of text (1.4.3), and of what shows where a control is (1.4.11).
const (
	textContrast = 4.5
	lineContrast = 3
	// ownTextContrast is asked of an author's text colour, so that a quieter text derived from it still has textContrast.
	ownTextContrast = 7
)

// Branding is what makes a page look like the sender's.
type Branding struct {
	// Logo is a data URI, empty for none.
	Logo string `json:"logo,omitempty"`
	// Light and Dark are the colours that differ from the page's own; nil for none.
	Light *Palette `json:"light,omitempty"`
	Dark  *Palette `json:"dark,omitempty"`
}

// Palette has all colours of a page as #rrggbb, with the contrasts of WCAG 2.2 AA between those that meet.
type Palette struct {
	// Text on Ground, Tile and Chosen; Soft is quieter text on Ground and Tile.
	Text   string `json:"text"`
	Soft   string `json:"soft"`
	Ground string `json:"ground"`
	// Line around a control, Tile below an answer, Chosen below the chosen answer.
	Line   string `json:"line"`
	Tile   string `json:"tile"`
	Chosen string `json:"chosen"`
	// Accent of the button, links and focus; OnAccent on it.
	Accent   string `json:"accent"`
	OnAccent string `json:"onAccent"`
	// Wrong is the colour of errors.
	Wrong string `json:"wrong"`
}

// The page's own colours.
var (
	ownLight = Palette{Text: "#1b1f24", Ground: "#ffffff", Accent: "#0b57a4", Wrong: "#b3180f"}
	ownDark  = Palette{Text: "#eceff3", Ground: "#14171b", Accent: "#8fc0ff", Wrong: "#ff9d94"}
)

// compileBranding returns the branding of a survey that checkBranding has found right.
func compileBranding(b *v1alpha1.Branding) *Branding {
	if b == nil {
		return nil
	}
	out := &Branding{Logo: b.Logo}
	if b.Light != nil {
		out.Light = palette(*b.Light, ownLight)
	}
	switch {
	case b.Dark != nil:
		out.Dark = palette(*b.Dark, ownDark)
	case b.Light != nil && b.Light.AccentColor != "":
		// The same accent, as much lighter as a dark ground asks for.
		lighter := reach(mustColor(b.Light.AccentColor), white, mustColor(ownDark.Ground), textContrast)
		out.Dark = palette(v1alpha1.Colors{AccentColor: lighter.String()}, ownDark)
	}
	return out
}

// palette completes an author's colours from the page's own.
func palette(c v1alpha1.Colors, own Palette) *Palette {
	text, ground, accent := mustColor(first(c.TextColor, own.Text)), mustColor(first(c.BackgroundColor, own.Ground)), mustColor(first(c.AccentColor, own.Accent))
	p := Palette{Text: text.String(), Ground: ground.String(), Accent: accent.String()}
	tile := tint(text, ground, text)
	p.Tile, p.Chosen = tile.String(), tint(accent, ground, text).String()
	p.Soft = quiet(text, ground, tile, textContrast).String()
	p.Line = quiet(text, ground, tile, lineContrast).String()
	p.OnAccent = white.String()
	if contrast(black, accent) > contrast(white, accent) {
		p.OnAccent = black.String()
	}
	p.Wrong = p.Text // where no red can be read: the words and the line beside them still say it
	for _, wrong := range []string{own.Wrong, ownLight.Wrong, ownDark.Wrong} {
		if contrast(mustColor(wrong), ground) >= textContrast {
			p.Wrong = wrong
			break
		}
	}
	return &p
}

// tint puts a little of a colour into the ground, as much as text on it can bear.
func tint(c, ground, text color) color {
	for share := 0.12; share > 0.01; share -= 0.02 {
		if t := mix(ground, c, share); contrast(text, t) >= textContrast {
			return t
		}
	}
	return ground
}

// quiet returns the colour between the text's and the ground's that is nearest to the ground and still has the contrast
// to ground and tile.
func quiet(text, ground, tile color, least float64) color {
	for share := 0.5; share > 0; share -= 0.05 {
		if c := mix(text, ground, share); contrast(c, ground) >= least && contrast(c, tile) >= least {
			return c
		}
	}
	return text
}

// reach moves a colour towards another until it has the contrast to the ground.
func reach(from, to, ground color, least float64) color {
	for share := 0.0; share < 1; share += 0.05 {
		if c := mix(from, to, share); contrast(c, ground) >= least {
			return c
		}
	}
	return to
}

func first(value, otherwise string) string {
	if value != "" {
		return value
	}
	return otherwise
}

// checkBranding refuses colours that cannot be read, and a logo that is not what it says.
func checkBranding(b *v1alpha1.Branding) []Problem {
	if b == nil {
		return nil
	}
	var problems []Problem
	const field = "spec.survey.branding"
	if b.Logo != "" {
		if err := checkLogo(b.Logo); err != nil {
			problems = append(problems, Problem{v1alpha1.ReasonInvalidSpec, field + ".logo", err.Error()})
		}
	}
	if b.Light != nil {
		problems = append(problems, checkColors(field+".light", *b.Light, ownLight)...)
	}
	if b.Dark != nil {
		problems = append(problems, checkColors(field+".dark", *b.Dark, ownDark)...)
	}
	return problems
}

func checkColors(field string, c v1alpha1.Colors, own Palette) []Problem {
	var problems []Problem
	colors := map[string]color{}
	for _, named := range []struct{ name, value, own string }{
		{"textColor", c.TextColor, own.Text}, {"backgroundColor", c.BackgroundColor, own.Ground}, {"accentColor", c.AccentColor, own.Accent},
	} {
		parsed, ok := parseColor(first(named.value, named.own))
		if !ok {
			problems = append(problems, Problem{v1alpha1.ReasonInvalidSpec, field + "." + named.name, "must be a colour as #rrggbb, such as #0b57a4"})
		}
		colors[named.name] = parsed
	}
	if len(problems) > 0 {
		return problems
	}
	for _, pair := range []struct {
		name  string
		least float64
	}{{"textColor", ownTextContrast}, {"accentColor", textContrast}} {
		front, back := colors[pair.name], colors["backgroundColor"]
		if got := contrast(front, back); got < pair.least {
			problems = append(problems, Problem{v1alpha1.ReasonInvalidSpec, field + "." + pair.name, fmt.Sprintf(
				"%s on the background %s has a contrast of %.2f, at least %.1f is needed so that everybody can read it",
				front, back, math.Floor(got*100)/100, pair.least)})
		}
	}
	return problems
}

// logoURI is the shape of a logo; what can hold scripts, as SVG can, is not among the types.
var logoURI = regexp.MustCompile(`^data:image/(png|webp|jpeg);base64,([A-Za-z0-9+/]+={0,2})$`)

func checkLogo(uri string) error {
	parts := logoURI.FindStringSubmatch(uri)
	if parts == nil {
		return fmt.Errorf("must be a data URI of a PNG, WebP or JPEG, which begins with data:image/png;base64")
	}
	content, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return fmt.Errorf("its base64 is broken")
	}
	signatures := map[string]bool{
		"png":  bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")),
		"jpeg": bytes.HasPrefix(content, []byte("\xff\xd8\xff")),
		"webp": len(content) >= 12 && string(content[:4]) == "RIFF" && string(content[8:12]) == "WEBP",
	}
	if !signatures[parts[1]] {
		return fmt.Errorf("says image/%s, but its content is something else", parts[1])
	}
	return nil
}

// color is a colour in sRGB, red, green and blue from 0 to 255.
type color [3]uint8

var (
	white = color{255, 255, 255}
	black = color{0, 0, 0}
)

// String writes the colour as #rrggbb.
func (c color) String() string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) }

func parseColor(s string) (color, bool) {
	hex, found := strings.CutPrefix(s, "#")
	n, err := strconv.ParseUint(hex, 16, 24)
	if !found || err != nil || len(hex) != 6 {
		return color{}, false
	}
	return color{uint8(n >> 16), uint8(n >> 8), uint8(n)}, true
}

// mustColor reads a colour that was checked before.
func mustColor(s string) color {
	c, ok := parseColor(s)
	if !ok {
		panic("survey: not a colour: " + s)
	}
	return c
}

// mix returns a colour with the share of another in it, from 0 to 1.
func mix(c, other color, share float64) color {
	var out color
	for i := range out {
		out[i] = uint8(math.Round(float64(c[i])*(1-share) + float64(other[i])*share))
	}
	return out
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b color) float64 {
	la, lb := a.luminance(), b.luminance()
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// luminance is the relative luminance of WCAG 2.2, from 0 to 1.
func (c color) luminance() float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}
