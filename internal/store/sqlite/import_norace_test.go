//go:build !race

package sqlite

// importSize is how many responses TestImport stores.
const importSize = 50_000
