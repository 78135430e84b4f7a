package intake

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// problem is an answer that is not a success, as RFC 9457 writes it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Errors names each field that is wrong by JSON pointer.
	Errors []survey.FieldError `json:"errors,omitempty"`

	// reason is the value of the label of cx_responses_rejected_total; it is also the end of Type.
	reason string
	// retryAfter is sent as Retry-After in whole seconds, rounded up; 0 sends none.
	retryAfter time.Duration
}

// problemBase is where the types of problems begin. They identify, they need not be fetched.
const problemBase = "https://cx-operator.io/problems/"

func newProblem(status int, reason, title string) problem {
	return problem{Type: problemBase + reason, Title: title, Status: status, reason: reason}
}

// The problems. Their reasons are all the values that the label reason can have.
var (
	malformed        = newProblem(http.StatusBadRequest, "malformed", "The request cannot be read")
	unauthorized     = newProblem(http.StatusUnauthorized, "unauthorized", "A token is needed")
	notInvited       = newProblem(http.StatusForbidden, "not-invited", "The program takes answers by invitation only")
	linkInvalid      = newProblem(http.StatusForbidden, "link-invalid", "The link is not valid")
	linkExpired      = newProblem(http.StatusForbidden, "link-expired", "The link has expired")
	linkUsed         = newProblem(http.StatusForbidden, "link-used", "The link was answered before")
	notFound         = newProblem(http.StatusNotFound, "not-found", "There is nothing at this address")
	methodNotAllowed = newProblem(http.StatusMethodNotAllowed, "method-not-allowed", "The address does not take this method")
	timedOut         = newProblem(http.StatusRequestTimeout, "timeout", "The request took too long to arrive")
	conflict         = newProblem(http.StatusConflict, "conflict", "The id was used for another response")
	closed           = newProblem(http.StatusGone, "closed", "The program takes no more responses")
	tooLarge         = newProblem(http.StatusRequestEntityTooLarge, "too-large", "The request is too large")
	unsupported      = newProblem(http.StatusUnsupportedMediaType, "unsupported", "The media type is not supported")
	invalid          = newProblem(http.StatusUnprocessableEntity, "invalid", "The response cannot be accepted")
	tooMany          = newProblem(http.StatusTooManyRequests, "too-many", "Too many requests")
	internal         = newProblem(http.StatusInternalServerError, "internal", "The request could not be answered")
	unavailable      = newProblem(http.StatusServiceUnavailable, "unavailable", "Responses cannot be saved or read now")
)

// because returns the problem with what happened here, and what to do.
func (p problem) because(detail string) problem {
	p.Detail = detail
	return p
}

// with returns the problem with the fields that are wrong.
func (p problem) with(errors ...survey.FieldError) problem {
	p.Errors = errors
	return p
}

// after returns the problem with the time after which to try again.
func (p problem) after(d time.Duration) problem {
	p.retryAfter = d
	return p
}

// retrySeconds is retryAfter in whole seconds, rounded up.
func (p problem) retrySeconds() int {
	return int((p.retryAfter + time.Second - 1) / time.Second)
}

func writeProblem(w http.ResponseWriter, p problem) {
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.retrySeconds()))
	}
	writeJSON(w, p.Status, "application/problem+json", p)
}

// writeJSON writes a value that is known to marshal. What the client does not take, it cannot be told of.
func writeJSON(w http.ResponseWriter, status int, mediaType string, v any) {
	body, err := encode(v)
	if err != nil {
		panic(err)
	}
	writeLine(w, status, []string{mediaType}, body)
}

// writeLine writes a line of JSON.
func writeLine(w http.ResponseWriter, status int, mediaType []string, line []byte) {
	h := w.Header()
	h["Content-Type"] = mediaType
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.Itoa(len(line))}
	w.WriteHeader(status)
	_, _ = w.Write(line)
}

// encode writes a value as a line of JSON. An "&" stays what it is: people copy links out of answers.
func encode(v any) ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return line.Bytes(), nil
}
