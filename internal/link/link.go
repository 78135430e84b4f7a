// Package link signs the links of invitations and the forms of pages, so that an endpoint knows them again without keeping
// them, on every replica and after every restart. It is pure: no clock, no I/O.
package link

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// MaxToken is the length of the longest token of a link, in characters.
const MaxToken = (8*(headLength+2*(1+maxName)+macLength) + 5) / 6

const (
	version = 1
	// headLength is the number of bytes before the names: version, flags, expiry, ID.
	headLength = 1 + 1 + expiryLength + 16
	// expiryLength is enough seconds for 34,000 years.
	expiryLength = 5
	// macLength is how much of the HMAC-SHA256 a token carries, in bytes: 128 bits, which nobody guesses.
	macLength = 16
	// maxName is the longest name of a touchpoint or team that a token holds, in bytes.
	maxName = 253
)

// The flags of a link.
const (
	flagSingleUse = 1 << iota
	flagRecorded
)

// Link is what a link says under its signature.
type Link struct {
	// ID of the invitation: a UUID in canonical form.
	ID string
	// Touchpoint and Team that the answer will be for, at most 253 bytes each; may be empty.
	Touchpoint, Team string
	// ExpiresAt is the second at which the link is good no more.
	ExpiresAt time.Time
	// SingleUse means that it may be answered once.
	SingleUse bool
	// Recorded means that the store knows the invitation. Links of single use always are.
	Recorded bool
}

// ErrInvalid says that a token was not made under the key, or is not whole.
var ErrInvalid = errors.New("the link is not valid")

// Key signs the links of one program.
type Key struct{ secret []byte }

// NewKey derives the key of a program's links from its token sign.
func NewKey(sign, namespace, program string) Key {
	return Key{derive(sign, "cx-operator link v1 "+namespace+"/"+program)}
}

// derive returns a key for one purpose.
func derive(sign, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, []byte(sign), nil, purpose, sha256.Size)
	if err != nil {
		panic("link: HKDF gives 32 bytes of SHA-256: " + err.Error())
	}
	return key
}

// strict is URL-safe base64 in which every value is written in one way only.
var strict = base64.RawURLEncoding.Strict()

// Sign returns the link's token, the same for the same link. It fails where the link's fields are out of bounds.
func (k Key) Sign(l Link) (string, error) {
	id, err := uuid.Parse(l.ID)
	switch {
	case err != nil:
		return "", fmt.Errorf("the ID of a link: %w", err)
	case len(l.Touchpoint) > maxName, len(l.Team) > maxName:
		return "", fmt.Errorf("a name in a link has at most %d bytes", maxName)
	case l.ExpiresAt.Unix() < 0 || l.ExpiresAt.Unix()>>(8*expiryLength) != 0:
		return "", errors.New("the expiry of a link is out of range")
	case l.SingleUse && !l.Recorded:
		return "", errors.New("a link of single use must be recorded")
	}
	var flags byte
	if l.SingleUse {
		flags |= flagSingleUse
	}
	if l.Recorded {
		flags |= flagRecorded
	}
	expiry := binary.BigEndian.AppendUint64(nil, uint64(l.ExpiresAt.Unix()))[8-expiryLength:]
	token := append([]byte{version, flags}, expiry...)
	token = append(token, id[:]...)
	token = appendName(token, l.Touchpoint)
	token = appendName(token, l.Team)
	return strict.EncodeToString(append(token, seal(k.secret, token)...)), nil
}

func appendName(to []byte, name string) []byte {
	return append(append(to, byte(len(name))), name...)
}

// seal is the HMAC of the message, cut to macLength.
func seal(secret, message []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(message)
	return mac.Sum(nil)[:macLength]
}

// Parse returns the link of a token, also of one that has expired. The error is ErrInvalid.
func (k Key) Parse(token string) (Link, error) {
	signed, mac, ok := open(token, MaxToken)
	if !ok || !sealed(k.secret, signed, mac) || len(signed) < headLength || signed[0] != version || signed[1]&^(flagSingleUse|flagRecorded) != 0 {
		return Link{}, ErrInvalid
	}
	l := Link{SingleUse: signed[1]&flagSingleUse != 0, Recorded: signed[1]&flagRecorded != 0}
	expiry := append(make([]byte, 8-expiryLength), signed[2:2+expiryLength]...)
	l.ExpiresAt = time.Unix(int64(binary.BigEndian.Uint64(expiry)), 0).UTC()
	l.ID = uuid.UUID(signed[2+expiryLength : headLength]).String()
	rest := signed[headLength:]
	var touchpoint, team bool
	l.Touchpoint, rest, touchpoint = cutName(rest)
	l.Team, rest, team = cutName(rest)
	if !touchpoint || !team || len(rest) > 0 || l.SingleUse && !l.Recorded {
		return Link{}, ErrInvalid
	}
	return l, nil
}

// open returns what a token says and its MAC. A token that is too long is not even decoded.
func open(token string, longest int) (signed, mac []byte, ok bool) {
	if len(token) > longest {
		return nil, nil, false
	}
	raw, err := strict.DecodeString(token)
	// The decoder passes over line ends: only what it would write itself is taken.
	if err != nil || len(raw) < macLength || strict.EncodedLen(len(raw)) != len(token) {
		return nil, nil, false
	}
	return raw[:len(raw)-macLength], raw[len(raw)-macLength:], true
}

// sealed compares in a time that tells nothing of where a MAC is wrong.
func sealed(secret, message, mac []byte) bool {
	return subtle.ConstantTimeCompare(mac, seal(secret, message)) == 1
}

func cutName(from []byte) (name string, rest []byte, ok bool) {
	if len(from) == 0 || len(from)-1 < int(from[0]) {
		return "", nil, false
	}
	n := int(from[0])
	return string(from[1 : 1+n]), from[1+n:], true
}
