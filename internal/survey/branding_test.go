package survey

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
)

func TestCheckBranding(t *testing.T) {
	type colors = v1alpha1.Colors
	encode := func(kind, content string) string {
		return "data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString([]byte(content))
	}
	for name, c := range map[string]struct {
		branding v1alpha1.Branding
		want     []string
	}{
		"none":          {v1alpha1.Branding{}, nil},
		"readable":      {v1alpha1.Branding{Light: &colors{AccentColor: "#8a1f5c", BackgroundColor: "#fff8f0", TextColor: "#201020"}, Dark: &colors{AccentColor: "#ffd166"}}, nil},
		"accent":        {v1alpha1.Branding{Light: &colors{AccentColor: "#ff6600"}}, []string{"InvalidSpec spec.survey.branding.light.accentColor: #ff6600 on the background #ffffff has a contrast of 2.93, at least 4.5 is needed"}},
		"dark accent":   {v1alpha1.Branding{Dark: &colors{AccentColor: "#0b57a4"}}, []string{"InvalidSpec spec.survey.branding.dark.accentColor: #0b57a4 on the background #14171b"}},
		"text":          {v1alpha1.Branding{Light: &colors{TextColor: "#777777"}}, []string{"InvalidSpec spec.survey.branding.light.textColor: #777777 on the background #ffffff has a contrast of 4.47, at least 7.0 is needed"}},
		"background":    {v1alpha1.Branding{Light: &colors{BackgroundColor: "#808080"}}, []string{"InvalidSpec spec.survey.branding.light.textColor", "InvalidSpec spec.survey.branding.light.accentColor"}},
		"no colour":     {v1alpha1.Branding{Light: &colors{AccentColor: "#12345g"}}, []string{"InvalidSpec spec.survey.branding.light.accentColor: must be a colour as #rrggbb"}},
		"png":           {v1alpha1.Branding{Logo: encode("png", "\x89PNG\r\n\x1a\nx")}, nil},
		"jpeg":          {v1alpha1.Branding{Logo: encode("jpeg", "\xff\xd8\xff\xe0")}, nil},
		"webp":          {v1alpha1.Branding{Logo: encode("webp", "RIFF....WEBPVP8 ")}, nil},
		"svg":           {v1alpha1.Branding{Logo: encode("svg+xml", "<svg onload=alert(1)>")}, []string{"InvalidSpec spec.survey.branding.logo: must be a data URI of a PNG, WebP or JPEG"}},
		"address":       {v1alpha1.Branding{Logo: "https://example.org/logo.png"}, []string{"InvalidSpec spec.survey.branding.logo: must be a data URI"}},
		"other content": {v1alpha1.Branding{Logo: encode("png", "<svg onload=alert(1)>")}, []string{"InvalidSpec spec.survey.branding.logo: says image/png, but its content is something else"}},
		"short":         {v1alpha1.Branding{Logo: encode("webp", "RIFF")}, []string{"InvalidSpec spec.survey.branding.logo: says image/webp"}},
		"base64":        {v1alpha1.Branding{Logo: "data:image/png;base64,AAA"}, []string{"InvalidSpec spec.survey.branding.logo: its base64 is broken"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProgram()
			p.Spec.Survey.Branding = &c.branding
			wantProblems(t, CheckProgram(p), c.want)
			if s, _ := Compile(p, nil, nil); (s != nil) != (c.want == nil) {
				t.Errorf("compiled: %v", s != nil)
			}
		})
	}
}

func TestContrast(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{{"#000000", "#ffffff", 21}, {"#ffffff", "#ffffff", 1}, {"#777777", "#ffffff", 4.478}, {"#ff0000", "#ffffff", 3.998}, {"#0000ff", "#000000", 2.444}} {
		if got := contrast(mustColor(c.a), mustColor(c.b)); math.Abs(got-c.want) > 0.001 {
			t.Errorf("%s on %s: %.3f, want %.3f", c.a, c.b, got, c.want)
		}
	}
}

// TestPaletteIsReadable: whatever colours the check takes, all that follow from them have the contrasts of WCAG 2.2 AA.
func TestPaletteIsReadable(t *testing.T) {
	drawn := rapid.StringMatching(`#[0-9a-f]{6}`)
	rapid.Check(t, func(t *rapid.T) {
		light := v1alpha1.Colors{AccentColor: drawn.Draw(t, "accent"), BackgroundColor: drawn.Draw(t, "background"), TextColor: drawn.Draw(t, "text")}
		if rapid.Bool().Draw(t, "own background") {
			light.BackgroundColor, light.TextColor = "", ""
		}
		b := v1alpha1.Branding{Light: &light}
		if len(checkBranding(&b)) > 0 {
			return
		}
		compiled := compileBranding(&b)
		for name, p := range map[string]*Palette{"light": compiled.Light, "dark": compiled.Dark} {
			wantReadable(t, name, p)
		}
	})
}

func wantReadable(t *rapid.T, name string, p *Palette) {
	for _, c := range []struct {
		what, front, back string
		least             float64
	}{
		{"text on ground", p.Text, p.Ground, 4.5}, {"text on tile", p.Text, p.Tile, 4.5}, {"text on chosen", p.Text, p.Chosen, 4.5},
		{"soft on ground", p.Soft, p.Ground, 4.5}, {"soft on tile", p.Soft, p.Tile, 4.5}, {"accent", p.Accent, p.Ground, 4.5},
		{"on accent", p.OnAccent, p.Accent, 4.5}, {"wrong", p.Wrong, p.Ground, 4.5}, {"line on ground", p.Line, p.Ground, 3}, {"line on tile", p.Line, p.Tile, 3},
	} {
		if got := contrast(mustColor(c.front), mustColor(c.back)); got < c.least {
			t.Fatalf("%s: %s: %s on %s has %.2f, want %v", name, c.what, c.front, c.back, got, c.least)
		}
	}
}

func TestBrandingIsCompiled(t *testing.T) {
	p := newProgram()
	p.Spec.Survey.Branding = &v1alpha1.Branding{Light: &v1alpha1.Colors{AccentColor: "#8A1F5C"}}
	p.Spec.Endpoint.FrameAncestors = []string{"https://b.example", "https://a.example"}
	p.Spec.Survey.ThankYou = v1alpha1.LocalizedText{"en": "See you", "pt-br": "Até logo"}
	s, problems := Compile(p, nil, nil)
	if s == nil {
		t.Fatal(problems)
	}
	if got := s.Branding.Light; got.Accent != "#8a1f5c" || got.Ground != "#ffffff" || got.OnAccent != "#ffffff" {
		t.Errorf("light: %+v", got)
	}
	if got := s.Branding.Dark; got == nil || got.Accent == "#8a1f5c" || got.Ground != ownDark.Ground {
		t.Errorf("dark follows not from light: %+v", got)
	}
	if strings.Join(s.FrameAncestors, " ") != "https://a.example https://b.example" || s.ThankYou["pt-BR"] != "Até logo" {
		t.Errorf("%v, %v", s.FrameAncestors, s.ThankYou)
	}
}
