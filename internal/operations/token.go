package operations

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// bearer returns the SHA-256 of the token that a request carries as RFC 6750 says, and whether it carries one.
func bearer(r *http.Request) (sum [sha256.Size]byte, ok bool) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.Trim(token, " ")
	if !found || token == "" || !strings.EqualFold(scheme, "Bearer") {
		return sum, false
	}
	return sha256.Sum256([]byte(token)), true
}

// allowed says whether the request carries the program's token, or one of the hashes. Comparing takes the same time whatever
// is sent.
func (h *handler) allowed(r *http.Request, hashes ...[]byte) bool {
	got, ok := bearer(r)
	if !ok {
		return false
	}
	same := 0
	if token := h.Token(); token != "" {
		own := sha256.Sum256([]byte(token))
		same |= subtle.ConstantTimeCompare(got[:], own[:])
	}
	for _, hash := range hashes {
		same |= subtle.ConstantTimeCompare(got[:], hash)
	}
	return same == 1
}

func refuse(w http.ResponseWriter, r *http.Request) {
	challenge := `Bearer realm="cx-operator operations"`
	if r.Header.Get("Authorization") != "" {
		challenge += `, error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	newProblem(http.StatusUnauthorized, "unauthorized", "A token is needed", "This call needs Authorization: Bearer TOKEN.").write(w)
}
