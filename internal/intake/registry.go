package intake

import (
	"crypto/sha256"
	"sync"

	"github.com/cx-operator/cx-operator/internal/seal"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Tokens are the bearer tokens of one program. An empty token means that nobody may make that call.
type Tokens struct {
	// Import allows responses:import, :annul and :reinstate; Read allows exports; Sign allows to make links, and is what
	// their signatures and those of forms are derived from. Without Sign no link is valid and forms are not checked.
	Import, Read, Sign string
}

// Program is what an endpoint serves for one SurveyProgram.
type Program struct {
	// Survey that is served; required, and never changed after it was given to a Registry.
	Survey *survey.Survey
	// Store that keeps the answers. While it is nil the pages are served, but nothing can be saved or read: 503.
	Store store.Store
	// Tokens of the program.
	Tokens Tokens
	// ContactKey is the secret under which contacts are hashed, the same for all programs of a store. Without it, a
	// contact cannot be invited: 503.
	ContactKey []byte
	// CaseKeys seal the contacts of respondents. Without them, or ContactKey, an answer that would open a case is not taken:
	// 503.
	CaseKeys seal.Ring
}

// Registry holds the programs that are served now. It is safe for concurrent use: programs may come, change and go while
// requests are answered, and a request works to its end with the program as it was when the request began.
type Registry struct {
	mu       sync.RWMutex
	programs map[store.Key]*served
	gates    gates
	onDelete []func(store.Key)
}

// served is a Program with what is derived from its tokens, so that no call hashes a secret of the program.
type served struct {
	Program
	key          store.Key
	importDigest *[sha256.Size]byte
	readDigest   *[sha256.Size]byte
	signDigest   *[sha256.Size]byte
	keys         *keys
	gate         *gate
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry {
	return &Registry{programs: map[store.Key]*served{}, gates: gates{}}
}

// Set serves the program from now on, in place of what was served under the key. A program without a survey is deleted.
func (r *Registry) Set(key store.Key, p Program) {
	if p.Survey == nil {
		r.Delete(key)
		return
	}
	s := &served{
		Program: p, key: key, keys: newKeys(p),
		importDigest: digest(p.Tokens.Import), readDigest: digest(p.Tokens.Read), signDigest: digest(p.Tokens.Sign),
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.gate = r.gates.take(p.Store)
	r.remove(key)
	r.programs[key] = s
}

// remove takes a program out. The caller holds the lock.
func (r *Registry) remove(key store.Key) {
	if former, ok := r.programs[key]; ok {
		r.gates.giveBack(former.Store)
		delete(r.programs, key)
	}
}

// Delete serves the program no longer, and forgets its metrics.
func (r *Registry) Delete(key store.Key) {
	r.mu.Lock()
	r.remove(key)
	hooks := r.onDelete
	r.mu.Unlock()
	for _, hook := range hooks {
		hook(key)
	}
}

// Get returns what is served under the key.
func (r *Registry) Get(key store.Key) (Program, bool) {
	s, ok := r.lookup(key)
	if !ok {
		return Program{}, false
	}
	return s.Program, true
}

func (r *Registry) lookup(key store.Key) (*served, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s, ok := r.programs[key]
	return s, ok
}

func (r *Registry) whenDeleted(hook func(store.Key)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onDelete = append(r.onDelete, hook)
}
