package link

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Contact returns a contact in the form in which it is compared: without blanks around it, NFC, in lower case.
func Contact(contact string) string {
	return norm.NFC.String(strings.ToLower(norm.NFC.String(strings.TrimSpace(contact))))
}

// HashContact returns 32 bytes that stand for a contact in a namespace. Without the key nobody can tell whose they are, nor
// try contacts on them.
func HashContact(key []byte, namespace, contact string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("cx-operator contact v1\n" + namespace + "\n" + Contact(contact)))
	return mac.Sum(nil)
}
