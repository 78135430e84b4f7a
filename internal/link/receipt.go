package link

import "strings"

// typedReceipt puts the characters of Crockford's base32 in the place of those that people type for them, and removes those
// that only group it.
var typedReceipt = strings.NewReplacer("-", "", " ", "", "\u2013", "", "O", "0", "I", "1", "L", "1")

// Receipt returns a receipt as stores know it, of one as people type it: in groups or not, in small letters, with O for 0.
func Receipt(typed string) string {
	return typedReceipt.Replace(strings.ToUpper(strings.TrimSpace(typed)))
}
