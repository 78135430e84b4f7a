//go:build race

package sqlite

// importSize is small here: what the detector watches of the driver makes SQLite many times slower.
const importSize = 5_000
