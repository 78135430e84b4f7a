//go:build race

package postgres

// importSize is small here: the detector makes the process several times slower, beside others that test.
const importSize = 10_000
