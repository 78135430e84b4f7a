package link

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// MaxFormToken is the length of a form's token, in characters.
const MaxFormToken = (8*(stampLength+macLength) + 5) / 6

// stampLength is the number of bytes in which a form's token says when the form was opened: milliseconds of 8,900 years.
const stampLength = 6

// FormKey signs the forms of one program.
type FormKey struct{ secret []byte }

// NewFormKey derives the key of a program's forms from its token sign.
func NewFormKey(sign, namespace, program string) FormKey {
	return FormKey{derive(sign, "cx-operator form v1 "+namespace+"/"+program)}
}

// Form is what a form's token is bound to, besides the program.
type Form struct {
	// ID of the response that the form will be: a UUID.
	ID string
	// Touchpoint and Team of the page; may be empty.
	Touchpoint, Team string
}

// Sign returns the token of a form that was opened at the time, in milliseconds. It is empty where the form's ID is no UUID:
// nothing opens such a token.
func (k FormKey) Sign(f Form, opened time.Time) string {
	stamp := binary.BigEndian.AppendUint64(nil, uint64(opened.UnixMilli()))[8-stampLength:]
	message, ok := f.message(stamp)
	if !ok {
		return ""
	}
	return strict.EncodeToString(append(stamp, seal(k.secret, message)...))
}

// Opened returns when the form was opened; false where the token is not one of this form's.
func (k FormKey) Opened(f Form, token string) (time.Time, bool) {
	stamp, mac, ok := open(token, MaxFormToken)
	if !ok || len(stamp) != stampLength {
		return time.Time{}, false
	}
	message, ok := f.message(stamp)
	if !ok || !sealed(k.secret, message, mac) {
		return time.Time{}, false
	}
	milli := binary.BigEndian.Uint64(append(make([]byte, 8-stampLength), stamp...))
	return time.UnixMilli(int64(milli)).UTC(), true
}

// message is what is signed: the form in a form that no other form shares.
func (f Form) message(stamp []byte) ([]byte, bool) {
	id, err := uuid.Parse(f.ID)
	if err != nil || len(f.ID) != 36 || len(f.Touchpoint) > maxName || len(f.Team) > maxName {
		return nil, false
	}
	message := append([]byte{version}, stamp...)
	message = append(message, id[:]...)
	return appendName(appendName(message, f.Touchpoint), f.Team), true
}
