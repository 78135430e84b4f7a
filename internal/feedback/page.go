package feedback

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/internalversion"

	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	// pageSize is how many cases a store is asked for at once, and the most that a page of a list has.
	pageSize = 500
	// maxUnpaged is how many cases a list has at most that was not asked for by pages. Of more it would have to hold back
	// some, unsaid.
	maxUnpaged = 10000
	// maxContinue is the longest token that is read, in bytes.
	maxContinue = 4096
)

// position is where the next page of a list begins, as its token says.
type position struct {
	// Namespace, Program and Touchpoint of the source.
	Namespace  string  `json:"n"`
	Program    string  `json:"p"`
	Touchpoint *string `json:"t,omitempty"`
	// After is the store's own token; empty at the source's beginning.
	After string `json:"a,omitempty"`
	// List is a digest of what was asked for.
	List string `json:"l"`
}

func (p position) source() source {
	return source{program: store.Key{Namespace: p.Namespace, Name: p.Program}, touchpoint: p.Touchpoint}
}

// token writes a position.
func (p position) token() string {
	text, _ := json.Marshal(p) // strings always have a form
	return base64.RawURLEncoding.EncodeToString(text)
}

// parseToken reads a position; false for what is not the token of such a list.
func parseToken(token, list string) (position, bool) {
	var p position
	if len(token) > maxContinue {
		return p, false
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(text, &p) != nil {
		return position{}, false
	}
	return p, p.List == list
}

// digest stands for what a list asks for, so that a token is not used with another one.
func digest(namespace string, o *internalversion.ListOptions) string {
	text := namespace
	if o.LabelSelector != nil {
		text += "\nlabels " + o.LabelSelector.String()
	}
	if o.FieldSelector != nil {
		text += "\nfields " + o.FieldSelector.String()
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}
