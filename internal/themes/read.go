package themes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// ReadTimeout is how long a read of comments should be given at the most.
const ReadTimeout = time.Minute

// maxWindow bounds what can be read at once.
const maxWindow = 800 * 24 * time.Hour

// ErrUnavailable means that comments cannot be read now: the program is not served, or its store is not open. It is tested with
// errors.Is.
var ErrUnavailable = errors.New("comments cannot be read now")

// Window says which comments count: those from From up to, but not at, To; they are compared with those from Before up to From.
type Window struct{ Before, From, To time.Time }

// Check says what is wrong with a window.
func (w Window) Check() error {
	if w.Before.After(w.From) || !w.From.Before(w.To) || w.To.Sub(w.Before) > maxWindow {
		return fmt.Errorf("before, from and to: they must follow each other, within %d days", int(maxWindow/(24*time.Hour)))
	}
	return nil
}

// Source of responses: a store.
type Source interface {
	// Export calls fn for every response of the program in order of SubmittedAt, and returns fn's first error.
	Export(ctx context.Context, program store.Key, fn func(store.Response) error) error
}

// errEnd ends a read.
var errEnd = errors.New("the end of the window")

// Read finds the themes of a program's comments in a window. Only answers to the survey's questions of type Text, as they are
// asked now, of responses that count, are read; one after the other, and none is kept. The store has to pass by all that was
// submitted before the window. Errors: a window that is none, the context's, the store's own.
func Read(ctx context.Context, from Source, s *survey.Survey, w Window) ([]Theme, error) {
	if err := w.Check(); err != nil {
		return nil, err
	}
	asked := map[string]int32{}
	for _, q := range s.Questions {
		if q.Type == string(v1alpha1.QuestionText) {
			asked[q.Name] = q.Revision
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	c := New(Options{DefaultLanguage: s.DefaultLanguage, Minimum: int64(s.MinimumCell)})
	err := from.Export(ctx, s.Program, func(r store.Response) error {
		switch {
		case !r.SubmittedAt.Before(w.To):
			return errEnd
		case r.SubmittedAt.Before(w.Before):
			return ctx.Err()
		}
		c.response(r, asked, r.SubmittedAt.Before(w.From))
		return ctx.Err()
	})
	if err != nil && !errors.Is(err, errEnd) {
		return nil, fmt.Errorf("read comments: %w", err)
	}
	return c.Themes(), nil
}

func (c *Counter) response(r store.Response, asked map[string]int32, before bool) {
	if r.Standing != store.StandingCounted && r.Standing != "" {
		return
	}
	for _, a := range r.Answers {
		if revision, ok := asked[a.Question]; !ok || revision != a.Revision || a.Kind != store.KindText || len(a.Values) == 0 {
			continue
		}
		c.Add(Comment{Question: a.Question, Language: r.Language, Text: a.Values[0], Before: before})
	}
}
