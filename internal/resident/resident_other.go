//go:build !linux

package resident

import "time"

// Release does nothing here.
func Release() error { return nil }

// cpu is not known here: nothing is ever given back.
func cpu() (time.Duration, error) { return 0, nil }
