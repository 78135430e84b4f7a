package cli

import (
	"fmt"
	"strings"
	"time"
)

// envClock names a variable for tests of what happens when a clock is wrong, which cannot be had otherwise: neither the
// machine's clock nor a program's view of it can be moved for one program. OFFSET, a duration such as 1h or -1h, moves the
// program's clock from its start on; OFFSET@TIME, with a time as in RFC 3339, moves it when that time has come. What libraries
// look at stays as it is: certificates, time limits and the lease.
const envClock = "CX_OPERATOR_CLOCK_OFFSET"

// clockMoved returns the clock that a value of envClock asks for. now tells the true time.
func clockMoved(value string, now func() time.Time) (func() time.Time, error) {
	if value == "" {
		return now, nil
	}
	text, at, later := strings.Cut(value, "@")
	offset, err := time.ParseDuration(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %q is no duration, such as -1h or 90m", envClock, text)
	}
	var from time.Time
	if later {
		if from, err = time.Parse(time.RFC3339, at); err != nil {
			return nil, fmt.Errorf("%s: %q is no time, such as 2026-01-02T15:04:05Z", envClock, at)
		}
	}
	return func() time.Time {
		t := now()
		if t.Before(from) {
			return t
		}
		// A clock that is set has no memory of what it was: differences are those of the shown times.
		return t.Add(offset).Round(0)
	}, nil
}
