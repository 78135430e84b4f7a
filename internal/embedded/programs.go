package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Serve publishes a program's survey and keeps it as the last good one. Without the store (storeName is that of a
// ResponseStore of the namespace) it answers 503.
func (e *Endpoint) Serve(storeName string, s *survey.Survey, secrets Secrets) error {
	name := store.Key{Namespace: s.Program.Namespace, Name: storeName}.String()
	changed, err := e.replace(program{storeName: name, survey: s, secrets: secrets})
	if changed {
		e.notify([]store.Key{s.Program})
	}
	return err
}

// replace publishes a program where it differs from what is served, and says whether it did.
func (e *Endpoint) replace(next program) (bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := next.survey
	last, ok := e.programs[s.Program]
	if ok && last.survey.Hash == s.Hash && last.storeName == next.storeName && last.secrets == next.secrets {
		return false, nil
	}
	next.keys = e.keysOf(s.Program, next.secrets)
	if !ok || last.survey.Hash != s.Hash {
		if err := e.keep(s); err != nil {
			return false, err
		}
	}
	e.programs[s.Program] = next
	e.publish(s.Program, next)
	return true, nil
}

// Withdraw ends the service of a program and forgets its last good survey. Its answers stay in the store.
func (e *Endpoint) Withdraw(key store.Key) error {
	e.mu.Lock()
	p, served := e.programs[key]
	delete(e.programs, key)
	e.registry.Delete(key)
	e.mu.Unlock()
	if served {
		e.forgetUnused(p.storeName)
	}
	if err := os.Remove(e.surveyPath(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget survey of %s: %w", key, err)
	}
	return nil
}

// Page returns the questions of a touchpoint's page as it is served, none where there is no such page. Known is false
// while the program was not handed over: since the start, or since it was withdrawn.
func (e *Endpoint) Page(key store.Key, touchpoint string) (questions []string, known bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p, known := e.programs[key]
	if !known {
		return nil, false
	}
	return p.survey.Touchpoints[touchpoint].Questions, true
}

// LastGood returns the survey that was last served for a program, also before a restart; nil where there is none.
func (e *Endpoint) LastGood(key store.Key) (*survey.Survey, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p, ok := e.programs[key]; ok {
		return p.survey, nil
	}
	data, err := os.ReadFile(e.surveyPath(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read last good survey of %s: %w", key, err)
	}
	s := &survey.Survey{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("read last good survey of %s: %w", key, err)
	}
	return s, nil
}

// keep writes the survey to disk, whole or not at all. The caller holds the lock.
func (e *Endpoint) keep(s *survey.Survey) error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write survey of %s: %w", s.Program, err)
	}
	path := e.surveyPath(s.Program)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write survey of %s: %w", s.Program, err)
	}
	if err := renameio.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("write survey of %s: %w", s.Program, err)
	}
	return nil
}

func (e *Endpoint) surveyPath(key store.Key) string {
	return filepath.Join(e.options.Dir, key.Namespace, "surveys", key.Name+".json")
}

// publish hands a program to the HTTP server. The caller holds the lock.
func (e *Endpoint) publish(key store.Key, p program) {
	served := intake.Program{Survey: p.survey, Tokens: p.secrets.Tokens}
	if p.secrets.ContactKey != "" {
		served.ContactKey = []byte(p.secrets.ContactKey)
	}
	served.CaseKeys = p.keys.Cases
	if s, ok := e.stores[p.storeName]; ok {
		served.Store = s.store
	}
	e.registry.Set(key, served)
}

// refresh publishes the programs of a store anew. The caller holds the lock.
func (e *Endpoint) refresh(storeName string) {
	for key, p := range e.programs {
		if p.storeName == storeName {
			e.publish(key, p)
		}
	}
}

// programsOf returns the programs that are served from a store.
func (e *Endpoint) programsOf(storeName string) []store.Key {
	var keys []store.Key
	for key, p := range e.served() {
		if p.storeName == storeName {
			keys = append(keys, key)
		}
	}
	return keys
}

func (e *Endpoint) served() map[store.Key]program {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.programs)
}

func (e *Endpoint) storeOf(name string) (store.Store, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.stores[name]
	if !ok {
		return nil, false
	}
	return s.store, true
}
