//go:build !race

package postgres

// importSize is how many responses TestImport stores.
const importSize = 50_000
