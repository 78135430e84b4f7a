package postgres

import (
	"testing"

	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

func TestAppendRetired(t *testing.T) {
	s := mustOpen(t, newSchema(t, server), Options{})
	defer s.Close()
	storetest.AppendRetired(t, s)
}
