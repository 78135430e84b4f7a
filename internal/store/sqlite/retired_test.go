package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

func TestAppendRetired(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "answers.db"), Options{})
	defer s.Close()
	storetest.AppendRetired(t, s)
}
