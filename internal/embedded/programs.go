package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Serve publishes a program's survey and keeps it as the last good one. Without the store (storeName is that of a
// ResponseStore of the namespace) it answers 503.
func (e *Endpoint) Serve(storeName string, s *survey.Survey, secrets Secrets) error {
	name := store.Key{Namespace: s.Program.Namespace, Name: storeName}.String()
	next := program{storeName: name, survey: s, secrets: secrets}
	last, changed, err := e.replace(next)
	if changed {
		e.changed(pagesChanged(last, next))
	}
	return err
}

// pagesChanged are the places of a program of which another page is served from now on, or none, or for the first time.
func pagesChanged(last, next program) []rollup.Place {
	key := next.survey.Program
	if last.survey == nil || last.storeName != next.storeName {
		return []rollup.Place{{Program: key, All: true, Handed: true}}
	}
	places := []rollup.Place{{Program: key}}
	for name, page := range next.survey.Touchpoints {
		if before, ok := last.survey.Touchpoints[name]; !ok || !slices.Equal(before.Questions, page.Questions) {
			places = append(places, rollup.Place{Program: key, Touchpoint: name})
		}
	}
	for name := range last.survey.Touchpoints {
		if _, ok := next.survey.Touchpoints[name]; !ok {
			places = append(places, rollup.Place{Program: key, Touchpoint: name})
		}
	}
	return places
}

// replace publishes a program where it differs from what is served, which it returns, and says whether it did. Nobody waits for
// its disk meanwhile; of one program there is one call at a time.
func (e *Endpoint) replace(next program) (last program, changed bool, err error) {
	s := next.survey
	e.mu.Lock()
	last, ok := e.programs[s.Program]
	e.mu.Unlock()
	if ok && last.survey.Hash == s.Hash && last.storeName == next.storeName && last.secrets == next.secrets {
		return last, false, nil
	}
	next.keys = e.keysOf(s.Program, next.secrets)
	if !ok || last.survey.Hash != s.Hash {
		if err := e.keep(s); err != nil {
			return last, false, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.enlist(s.Program, next)
	e.publish(s.Program, next)
	return last, true, nil
}

// enlist notes a program as served. The caller holds the lock.
func (e *Endpoint) enlist(key store.Key, p program) {
	e.strike(key)
	e.programs[key] = p
	if e.ofStore[p.storeName] == nil {
		e.ofStore[p.storeName] = map[store.Key]bool{}
	}
	e.ofStore[p.storeName][key] = true
}

// strike takes a program from those that are served. The caller holds the lock.
func (e *Endpoint) strike(key store.Key) {
	last, served := e.programs[key]
	if !served {
		return
	}
	delete(e.programs, key)
	delete(e.ofStore[last.storeName], key)
	if len(e.ofStore[last.storeName]) == 0 {
		delete(e.ofStore, last.storeName)
	}
}

// Withdraw ends the service of a program and forgets its last good survey. Its answers stay in the store.
func (e *Endpoint) Withdraw(key store.Key) error {
	e.mu.Lock()
	p, served := e.programs[key]
	e.strike(key)
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
		return e.withUnits(p.survey), nil
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

// keep writes the survey to disk, whole or not at all.
func (e *Endpoint) keep(s *survey.Survey) error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write survey of %s: %w", s.Program, err)
	}
	path := e.surveyPath(s.Program)
	if kept, err := os.ReadFile(e.surveyPath(s.Program)); err == nil && bytes.Equal(kept, data) {
		return nil // after a restart this is true of all, and each write waits for the disk
	}
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
	served := intake.Program{Survey: e.withUnits(p.survey), Tokens: p.secrets.Tokens}
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
	for key := range e.ofStore[storeName] {
		e.publish(key, e.programs[key])
	}
}

// programsOf returns the programs that are served from a store.
func (e *Endpoint) programsOf(storeName string) []store.Key {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Keys(e.ofStore[storeName]))
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
