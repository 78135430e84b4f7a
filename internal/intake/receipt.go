package intake

import (
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
)

// crockford is Crockford's base32: no I, L, O or U, so that a code can be read out and typed.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// receiptLength is the number of characters of a receipt: 20 of 5 bits each are 100 bits, which nobody guesses.
const receiptLength = 20

// newReceipt returns a random receipt.
func newReceipt(random io.Reader) (string, error) {
	var raw [receiptLength]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", fmt.Errorf("drawing a receipt: %w", err)
	}
	for i, b := range raw {
		raw[i] = crockford[b&31]
	}
	return string(raw[:]), nil
}

// newID returns a random UUID for a form.
func newID(random io.Reader) (string, error) {
	id, err := uuid.NewRandomFromReader(random)
	if err != nil {
		return "", fmt.Errorf("drawing a form id: %w", err)
	}
	return id.String(), nil
}

// groupReceipt writes a receipt in groups of five, as it is shown.
func groupReceipt(receipt string) string {
	var groups []string
	for len(receipt) > 5 {
		groups, receipt = append(groups, receipt[:5]), receipt[5:]
	}
	return strings.Join(append(groups, receipt), "-")
}

// isReceipt says whether s could be a receipt, so that an address made up by a stranger puts no other text on a page.
func isReceipt(s string) bool {
	return len(s) == receiptLength && strings.Trim(s, crockford) == ""
}
