// Package seal keeps what is to be read by few, such as how a customer can be reached, so that it cannot be read without a
// key: AES-256-GCM, with the key named in front. It is pure but for the random numbers of the system.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	version = 1
	// idLength is the number of bytes that name a key.
	idLength = 8
	// Overhead is how many bytes a sealed text is longer than the text: version, name of the key, nonce, tag.
	Overhead = 1 + idLength + 12 + 16
	// MinKey is the length of the shortest secret that is taken, in bytes: 32 random bytes in base64 have 43.
	MinKey = 32
	// MaxKeys is how many keys there may be at once.
	MaxKeys = 16
)

// Errors of a Ring. They are tested with errors.Is.
var (
	// ErrNoKey says that there is no key, or none with the name that the sealed text has in front.
	ErrNoKey = errors.New("seal: there is no such key")
	// ErrInvalid says that a sealed text is not whole, or was sealed for something else.
	ErrInvalid = errors.New("seal: the sealed text is not valid")
)

// Ring is the keys of one purpose, the newest first. The newest seals, all open. The zero Ring has none.
type Ring struct{ keys []key }

type key struct {
	id   [idLength]byte
	aead cipher.AEAD
}

// Parse reads the keys of a purpose from a text with one secret in each line, the newest first. Lines that are empty but for
// blanks are passed over. Each secret has at least MinKey bytes, and there are at most MaxKeys; errors say which line is
// wrong, never what stands there.
func Parse(text, purpose string) (Ring, error) {
	var ring Ring
	if !utf8.ValidString(text) {
		return Ring{}, errors.New("the keys are not UTF-8")
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		secret := strings.TrimSpace(line)
		switch {
		case secret == "":
			continue
		case len(secret) < MinKey:
			return Ring{}, fmt.Errorf("the key in line %d has fewer than %d characters", number, MinKey)
		case len(ring.keys) == MaxKeys:
			return Ring{}, fmt.Errorf("there are more than %d keys", MaxKeys)
		}
		ring.keys = append(ring.keys, newKey(secret, purpose))
	}
	return ring, nil
}

func newKey(secret, purpose string) key {
	k := key{id: [idLength]byte(derive(secret, "cx-operator key id v1 "+purpose, idLength))}
	block, err := aes.NewCipher(derive(secret, "cx-operator seal v1 "+purpose, 32))
	if err != nil {
		panic("seal: AES takes 32 bytes: " + err.Error())
	}
	if k.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		panic("seal: AES has the block that GCM needs: " + err.Error())
	}
	return k
}

func derive(secret, purpose string, length int) []byte {
	out, err := hkdf.Key(sha256.New, []byte(secret), nil, purpose, length)
	if err != nil {
		panic("seal: HKDF gives a few bytes of SHA-256: " + err.Error())
	}
	return out
}

// IsEmpty says whether there is no key.
func (r Ring) IsEmpty() bool { return len(r.keys) == 0 }

// Seal returns the text sealed for a place, which must be named again to open it. The error is ErrNoKey.
func (r Ring) Seal(text []byte, place string) ([]byte, error) {
	if r.IsEmpty() {
		return nil, ErrNoKey
	}
	newest := r.keys[0]
	head := append([]byte{version}, newest.id[:]...)
	return newest.aead.Seal(head, nil, text, associated(head, place)), nil //nolint:gosec // this AEAD draws the nonce itself, and takes none
}

// Open returns the text that was sealed for the place. The error is ErrNoKey or ErrInvalid.
func (r Ring) Open(sealed []byte, place string) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != version {
		return nil, ErrInvalid
	}
	head, rest := sealed[:1+idLength], sealed[1+idLength:]
	for _, k := range r.keys {
		if k.id != [idLength]byte(head[1:]) {
			continue
		}
		text, err := k.aead.Open(nil, nil, rest, associated(head, place))
		if err != nil {
			return nil, ErrInvalid
		}
		return text, nil
	}
	return nil, ErrNoKey
}

// associated binds the version, the key's name and the place.
func associated(head []byte, place string) []byte {
	return append(append([]byte(nil), head...), place...)
}
