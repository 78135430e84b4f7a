package browser

import (
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
)

// byLink is what the checks say of a person who came by a link.
var byLink = answers{"@passed": "honeypot link page time"}

func with(a, more answers) answers {
	all := maps.Clone(a)
	maps.Copy(all, more)
	return all
}

// forged is a link with another letter at its end.
func forged(link string) string {
	last := "A"
	if strings.HasSuffix(link, last) {
		last = "Q"
	}
	return link[:len(link)-1] + last
}

// expired is a link that has expired, in a language.
func expired(e *endpoint, program, language string) string {
	link := e.invite(program, map[string]any{"id": uuid.NewString(), "language": language, "validDays": 1})
	e.pass(25 * time.Hour)
	return link
}

// token is what an address says an invitation by.
func token(link string) string {
	address, err := url.Parse(link)
	if err != nil {
		return err.Error()
	}
	return address.Query().Get("invitation")
}

// spend answers by a link, elsewhere.
func (e *endpoint) spend(program, link string) {
	e.t.Helper()
	var receipt struct{ Receipt string }
	e.call(program+"/responses", map[string]any{"id": uuid.NewString(), "invitation": token(link), "answers": map[string]any{"recommend": 1}}, &receipt)
}

// TestLinkOfSingleUse: whoever has it answers once, for the touchpoint and team of the link; opening it again, and what was
// opened before, leads to a message.
func TestLinkOfSingleUse(t *testing.T) {
	e := newEndpoint(t)
	link := e.invite("invited", map[string]any{"id": uuid.NewString(), "contact": "ada@example.org", "touchpoint": "cafe", "team": "waiters"})
	e.wantCounts("invited", map[string]int64{"@invited": 1})
	late := newTab(e)
	late.open(link)
	b := newTab(e)
	b.open(link)
	b.sees("About: The café")
	b.sees("About: The waiters")
	e.want("invited")
	b.do(click(label("recommend", "9")))
	b.load(click(send))
	b.sees("Thank you")
	if value[bool](b, `document.documentElement.outerHTML.includes('invitation=') || location.href.includes('invitation') || document.body.innerText.includes('Start a new form')`) {
		t.Error("the thank-you page leads on by the link")
	}
	want := with(byLink, answers{"recommend": "9", "@touchpoint": "cafe", "@team": "waiters"})
	e.want("invited", want)
	e.wantCounts("invited", map[string]int64{"@invited": 1, "@answered": 1, "@completed": 1, "@seconds 5": 1})

	// The same answer once more is acknowledged once more.
	b.goBack()
	b.sees("How likely")
	b.load(click(send))
	b.sees("Thank you")

	// Another one is not, and is told so where it is sent.
	late.do(click(label("recommend", "1")))
	late.load(click(send))
	late.sees("This link has already been used")
	b.until("the link is known to be used", func() bool { // a page does not wait long to learn it
		b.open(link)
		return strings.Contains(b.text(), "This link has already been used")
	})
	e.want("invited", want)
}

// TestLinkByKeyboardWithoutScript goes through the steps of an invitation in Arabic, without scripts, and comes back later.
func TestLinkByKeyboardWithoutScript(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e, withoutScript)
	b.open(e.invite("invited", map[string]any{"id": uuid.NewString(), "language": "ar", "singleUse": true}))
	b.tabTo(`[name=recommend]`)
	b.key(" ")
	b.tabTo(`button`)
	b.load(chromedp.KeyEvent("\r"))
	b.sees("ماذا ينبغي أن نعرف؟")
	b.open(value[string](b, `document.querySelector('a.target').href`))
	b.tabTo(`#q_comment`)
	b.key("رائع")
	b.tabTo(send)
	b.load(chromedp.KeyEvent("\r"))
	b.sees("شكرًا لك")
	e.want("invited", with(byLink, answers{"@language": "ar", "recommend": "0", "comment": "رائع"}))
	e.wantCounts("invited", map[string]int64{"@invited": 1, "@answered": 1, "@completed": 1, "@seconds 10": 1})
}

// TestLinksThatAreRefused: the message is in the reader's language, and there is no form.
func TestLinksThatAreRefused(t *testing.T) {
	e := newEndpoint(t)
	good := e.invite("invited", map[string]any{"id": uuid.NewString(), "touchpoint": "cafe"})
	query := "?invitation=" + token(good)
	b := newTab(e)
	for _, c := range []struct{ name, address, want string }{
		{"missing", e.page("invited", ""), "This survey is by invitation"},
		{"missing, in German", e.page("invited", "?lang=de"), "Diese Umfrage ist für Eingeladene"},
		{"forged", forged(good), "This link does not work"},
		{"cut off", good[:len(good)-20], "This link does not work"},
		{"another program's", e.page("visit", query), "This link does not work"},
		{"another touchpoint's", e.page("invited", query), "There is no survey at this address"},
		{"another team's", good + "&team=waiters", "There is no survey at this address"},
		{"expired", expired(e, "invited", "en"), "This link has expired"},
		{"expired, in Arabic", expired(e, "invited", "ar"), "انتهت صلاحية هذا الرابط"},
		{"expired, of an open program", expired(e, "visit", "en"), "This link has expired"},
	} {
		b.open(c.address)
		if text := b.text(); !strings.Contains(text, c.want) || value[int](b, `document.forms.length`) != 0 {
			t.Errorf("%s: %s", c.name, text)
		}
	}
	b.open(good)
	b.sees("How likely")
	e.want("invited")
	e.wantCounts("invited", map[string]int64{})
}

// TestLinkExpiresMeanwhile: who opened the form in time has a day more to send it.
func TestLinkExpiresMeanwhile(t *testing.T) {
	e := newEndpoint(t)
	link := e.invite("invited", map[string]any{"id": uuid.NewString(), "touchpoint": "cafe", "validDays": 1}) + "&recommend=6"
	b, late := newTab(e), newTab(e)
	b.open(link)
	late.open(link)
	e.pass(47 * time.Hour)
	b.load(click(send))
	b.sees("Thank you")
	want := with(byLink, answers{"recommend": "6", "@touchpoint": "cafe"})
	e.want("invited", want)
	e.pass(time.Hour)
	late.load(click(send))
	late.sees("This link has expired")
	e.want("invited", want)
}
