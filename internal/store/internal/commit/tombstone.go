package commit

import (
	"bytes"
	"crypto/sha256"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Tombstone is what stays of the identity of an erased submission: enough to know the same submission when it comes again,
// and nothing from which its answers could be guessed. The digest of a short answer would give it away to who tries all
// that could have been answered; here, they would have to guess the random identity as well.
type Tombstone struct {
	// ID is a hash of the submission's identity.
	ID [32]byte
	// Digest is a hash of the submission's identity and digest.
	Digest [32]byte
}

// NewTombstone returns the tombstone of a submission.
func NewTombstone(id uuid.UUID, digest [32]byte) Tombstone {
	return Tombstone{
		ID:     sha256.Sum256(append([]byte("id"), id[:]...)),
		Digest: sha256.Sum256(append(append([]byte("digest"), id[:]...), digest[:]...)),
	}
}

// Compare tells a repeat from a conflict: known and receipt are of what was stored, digest of what comes now.
func Compare(known, digest []byte, receipt string) store.Result {
	if !bytes.Equal(known, digest) {
		return store.Result{Outcome: store.Conflict}
	}
	return store.Result{Outcome: store.Repeated, Receipt: receipt}
}
