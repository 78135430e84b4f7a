package intake

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// themed returns the page's style with a sender's colours.
func themed(b *survey.Branding) template.CSS {
	if b == nil {
		return template.CSS(style)
	}
	var css strings.Builder
	css.WriteString(style)
	if b.Light != nil {
		fmt.Fprintf(&css, "@media not all and (prefers-color-scheme:dark){:root{%s}}\n", properties(*b.Light))
	}
	if b.Dark != nil {
		fmt.Fprintf(&css, "@media (prefers-color-scheme:dark){:root{%s}}\n", properties(*b.Dark))
	}
	return template.CSS(css.String()) //nolint:gosec // Compile wrote the colours: #rrggbb and nothing else.
}

// properties are a palette's colours under the names that the style has for them.
func properties(p survey.Palette) string {
	return fmt.Sprintf("--text:%s;--soft:%s;--ground:%s;--line:%s;--tile:%s;--accent:%s;--on-accent:%s;--wrong:%s;--on:%s",
		p.Text, p.Soft, p.Ground, p.Line, p.Tile, p.Accent, p.OnAccent, p.Wrong, p.Chosen)
}

// logo returns the address of a sender's logo, empty for none.
func logo(b *survey.Branding) template.URL {
	if b == nil {
		return ""
	}
	return template.URL(b.Logo) //nolint:gosec // CheckProgram takes only data URIs of pictures that hold no scripts.
}

// securityPolicy allows a page nothing but its own style, form, script and logo, and only the pages of the program's own choice to
// show it in a frame: nothing of a third party, and no script that does not stand in this program. Pictures stand in the page.
func securityPolicy(v view) string {
	policy := "default-src 'none'; style-src " + sourceOf([]byte(v.Style)) + "; img-src data:; "
	if v.Script != nil {
		policy += "script-src " + v.Script.source + "; "
	}
	if v.Visits != "" {
		policy += "connect-src 'self'; "
	}
	if v.Bits > 0 {
		policy += "worker-src 'self'; "
	}
	ancestors := "'none'"
	if len(v.frames) > 0 {
		ancestors = strings.Join(v.frames, " ")
	}
	return policy + "form-action 'self'; base-uri 'none'; frame-ancestors " + ancestors
}
