package link_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/internal/link"
)

func TestContact(t *testing.T) {
	for in, want := range map[string]string{
		" Ada@Example.ORG\n": "ada@example.org", "JOSE\u0301@example.org": "jos\u00e9@example.org", "+44 20 7946 0000": "+44 20 7946 0000",
		"\u0130": "i", "": "", "\u00a0": "",
	} {
		if got := link.Contact(in); got != want {
			t.Errorf("%q is compared as %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		once := link.Contact(rapid.String().Draw(t, "contact"))
		if twice := link.Contact(once); twice != once {
			t.Errorf("%q, then %q", once, twice)
		}
	})
}

func TestHashContact(t *testing.T) {
	secret := []byte("a-key-of-the-store")
	got := link.HashContact(secret, "sfo", " Ada@example.org")
	// printf 'cx-operator contact v1\nsfo\nada@example.org' | openssl dgst -sha256 -hmac a-key-of-the-store
	const want = "01818441b7e6c1138f31fa714afbf89e1351759ce0a3f457077d9e172372f563"
	if hex.EncodeToString(got) != want {
		t.Errorf("%x, want %s", got, want)
	}
	for name, other := range map[string][]byte{
		"key":       link.HashContact([]byte("another"), "sfo", "ada@example.org"),
		"namespace": link.HashContact(secret, "lax", "ada@example.org"),
		"contact":   link.HashContact(secret, "sfo", "bob@example.org"),
	} {
		if bytes.Equal(other, got) {
			t.Errorf("another %s has the same hash", name)
		}
	}
}
