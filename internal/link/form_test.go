package link_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/internal/link"
)

var (
	forms = link.NewFormKey(secret, "sfo", "passenger")
	form  = link.Form{ID: id, Touchpoint: "food", Team: "area-g"}
)

// TestFormTokenIsFixed: a form that was opened before an update of the endpoint must be known after it.
func TestFormTokenIsFixed(t *testing.T) {
	// Computed with Python's hmac, as that of a link.
	const want = "AaKX77nA09XiNqBBSwWvtsUrJA2yMQ"
	if got := forms.Sign(form, expires); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestFormRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := link.Form{
			ID:         uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")).String(),
			Touchpoint: rapid.StringN(0, -1, 253).Draw(t, "touchpoint"),
			Team:       rapid.StringN(0, -1, 253).Draw(t, "team"),
		}
		opened := time.UnixMilli(rapid.Int64Range(0, 1<<48-1).Draw(t, "opened")).UTC()
		token := forms.Sign(f, opened)
		if got, ok := forms.Opened(f, token); !ok || !got.Equal(opened) || len(token) != link.MaxFormToken {
			t.Fatalf("%s: %v, %v", token, got, ok)
		}
		if got, ok := forms.Opened(link.Form{ID: strings.ToUpper(f.ID), Touchpoint: f.Touchpoint, Team: f.Team}, token); !ok || !got.Equal(opened) {
			t.Fatal("the case of the ID matters")
		}
	})
}

func TestFormFlippedBit(t *testing.T) {
	token := forms.Sign(form, expires)
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(raw) {
		raw[bit/8] ^= 1 << (bit % 8)
		if _, ok := forms.Opened(form, base64.RawURLEncoding.EncodeToString(raw)); ok {
			t.Errorf("bit %d can be changed", bit)
		}
		raw[bit/8] ^= 1 << (bit % 8)
	}
	for at := range len(token) {
		for _, changed := range []string{token[:at], token[:at] + "\n" + token[at:], token[:at] + "!" + token[at+1:]} {
			if _, ok := forms.Opened(form, changed); ok {
				t.Errorf("%q is taken", changed)
			}
		}
	}
	if _, ok := forms.Opened(form, token+"A"); ok {
		t.Error("a longer token is taken")
	}
}

// TestFormIsBound: the token of one form is good for no other.
func TestFormIsBound(t *testing.T) {
	token := forms.Sign(form, expires)
	for name, other := range map[string]link.Form{
		"ID":              {ID: "0b7b2a14-5a4c-4f0c-8d7e-0d2f3c6a9b11", Touchpoint: "food", Team: "area-g"},
		"ID without form": {ID: "7d4448409dc04ad1b2455ffdce74fad2", Touchpoint: "food", Team: "area-g"},
		"no ID":           {Touchpoint: "food", Team: "area-g"},
		"touchpoint":      {ID: id, Team: "area-g"},
		"team":            {ID: id, Touchpoint: "food"},
		"moved border":    {ID: id, Touchpoint: "foodarea", Team: "-g"},
		"long touchpoint": {ID: id, Touchpoint: strings.Repeat("x", 300), Team: "area-g"},
		"long team":       {ID: id, Touchpoint: "food", Team: strings.Repeat("x", 300)},
	} {
		if _, ok := forms.Opened(other, token); ok {
			t.Errorf("%s: another form opens the token", name)
		}
	}
	for name, k := range map[string]link.FormKey{
		"secret": link.NewFormKey("x", "sfo", "passenger"), "program": link.NewFormKey(secret, "sfo", "employee"), "none": {},
	} {
		if _, ok := k.Opened(form, token); ok {
			t.Errorf("%s: another key opens the token", name)
		}
	}
	if got := forms.Sign(link.Form{ID: "x"}, expires); got != "" {
		t.Errorf("a form without an ID has the token %q", got)
	}
}

func FuzzOpened(f *testing.F) {
	f.Add(forms.Sign(form, expires))
	f.Add("")
	f.Add(strings.Repeat("A", link.MaxFormToken))
	f.Fuzz(func(t *testing.T, token string) {
		if opened, ok := forms.Opened(form, token); ok && forms.Sign(form, opened) != token {
			t.Fatalf("%q is taken", token)
		}
	})
}
