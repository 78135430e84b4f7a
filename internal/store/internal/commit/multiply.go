package commit

// Multiply makes every count so many times what it is.
func (c Counts) Multiply(times int64) {
	for k := range c {
		c[k] *= times
	}
}
