package link_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/internal/link"
)

const (
	secret = "the-token-sign-of-a-program"
	id     = "7d444840-9dc0-4ad1-b245-5ffdce74fad2"
)

var (
	expires = time.Date(2026, time.December, 21, 9, 30, 0, 0, time.UTC)
	key     = link.NewKey(secret, "sfo", "passenger")
)

// TestTokenIsFixed pins the encoding: links that were sent must stay good.
func TestTokenIsFixed(t *testing.T) {
	got, err := key.Sign(link.Link{ID: id, Touchpoint: "food", Team: "area-g", ExpiresAt: expires, SingleUse: true, Recorded: true})
	// Computed with Python's hmac: HKDF with the info "cx-operator link v1 sfo/passenger", HMAC over what stands before.
	const want = "AQMAayjxmH1ESECdwErRskVf_c50-tIEZm9vZAZhcmVhLWeKsMfFS9Sp7dZp41hGENCO"
	if err != nil || got != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

func links() *rapid.Generator[link.Link] {
	return rapid.Custom(func(t *rapid.T) link.Link {
		l := link.Link{
			ID:         uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")).String(),
			Touchpoint: rapid.StringN(0, -1, 253).Draw(t, "touchpoint"),
			Team:       rapid.StringN(0, -1, 253).Draw(t, "team"),
			ExpiresAt:  time.Unix(rapid.Int64Range(0, 1<<40-1).Draw(t, "expires"), 0).UTC(),
			Recorded:   rapid.Bool().Draw(t, "recorded"),
		}
		l.SingleUse = l.Recorded && rapid.Bool().Draw(t, "single use")
		return l
	})
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := links().Draw(t, "link")
		token, err := key.Sign(l)
		if err != nil || len(token) > link.MaxToken || strings.Trim(token, "-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" {
			t.Fatalf("%q, %v", token, err)
		}
		got, err := key.Parse(token)
		if diff := cmp.Diff(l, got); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

// TestFlippedBit: no bit of a token can be changed, nor a character of it written otherwise.
func TestFlippedBit(t *testing.T) {
	token, err := key.Sign(link.Link{ID: id, Touchpoint: "food", ExpiresAt: expires})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(raw) {
		raw[bit/8] ^= 1 << (bit % 8)
		refused(t, key, base64.RawURLEncoding.EncodeToString(raw))
		raw[bit/8] ^= 1 << (bit % 8)
	}
	for at := range len(token) {
		for bit := range 8 {
			changed := []byte(token)
			changed[at] ^= 1 << bit
			refused(t, key, string(changed))
		}
		refused(t, key, token[:at])
		refused(t, key, token[:at]+"\n"+token[at:])
	}
	refused(t, key, token+"A")
	refused(t, key, token+"=")
	refused(t, key, strings.Repeat("A", link.MaxToken+1))
}

func refused(t *testing.T, k link.Key, token string) {
	t.Helper()
	if l, err := k.Parse(token); !errors.Is(err, link.ErrInvalid) || l != (link.Link{}) {
		t.Errorf("%q is taken: %+v, %v", token, l, err)
	}
}

// TestKeysAreApart: a token is good for the program and the secret that it was made with, and for nothing else.
func TestKeysAreApart(t *testing.T) {
	token, err := key.Sign(link.Link{ID: id, ExpiresAt: expires})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []link.Key{
		link.NewKey(secret+"x", "sfo", "passenger"), link.NewKey(secret, "sfo", "employee"), link.NewKey(secret, "lax", "passenger"), {},
	} {
		refused(t, k, token)
	}
	form := link.NewFormKey(secret, "sfo", "passenger").Sign(link.Form{ID: id}, expires)
	refused(t, key, form)
	if _, ok := link.NewFormKey(secret, "sfo", "passenger").Opened(link.Form{ID: id}, token); ok {
		t.Error("a link is taken for a form")
	}
	if _, err := key.Parse(token); err != nil {
		t.Error(err)
	}
}

func TestSignRefuses(t *testing.T) {
	for name, l := range map[string]link.Link{
		"no ID":            {ExpiresAt: expires},
		"ID":               {ID: "x", ExpiresAt: expires},
		"touchpoint":       {ID: id, ExpiresAt: expires, Touchpoint: strings.Repeat("x", 254)},
		"team":             {ID: id, ExpiresAt: expires, Team: strings.Repeat("x", 254)},
		"before 1970":      {ID: id, ExpiresAt: time.Unix(-1, 0)},
		"in 34,000 years":  {ID: id, ExpiresAt: time.Unix(1<<40, 0)},
		"once, unrecorded": {ID: id, ExpiresAt: expires, SingleUse: true},
	} {
		if token, err := key.Sign(l); err == nil || token != "" {
			t.Errorf("%s: %q", name, token)
		}
	}
}

// FuzzParse: what is taken is what Sign makes.
func FuzzParse(f *testing.F) {
	token, err := key.Sign(link.Link{ID: id, Touchpoint: "food", Team: "area-g", ExpiresAt: expires, Recorded: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("")
	f.Add(token[:30])
	f.Add(strings.Repeat("A", 100))
	f.Fuzz(func(t *testing.T, token string) {
		l, err := key.Parse(token)
		if err != nil {
			if !errors.Is(err, link.ErrInvalid) || l != (link.Link{}) {
				t.Fatalf("%+v, %v", l, err)
			}
			return
		}
		if again, err := key.Sign(l); err != nil || again != token {
			t.Fatalf("%q was taken, and is written %q, %v", token, again, err)
		}
	})
}
