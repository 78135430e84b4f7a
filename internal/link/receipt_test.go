package link_test

import (
	"testing"

	"github.com/cx-operator/cx-operator/internal/link"
)

func TestReceipt(t *testing.T) {
	for typed, want := range map[string]string{
		"0123456789ABCDEFGHJK": "0123456789ABCDEFGHJK", " olil2-34567-89abc-defgh-jk ": "011123456789ABCDEFGHJK", "01234\u201356789": "0123456789", "": "",
	} {
		if got := link.Receipt(typed); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}
