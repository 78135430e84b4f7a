package link_test

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"testing"

	"github.com/cx-operator/cx-operator/internal/link"
)

// work finds a nonce as the page's script does: it counts, and writes the number in base 36.
func work(bits int) string {
	for n := int64(0); ; n++ {
		if nonce := strconv.FormatInt(n, 36); link.Proven(bits, "sfo", "passenger", id, nonce) {
			return nonce
		}
	}
}

func TestProven(t *testing.T) {
	for bits := range 15 {
		nonce := work(bits)
		sum := sha256.Sum256([]byte("cx-operator proof v1\nsfo/passenger\n" + id + "\n" + nonce))
		zeros := 0
		for zeros < 256 && sum[zeros/8]>>(7-zeros%8)&1 == 0 {
			zeros++
		}
		if zeros < bits {
			t.Errorf("%d bits: %s has %d", bits, nonce, zeros)
		}
		if link.Proven(zeros+1, "sfo", "passenger", id, nonce) {
			t.Errorf("%s has %d bits and is taken for more", nonce, zeros)
		}
	}
}

func TestProvenRefuses(t *testing.T) {
	nonce := work(12)
	if link.Proven(12, "sfo", "passenger", "0b7b2a14-5a4c-4f0c-8d7e-0d2f3c6a9b11", nonce) || link.Proven(12, "sfo", "employee", id, nonce) {
		t.Error("the work for one response counts for another")
	}
	for _, bad := range []string{"", strings.Repeat("0", 33), "a b", "a\nb", "é", "a-b", "a/b", "`", "{", "@", "[", ":"} {
		if link.Proven(0, "sfo", "passenger", id, bad) {
			t.Errorf("the nonce %q is taken", bad)
		}
	}
	if !link.Proven(0, "sfo", "passenger", id, strings.Repeat("z", 32)) {
		t.Error("32 letters are refused")
	}
}
