package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

const (
	// importBatch is how many responses of an import share a call of the store.
	importBatch = 256
	// maxListedLines is how many rejected lines a summary lists.
	maxListedLines = 1000
	// While the store is busy, an import waits this long at first, twice as long each time, and at most maxImportWait.
	firstImportWait = 10 * time.Millisecond
	maxImportWait   = time.Second
)

// summary is the body of an answer to an import. Received = Stored + Repeated + Rejected.
type summary struct {
	Received int            `json:"received"`
	Stored   int            `json:"stored"`
	Repeated int            `json:"repeated"`
	Rejected int            `json:"rejected"`
	Lines    []rejectedLine `json:"lines"`
	// Unlisted is how many rejected lines are not in Lines, which holds the first maxListedLines.
	Unlisted int `json:"unlisted"`
}

type rejectedLine struct {
	Line   int                 `json:"line"`
	Errors []survey.FieldError `json:"errors"`
}

func (s *summary) reject(line int, errors ...survey.FieldError) {
	s.Rejected++
	if len(s.Lines) == maxListedLines {
		s.Unlisted++
		return
	}
	s.Lines = append(s.Lines, rejectedLine{line, errors})
}

// importNDJSON takes any number of responses, one a line. Lines are stored in batches as they arrive; what was stored
// before something went wrong stays, and sending the same lines again changes nothing. The address says what the body
// is, so that its media type is not asked for: curl sends none that fits.
func (s *Server) importNDJSON(w http.ResponseWriter, r *http.Request) {
	served, ok := s.program(r)
	if !ok {
		writeProblem(w, noProgram)
		return
	}
	if !s.requireToken(w, r, served.importDigest, "import") {
		s.metrics.reject(served.key, unauthorized, 1)
		return
	}
	if served.Store == nil {
		s.refuse(w, served, unavailable.because("The program's store is away. Send the import again later.").after(retryAway))
		return
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		s.refuse(w, served, unsupported.because("Send the lines as the body itself, not as a form with a file."))
		return
	}
	patience := newPatience(w, s.config.ChunkTimeout)
	r.Body = &patientBody{ReadCloser: r.Body, patience: patience}
	body, refused := openBody(w, r, s.config.MaxImportBody)
	if refused != nil {
		s.refuse(w, served, *refused)
		return
	}
	im := importer{server: s, served: served, lines: newLineReader(body, s.config.MaxImportLine), sum: summary{Lines: []rejectedLine{}}}
	err := im.run(r.Context())
	s.metrics.accept(served.key, im.sum.Stored)
	s.metrics.reject(served.key, invalid, im.sum.Rejected)
	patience.write()
	if err != nil {
		s.refuse(w, served, im.problem(r.Context(), err))
		return
	}
	writeJSON(w, http.StatusOK, mediaJSON, im.sum)
}

// importer works off one import.
type importer struct {
	server *Server
	served *served
	lines  *lineReader
	sum    summary
	batch  []imported
}

// imported is a line that is ready to be stored.
type imported struct {
	line       int
	submission survey.Submission
	response   store.Response
}

// errStore marks an error as the store's, not the client's.
type errStore struct{ error }

func (e errStore) Unwrap() error { return e.error }

func (im *importer) run(ctx context.Context) error {
	for {
		line, number, err := im.lines.next()
		switch {
		case err == nil:
			err = im.take(line, number)
		case errors.Is(err, errLongLine):
			im.sum.Received++
			im.sum.reject(number, survey.FieldError{Code: survey.CodeLength, Detail: fmt.Sprintf("a line must have at most %d bytes", im.lines.max)})
			err = nil
		case errors.Is(err, io.EOF):
			return im.finish(ctx)
		}
		if err != nil {
			return err
		}
		if len(im.batch) < importBatch {
			continue
		}
		if err := im.store(ctx); err != nil {
			return err
		}
	}
}

// take checks one line, and either rejects it or puts it into the batch.
func (im *importer) take(line []byte, number int) error {
	im.sum.Received++
	sub, response, refused := im.read(line)
	if len(refused) > 0 {
		im.sum.reject(number, refused...)
		return nil
	}
	receipt, err := newReceipt(im.server.rand)
	if err != nil {
		return errStore{err}
	}
	response.Receipt = receipt
	im.batch = append(im.batch, imported{number, sub, response})
	return nil
}

func (im *importer) read(line []byte) (survey.Submission, store.Response, []survey.FieldError) {
	sub, err := survey.DecodeSubmission(line)
	if err != nil {
		return sub, store.Response{}, []survey.FieldError{{Code: malformed.reason, Detail: err.Error()}}
	}
	response, refused := im.accept(sub)
	return sub, response, refused
}

func (im *importer) accept(sub survey.Submission) (store.Response, []survey.FieldError) {
	return im.served.Survey.Accept(sub, survey.Rules{Now: im.server.clock(), Import: true})
}

// store makes the batch durable.
func (im *importer) store(ctx context.Context) error {
	if len(im.batch) == 0 {
		return nil
	}
	responses := make([]store.Response, 0, len(im.batch))
	for _, b := range im.batch {
		responses = append(responses, b.response)
	}
	results, err := im.append(ctx, responses)
	if err != nil {
		return err
	}
	batch := im.batch
	im.batch = im.batch[:0]
	var taken []imported
	for i, result := range results {
		switch result.Outcome {
		case store.Stored:
			im.sum.Stored++
		case store.Repeated:
			im.sum.Repeated++
		default:
			taken = append(taken, batch[i])
		}
	}
	return im.compare(ctx, taken)
}

// compare sorts out lines whose id is taken. An exported line says when it was submitted; a response that came in by page
// or JSON did not say so itself, but is the same response.
func (im *importer) compare(ctx context.Context, taken []imported) error {
	var again []store.Response
	var lines []int
	for _, t := range taken {
		if t.submission.SubmittedAt == "" {
			im.sum.reject(t.line, idUsed)
			continue
		}
		t.submission.SubmittedAt = ""
		response, refused := im.accept(t.submission)
		if len(refused) > 0 {
			im.sum.reject(t.line, refused...)
			continue
		}
		again, lines = append(again, response), append(lines, t.line)
	}
	if len(again) == 0 {
		return nil
	}
	results, err := im.append(ctx, again)
	if err != nil {
		return err
	}
	for i, result := range results {
		if result.Outcome == store.Conflict {
			im.sum.reject(lines[i], idUsed)
			continue
		}
		im.sum.Repeated++
	}
	return nil
}

// append hands responses to the store, and waits where it is busy.
func (im *importer) append(ctx context.Context, responses []store.Response) ([]store.Result, error) {
	var results []store.Result
	err := whenFree(ctx, func() (err error) {
		results, err = im.served.Store.Append(ctx, responses)
		return err
	})
	return results, err
}

// finish stores the rest and marks the end of the import, unless nothing of it is stored.
func (im *importer) finish(ctx context.Context) error {
	if err := im.store(ctx); err != nil {
		return err
	}
	if im.sum.Stored+im.sum.Repeated == 0 {
		return nil
	}
	return whenFree(ctx, func() error {
		_, err := im.served.Store.FinishImport(ctx, im.served.key)
		return err
	})
}

// whenFree calls until the store is not busy. Its other errors are marked as the store's.
func whenFree(ctx context.Context, call func() error) error {
	for wait := firstImportWait; ; wait = min(2*wait, maxImportWait) {
		err := call()
		if err == nil {
			return nil
		}
		if !errors.Is(err, store.ErrBusy) {
			return errStore{err}
		}
		select {
		case <-ctx.Done():
			return errStore{ctx.Err()}
		case <-time.After(wait):
		}
	}
}

// problem words an error that ended the import.
func (im *importer) problem(ctx context.Context, err error) problem {
	done := fmt.Sprintf(" %d lines were read and %d responses stored before; they stay. Sending the same lines again is safe.", im.sum.Received, im.sum.Stored)
	var fromStore errStore
	if errors.As(err, &fromStore) {
		if ctx.Err() == nil && !errors.Is(err, store.ErrClosed) {
			im.server.fault(err)
		}
		return unavailable.because("The program's store is away." + done).after(retryAway)
	}
	p := bodyProblem(err, im.server.config.MaxImportBody)
	return p.because(p.Detail + done)
}
