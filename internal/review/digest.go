package review

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/gowebpki/jcs"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// digestPrefix names the hash.
const digestPrefix = "sha256:"

// Digest returns the SHA-256 of figures in the canonical JSON of RFC 8785, as "sha256:" and 64 hexadecimal digits. It depends
// on nothing but what the figures say: neither on the order in which they are written nor on spaces.
func Digest(f *v1alpha1.ReviewFigures) (string, error) {
	plain, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("write figures: %w", err)
	}
	canonical, err := jcs.Transform(plain)
	if err != nil {
		return "", fmt.Errorf("write figures in canonical form: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return digestPrefix + hex.EncodeToString(sum[:]), nil
}

// Verify says whether figures are those that the digest was made of. Without figures or without a digest they are not.
func Verify(f *v1alpha1.ReviewFigures, digest string) bool {
	if f == nil || digest == "" {
		return false
	}
	got, err := Digest(f)
	return err == nil && got == digest
}
