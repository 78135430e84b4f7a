package objectives

import (
	"fmt"
	"sync"
	"time"
)

// zones are the time zones that were loaded, by name: each is read from a file. There are some hundreds at the most.
var zones sync.Map

// zone returns the time zone of a program.
func zone(name string) (*time.Location, error) {
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location), nil
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone of program: %w", err)
	}
	zones.Store(name, location)
	return location, nil
}
