//go:build !race

package intake

// raced says that the race detector is on.
const raced = false
