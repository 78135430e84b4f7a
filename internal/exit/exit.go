// Package exit gives errors of command lines the code that their process ends with.
package exit

import (
	"errors"
	"fmt"
)

// The codes of a process.
const (
	// OK is success.
	OK = 0
	// Problems is a failure, or that something was found wrong.
	Problems = 1
	// Usage is a wrong command line, or a file that cannot be read.
	Usage = 2
)

// Error ends the process with a code of its own.
type Error struct {
	// Code that the process ends with.
	Code int
	// Err says why; nil where everything is said already.
	Err error
}

// Error is the text of the cause, or the code.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// WithUsage returns the error with the code Usage.
func WithUsage(err error) error { return &Error{Code: Usage, Err: err} }

// WithProblems returns the error, which may be nil where everything is said already, with the code Problems.
func WithProblems(err error) error { return &Error{Code: Problems, Err: err} }

// Of returns the Error among the causes of an error; nil for none.
func Of(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
