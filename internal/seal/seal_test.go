package seal_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/internal/seal"
)

const (
	first  = "the first key of the test, 32 bytes or more"
	second = "the second key of the test, 32 bytes or more"
	third  = "the third key of the test, 32 bytes or more"
	place  = "sfo/visits\n7d444840"
)

func ring(t interface {
	Helper()
	Fatal(...any)
}, lines ...string) seal.Ring {
	t.Helper()
	r, err := seal.Parse(strings.Join(lines, "\n"), "cases")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSealAndOpen(t *testing.T) {
	r := ring(t, first)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "text")
		place := rapid.String().Draw(t, "place")
		sealed, err := r.Seal(text, place)
		if err != nil || len(sealed) != len(text)+seal.Overhead {
			t.Fatalf("%d bytes, %v", len(sealed), err)
		}
		if again, _ := r.Seal(text, place); bytes.Equal(sealed, again) {
			t.Fatal("a nonce is used twice")
		}
		got, err := r.Open(sealed, place)
		if err != nil || !bytes.Equal(got, text) {
			t.Fatalf("%q, %v", got, err)
		}
		if _, err := r.Open(sealed, place+"x"); !errors.Is(err, seal.ErrInvalid) {
			t.Fatalf("opened elsewhere: %v", err)
		}
	})
}

// TestEveryBitCounts: no bit of what is sealed can be changed, nor a byte be missing.
func TestEveryBitCounts(t *testing.T) {
	r := ring(t, first)
	sealed, err := r.Seal([]byte("ana@example.org"), place)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("example")) {
		t.Fatal("the text is in clear")
	}
	for bit := range 8 * len(sealed) {
		changed := bytes.Clone(sealed)
		changed[bit/8] ^= 1 << (bit % 8)
		if text, err := r.Open(changed, place); !errors.Is(err, seal.ErrInvalid) && !errors.Is(err, seal.ErrNoKey) || text != nil {
			t.Fatalf("bit %d: %q, %v", bit, text, err)
		}
	}
	for n := range len(sealed) {
		if _, err := r.Open(sealed[:n], place); !errors.Is(err, seal.ErrInvalid) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	if _, err := r.Open(append(bytes.Clone(sealed), 0), place); !errors.Is(err, seal.ErrInvalid) {
		t.Fatal("a byte too many is taken")
	}
}

// TestRotation: the newest key seals, all open, and what a key that is gone has sealed says so.
func TestRotation(t *testing.T) {
	old := ring(t, first)
	sealed, err := old.Seal([]byte("x"), place)
	if err != nil {
		t.Fatal(err)
	}
	both := ring(t, second, "", "  "+first+"  ")
	if text, err := both.Open(sealed, place); err != nil || string(text) != "x" {
		t.Errorf("with the older key: %q, %v", text, err)
	}
	newer, err := both.Seal([]byte("y"), place)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := ring(t, second).Open(newer, place); err != nil || string(text) != "y" {
		t.Errorf("the newest key seals: %q, %v", text, err)
	}
	for name, r := range map[string]seal.Ring{"the older": old, "another": ring(t, third), "none": {}} {
		if _, err := r.Open(newer, place); !errors.Is(err, seal.ErrNoKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other, err := seal.Parse(second, "something else")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open(newer, place); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("for another purpose: %v", err)
	}
}

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string // of the error
	}{
		"none":     {"", ""},
		"blank":    {"\n  \r\n", ""},
		"windows":  {first + "\r\n" + second + "\r\n", ""},
		"short":    {first + "\nsecret-but-short", "the key in line 2 has fewer than 32 characters"},
		"too many": {strings.Repeat(first+"\n", 17), "there are more than 16 keys"},
		"binary":   {strings.Repeat("\xff", 40), "the keys are not UTF-8"},
	} {
		r, err := seal.Parse(c.text, "cases")
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want || err != nil && !r.IsEmpty() || strings.Contains(got, "secret") {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if empty := strings.TrimSpace(c.text) == ""; err == nil && r.IsEmpty() != empty {
			t.Errorf("%s: empty: %v", name, r.IsEmpty())
		}
	}
	if _, err := (seal.Ring{}).Seal(nil, place); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("sealed without a key: %v", err)
	}
}

// FuzzOpen: nothing opens but what was sealed, and only at its place. Each process of a fuzzer has sealed it anew.
func FuzzOpen(f *testing.F) {
	r := ring(f, second, first)
	sealed, err := r.Seal([]byte("ana@example.org"), place)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed, place)
	f.Add([]byte{1}, "")
	f.Fuzz(func(t *testing.T, data []byte, at string) {
		text, err := r.Open(data, at)
		opened := string(text) == "ana@example.org" && at == place
		if opened != (err == nil) || err != nil && text != nil || bytes.Equal(data, sealed) && at == place && !opened {
			t.Fatalf("%q, %v", text, err)
		}
	})
}
