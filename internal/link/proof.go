package link

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// MaxNonce is the length of the longest nonce of a proof of work, in characters.
const MaxNonce = 32

// Proven says whether the nonce is the work of so many bits for a response: SHA-256 of "cx-operator proof v1", the program
// as namespace/name, the response's ID and the nonce, each on a line, begins with that many zero bits. A nonce has 1 to 32
// digits and letters of ASCII.
func Proven(leading int, namespace, program, response, nonce string) bool {
	if nonce == "" || len(nonce) > MaxNonce {
		return false
	}
	for _, c := range []byte(nonce) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	sum := sha256.Sum256([]byte(ProofPrefix(namespace, program, response) + nonce))
	return bits.LeadingZeros64(binary.BigEndian.Uint64(sum[:])) >= leading
}

// ProofPrefix is what stands before the nonce.
func ProofPrefix(namespace, program, response string) string {
	return "cx-operator proof v1\n" + namespace + "/" + program + "\n" + response + "\n"
}
