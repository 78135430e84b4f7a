package intake

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// inviteBatch is how many lines share a call of the store, which takes no more.
const inviteBatch = 1000

// bulkLine is the answer to one line.
type bulkLine struct {
	Line int `json:"line"`
	*invitedAnswer
	Error *problem `json:"error,omitempty"`
}

// bulk makes the links of one request, a line each.
type bulk struct {
	*inviter
	lines *lineReader
	out   *bufio.Writer
	// batch are the lines that wait for the store: asked is empty where the line is refused already.
	batch []bulkWaiting
}

type bulkWaiting struct {
	line    int
	asked   survey.Invitation
	refused *problem
}

// postInvitations makes any number of links, one a line. Answers are sent batch by batch while lines still arrive. What was made
// before something went wrong stays, and the same lines again get the same answers.
func (s *Server) postInvitations(w http.ResponseWriter, r *http.Request) {
	in, ok := s.inviter(w, r)
	if !ok {
		return
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		writeProblem(w, unsupported.because("Send the lines as the body itself, not as a form with a file."))
		return
	}
	patience := newPatience(w, s.config.ChunkTimeout)
	r.Body = &patientBody{ReadCloser: r.Body, patience: patience}
	body, refused := openBody(w, r, s.config.MaxImportBody)
	if refused != nil {
		writeProblem(w, *refused)
		return
	}
	// Without this, HTTP/1 takes no more of the body after the first answer. Writers that cannot do it are in no need of it.
	_ = patience.controller.EnableFullDuplex()
	patient := &patientWriter{ResponseWriter: w, patience: patience}
	b := bulk{inviter: in, lines: newLineReader(body, s.config.MaxImportLine), out: bufio.NewWriterSize(patient, exportBuffer)}
	w.Header().Set("Content-Type", mediaNDJSON)
	w.Header().Set("Cache-Control", "no-store")
	err := b.run(r.Context())
	if err == nil {
		err = b.out.Flush()
	}
	if err != nil {
		b.fail(r.Context(), patient, err)
	}
}

func (b *bulk) run(ctx context.Context) error {
	for {
		line, number, err := b.lines.next()
		switch {
		case err == nil:
			asked, refused := b.read(line)
			b.batch = append(b.batch, bulkWaiting{number, asked, refused})
		case errors.Is(err, errLongLine):
			p := tooLarge.because(fmt.Sprintf("A line must have at most %d bytes.", b.lines.max))
			b.batch = append(b.batch, bulkWaiting{line: number, refused: &p})
		case errors.Is(err, io.EOF):
			return b.answer(ctx)
		default:
			return err
		}
		if len(b.batch) < inviteBatch {
			continue
		}
		if err := b.answer(ctx); err != nil {
			return err
		}
	}
}

// answer makes the links of the batch and writes its lines.
func (b *bulk) answer(ctx context.Context) error {
	var asked []survey.Invitation
	for _, w := range b.batch {
		if w.refused == nil {
			asked = append(asked, w.asked)
		}
	}
	var made []invited
	err := whenFree(ctx, func() (err error) {
		made, err = b.invite(ctx, asked)
		return err
	})
	if err != nil {
		return err
	}
	for _, w := range b.batch {
		line := bulkLine{Line: w.line, Error: w.refused}
		if w.refused == nil {
			line.Error = made[0].problem
			if line.Error == nil {
				line.invitedAnswer = &made[0].answer
			}
			made = made[1:]
		}
		if err := b.write(line); err != nil {
			return err
		}
	}
	b.batch = b.batch[:0]
	return nil
}

func (b *bulk) write(line bulkLine) error {
	encoded, err := encode(line)
	if err != nil {
		return fmt.Errorf("writing an answer as JSON: %w", err)
	}
	_, err = b.out.Write(encoded)
	return err
}

// fail ends a request that cannot be worked off: with a problem where nothing was sent yet, else with a line that says so and an
// answer that is cut off.
func (b *bulk) fail(ctx context.Context, w *patientWriter, err error) {
	p := b.problem(ctx, err)
	if !w.started {
		w.patience.write()
		writeProblem(w.ResponseWriter, p)
		return
	}
	if b.write(bulkLine{Line: b.lines.number, Error: &p}) == nil {
		_ = b.out.Flush() // a client that has gone cannot be told
	}
	panic(http.ErrAbortHandler)
}

// problem words an error that ended the request.
func (b *bulk) problem(ctx context.Context, err error) problem {
	const again = " Links that were made stay. Sending the same lines again is safe."
	var fromStore errStore
	if !errors.As(err, &fromStore) {
		p := bodyProblem(err, b.server.config.MaxImportBody)
		return p.because(p.Detail + again)
	}
	if ctx.Err() == nil && !errors.Is(err, store.ErrClosed) {
		b.server.fault(err)
	}
	return unavailable.because("The program's store is away." + again).after(retryAway)
}
