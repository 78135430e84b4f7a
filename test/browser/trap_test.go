package browser

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/autofill"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestNobodyMeetsTheTrap: neither the keyboard, in both directions and past the end, nor the mouse, nor a screen reader finds
// the field that is for robots.
func TestNobodyMeetsTheTrap(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("visit", ""))
	for _, direction := range []chromedp.Modifier{chromedp.ModifierNone, chromedp.ModifierShift} {
		var met []string
		for range 13 {
			b.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(direction)))
			met = append(met, value[string](b, `document.activeElement.name || document.activeElement.localName`))
		}
		if !slices.Contains(met, "comment") || !slices.Contains(met, "button") || !slices.Contains(met, "recommend") {
			t.Errorf("the keyboard does not go round the page: %v", met)
		}
		if slices.Contains(met, "_website") {
			t.Errorf("the keyboard meets it: %v", met)
		}
	}
	for selector, hit := range map[string]bool{"#website": false, "#q_comment": true} {
		if got := value[bool](b, `(() => {
			const box = document.querySelector('`+selector+`')
			box.scrollIntoView({block: 'center'})
			const r = box.getBoundingClientRect()
			for (let x = r.left; x < r.right; x++) for (let y = r.top; y < r.bottom; y++) if (document.elementFromPoint(x, y) === box) return true
			return false
		})()`); got != hit {
			t.Errorf("the mouse meets %s: %v", selector, got)
		}
	}
	tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		t.Fatal(err)
	}
	var boxes, words []string
	for _, n := range tree.Nodes {
		if n.Ignored || n.Name == nil {
			continue
		}
		if n.Role != nil && string(n.Role.Value) == `"textbox"` {
			boxes = append(boxes, string(n.Name.Value))
		}
		words = append(words, string(n.Name.Value))
	}
	if len(boxes) != 1 || !strings.Contains(boxes[0], "What should we know?") || strings.Contains(strings.Join(words, "\n"), "leave this field empty") {
		t.Errorf("a screen reader meets the boxes %v among %v", boxes, words)
	}
}

// TestTrap: a robot that fills in every box sees what people see, and is kept apart.
func TestTrap(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("visit", "?recommend=10"))
	value[bool](b, `document.querySelectorAll('input:not([type]), textarea').forEach(e => e.value = 'cheap watches') === undefined`)
	b.load(click(send))
	b.sees("Thank you")
	b.sees("Your receipt")
	robot := answers{"recommend": "10", "comment": "cheap watches", "@standing": "suspect", "@failed": "honeypot", "@passed": "page time"}
	e.want("visit", robot)
	e.wantCounts("visit", map[string]int64{"@suspect honeypot": 1})
}

// TestAutofill: a browser that fills in what it knows of a person leaves the field for robots alone, whichever box it begins
// with. It leaves the boxes of questions alone, too, so these are made to be the kind that it fills in.
func TestAutofill(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e, command(autofill.Enable, cdp.Empty{}))
	address := &autofill.Address{}
	for name, value := range map[string]string{
		"NAME_FULL": "Ada Lovelace", "EMAIL_ADDRESS": "ada@example.org", "COMPANY_NAME": "Analytical Engines", "PHONE_HOME_WHOLE_NUMBER": "+14155550100",
		"ADDRESS_HOME_STREET_ADDRESS": "12 Main Street", "ADDRESS_HOME_CITY": "San Francisco", "ADDRESS_HOME_ZIP": "94105", "ADDRESS_HOME_COUNTRY": "US",
	} {
		address.Fields = append(address.Fields, &autofill.AddressField{Name: name, Value: value})
	}
	b.open(e.page("contact", ""))
	const boxes = `[...document.querySelectorAll('form input:not([type=hidden])')]`
	value[bool](b, `document.querySelectorAll('textarea').forEach(t => {
		const i = document.createElement('input')
		i.id = t.id
		i.name = t.name
		t.replaceWith(i)
	}) === undefined`)
	// The second time, it is asked to begin with the field for robots, now that it has looked at the form.
	for _, first := range []string{"#q_name", "#website"} {
		value[bool](b, boxes+`.forEach(i => i.value = '') === undefined`)
		b.trigger(first, address)
		b.trigger("#q_email", address)
		got := value[map[string]string](b, `Object.fromEntries(`+boxes+`.map(i => [i.name, i.value]))`)
		if want := (map[string]string{
			"name": "Ada Lovelace", "street": "12 Main Street", "city": "San Francisco", "zip": "94105", "email": "ada@example.org", "_website": "",
		}); !maps.Equal(got, want) {
			t.Errorf("from %s the browser fills in %v", first, got)
		}
	}
	b.load(click(send))
	b.sees("Thank you")
	e.want("contact", answers{"name": "Ada Lovelace", "street": "12 Main Street", "city": "San Francisco", "zip": "94105", "email": "ada@example.org"})
}

// trigger lets the browser fill in the form from a field on, and waits until it has, unless the field is the one for robots,
// from which it never does.
func (b *tab) trigger(field string, address *autofill.Address) {
	b.t.Helper()
	nodes, err := chromedp.Run(b.ctx, chromedp.Nodes(chromedp.CSS(field), chromedp.NodeReady))
	if err != nil {
		b.t.Fatal(err)
	}
	node, err := chromedp.Call(b.ctx, dom.DescribeNode, dom.DescribeNodeParams{NodeID: nodes[0].NodeID})
	if err != nil {
		b.t.Fatal(err)
	}
	fill := command(autofill.Trigger, autofill.TriggerParams{FieldID: node.Node.BackendNodeID, Address: address})
	b.do(fill)
	if field == "#website" {
		return
	}
	// The browser takes its time to look at a form before it fills it in.
	b.until(field+" is filled in", func() bool {
		b.do(fill)
		return value[bool](b, `document.querySelector('`+field+`').value !== ''`)
	})
}
