package intake

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// digest of a token, or nil for an empty one, which nobody can present.
func digest(token string) *[sha256.Size]byte {
	if token == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(token))
	return &sum
}

// authorized says whether the request carries the token as RFC 6750 says. The comparison is of digests of equal length
// and takes the same time whatever is sent.
func authorized(r *http.Request, want *[sha256.Size]byte) bool {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") || want == nil {
		return false
	}
	got := sha256.Sum256([]byte(strings.Trim(token, " ")))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// requireToken answers 401 and returns false where the request does not carry the token.
func (s *Server) requireToken(w http.ResponseWriter, r *http.Request, want *[sha256.Size]byte, which string) bool {
	if authorized(r, want) {
		return true
	}
	challenge := `Bearer realm="cx-operator"`
	if r.Header.Get("Authorization") != "" {
		challenge += `, error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	writeProblem(w, unauthorized.because("This call needs the program's "+which+" token: Authorization: Bearer TOKEN."))
	return false
}
