package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	storeSuffix = ".sqlite"
	// markSuffix ends the name of the file, beside a store's, that says with which ResponseStore the store is to be deleted:
	// it holds that one's UID. It outlives this process, so that a deletion meanwhile is carried out afterwards.
	markSuffix = storeSuffix + ".delete-with"
)

// storePath is where the SQLite store of a ResponseStore is.
func (e *Endpoint) storePath(key store.Key) string {
	return filepath.Join(e.options.Dir, key.Namespace, "stores", key.Name+storeSuffix)
}

// StorePath returns the file of the SQLite store of a ResponseStore, and whether it exists.
func (e *Endpoint) StorePath(key store.Key) (string, bool) {
	path := e.storePath(key)
	_, err := os.Stat(path)
	return path, err == nil
}

func (e *Endpoint) markPath(key store.Key) string {
	return strings.TrimSuffix(e.storePath(key), storeSuffix) + markSuffix
}

// Mark keeps on disk that a SQLite store is to be deleted with the ResponseStore of a UID; an empty one takes that back.
func (e *Endpoint) Mark(key store.Key, uid string) error {
	current, err := e.Marked(key)
	if err != nil || current == uid {
		return err
	}
	path := e.markPath(key)
	if uid == "" {
		err = os.Remove(path)
	} else {
		err = renameio.WriteFile(path, []byte(uid), 0o600)
	}
	if err != nil {
		return fmt.Errorf("mark store %s: %w", key, err)
	}
	return nil
}

// Marked returns the UID of the ResponseStore with which a SQLite store is to be deleted, empty for none.
func (e *Endpoint) Marked(key store.Key) (string, error) {
	uid, err := os.ReadFile(e.markPath(key))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the mark of store %s: %w", key, err)
	}
	return strings.TrimSpace(string(uid)), nil
}

// AllMarked returns the stores that are marked.
func (e *Endpoint) AllMarked() ([]store.Key, error) {
	paths, err := filepath.Glob(filepath.Join(e.options.Dir, "*", "stores", "*"+markSuffix))
	if err != nil {
		return nil, fmt.Errorf("look for marks: %w", err)
	}
	var keys []store.Key
	for _, path := range paths {
		namespace := filepath.Base(filepath.Dir(filepath.Dir(path)))
		keys = append(keys, store.Key{Namespace: namespace, Name: strings.TrimSuffix(filepath.Base(path), markSuffix)})
	}
	return keys, nil
}

// DeleteStore closes a SQLite store and deletes its file with all that is beside it, the mark last.
func (e *Endpoint) DeleteStore(key store.Key) error {
	if err := e.CloseStore(key); err != nil {
		return err
	}
	path := e.storePath(key)
	for _, file := range []string{path, path + "-wal", path + "-shm", path + ".lock", e.markPath(key)} {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("delete store %s: %w", key, err)
		}
	}
	return nil
}
