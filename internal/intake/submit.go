package intake

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Times after which a client is told to try again: a full queue is drained in well under a second, a store that is away
// takes longer to return.
const (
	retryBusy = time.Second
	retryAway = 5 * time.Second
)

// writeReceipt writes the body of 201 and 200. A UUID and a receipt are JSON as they are.
func writeReceipt(w http.ResponseWriter, status int, id, receipt string) {
	var space [128]byte
	line := append(append(space[:0], `{"id":"`...), id...)
	line = append(append(line, `","receipt":"`...), receipt...)
	writeLine(w, status, typeJSON, append(line, "\"}\n"...))
}

// postJSON takes one response as JSON.
func (s *Server) postJSON(w http.ResponseWriter, r *http.Request) {
	wait, allowed := s.allow(s.submissions, r)
	served, ok := s.program(r)
	if !ok {
		writeProblem(w, noProgram)
		return
	}
	if !allowed {
		s.refuse(w, served, tooMany.because("This client sends too many responses. Wait, then send the same id again.").after(wait))
		return
	}
	if served.gate.full() {
		s.turnAway(w, served)
		return
	}
	body, refused := s.readJSON(w, r, served)
	if refused != nil {
		s.refuse(w, served, *refused)
		return
	}
	if !served.gate.enter(r.Context()) {
		s.turnAway(w, served)
		return
	}
	defer served.gate.leave()
	response, refused := s.decode(served, body)
	if refused != nil {
		s.refuse(w, served, *refused)
		return
	}
	result, refused := s.save(r.Context(), served, response)
	if refused != nil {
		s.refuse(w, served, *refused)
		return
	}
	status := http.StatusCreated
	if result.Outcome == store.Repeated {
		status = http.StatusOK
	}
	writeReceipt(w, status, response.ID, result.Receipt)
}

// readJSON reads the text of one response.
func (s *Server) readJSON(w http.ResponseWriter, r *http.Request, served *served) ([]byte, *problem) {
	if served.Survey.Closed {
		p := closed.because("The program is closed.")
		return nil, &p
	}
	if refused := checkMediaType(r, mediaJSON); refused != nil {
		return nil, refused
	}
	return readBody(w, r, s.config.MaxBody)
}

// decode reads and checks one response.
func (s *Server) decode(served *served, body []byte) (store.Response, *problem) {
	sub, err := survey.DecodeSubmission(body)
	if err != nil {
		p := malformed.because(err.Error())
		return store.Response{}, &p
	}
	now := s.clock()
	invited, refused := served.invitedBy(sub.Invitation)
	if refused == nil {
		refused = checkExpiry(invited, time.Time{}, now)
	}
	if refused != nil {
		return store.Response{}, refused
	}
	fields := fixedBy(invited, &sub)
	response, wrong := served.Survey.Accept(sub, survey.Rules{Now: now})
	if fields = append(fields, wrong...); len(fields) > 0 {
		p := invalid.because("Nothing was stored. Each field that is wrong is named in errors.").with(fields...)
		return store.Response{}, &p
	}
	var v verdict
	v.worked(served.Survey, response.ID, sub.Proof)
	v.of(&response, invited)
	return response, s.openCase(served, &response, sub.Contact)
}

// refuse answers with a problem and counts it.
func (s *Server) refuse(w http.ResponseWriter, served *served, p problem) {
	s.metrics.reject(served.key, p, 1)
	writeProblem(w, p)
}

// save makes a response durable under a new receipt, or returns that of the first time if it is a repeat.
func (s *Server) save(ctx context.Context, served *served, response store.Response) (store.Result, *problem) {
	if served.Store == nil {
		p := unavailable.because("The program's store is away. Send the same id again later.").after(retryAway)
		return store.Result{}, &p
	}
	receipt, err := newReceipt(s.rand)
	if err != nil {
		s.fault(err)
		p := internal
		return store.Result{}, &p
	}
	response.Receipt = receipt
	ctx, cancel := context.WithTimeout(ctx, s.config.QueueTimeout)
	defer cancel()
	start := time.Now()
	results, err := served.Store.Append(ctx, []store.Response{response})
	if err != nil {
		p := s.storeProblem(ctx, err)
		return store.Result{}, &p
	}
	s.metrics.commit.Observe(time.Since(start).Seconds())
	switch results[0].Outcome {
	case store.Stored:
		s.metrics.accept(served.key, 1)
	case store.Conflict:
		p := conflict.because("Nothing was stored. A new response needs a new id.").with(idUsed)
		return store.Result{}, &p
	case store.Spent:
		p := linkUsed.because("Nothing was stored. The link can be answered once, and was.")
		return store.Result{}, &p
	}
	return results[0], nil
}

// idUsed is the error of a response whose id was used for another one.
var idUsed = survey.FieldError{Pointer: "/id", Code: "conflict", Detail: "another response was stored under this id"}

var noProgram = notFound.because("There is no such program.")

// storeProblem words an error of the store, and logs it unless it is a matter of load or of a client that has gone.
func (s *Server) storeProblem(ctx context.Context, err error) problem {
	if errors.Is(err, store.ErrBusy) || errors.Is(err, context.DeadlineExceeded) {
		return overloaded
	}
	if ctx.Err() == nil && !errors.Is(err, store.ErrClosed) {
		s.fault(err)
	}
	return unavailable.because("The program's store is away. Send the same id again later.").after(retryAway)
}
