package operations

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// caseProblem is how an error of a desk.Desk is answered.
type caseProblem struct {
	is            error
	status        int
	reason, title string
	// told says that the error's text is for the caller.
	told bool
}

// caseProblems are all errors that are no trouble of the endpoint's.
var caseProblems = []caseProblem{
	{is: store.ErrNotFound, status: http.StatusNotFound, reason: "case-not-found", title: "There is no such case"},
	{is: store.ErrChanged, status: http.StatusConflict, reason: "case-changed", title: "The case was changed meanwhile"},
	{is: store.ErrBackward, status: http.StatusUnprocessableEntity, reason: "case-backward", title: "A case does not move back"},
	{is: store.ErrBadPage, status: http.StatusUnprocessableEntity, reason: "bad-page", title: "There is no such page"},
	{is: desk.ErrErased, status: http.StatusGone, reason: "contact-erased", title: "The contact was erased"},
	{is: desk.ErrSealed, status: http.StatusUnprocessableEntity, reason: "contact-sealed", title: "The contact cannot be opened: its key is not there"},
	{is: desk.ErrInvalid, status: http.StatusUnprocessableEntity, reason: "invalid", title: "The call cannot be accepted", told: true},
}

func (c caseProblem) asError(detail string) error {
	if c.told && detail != "" {
		return fmt.Errorf("%w: %s", c.is, detail)
	}
	return c.is
}

// invalidError is desk.ErrInvalid, with a detail that names the field.
type invalidError string

func (e invalidError) Error() string { return string(e) }

func (e invalidError) Is(target error) bool { return target == desk.ErrInvalid }

// routeCases adds the calls about cases.
func (h *handler) routeCases(mux *http.ServeMux) {
	only := func(path string, methods map[string]http.HandlerFunc) {
		mux.HandleFunc(path, h.internal(func(w http.ResponseWriter, r *http.Request) {
			if next, ok := methods[r.Method]; ok {
				next(w, r)
				return
			}
			notAllowed(w, methods)
		}))
	}
	only(pathCases, map[string]http.HandlerFunc{http.MethodGet: asked(h, h.listCases)})
	only(pathCases+"/{id}", map[string]http.HandlerFunc{http.MethodGet: asked(h, h.getCase), http.MethodPatch: asked(h, h.changeCase)})
	only(pathCases+"/{id}/contact", map[string]http.HandlerFunc{http.MethodGet: asked(h, h.contact)})
	only(pathErase, map[string]http.HandlerFunc{http.MethodPost: asked(h, h.eraseContacts)})
	only(pathNotices, map[string]http.HandlerFunc{http.MethodGet: asked(h, h.notices)})
	only(pathNotices+"/{seq}", map[string]http.HandlerFunc{http.MethodPost: asked(h, h.settleNotice)})
}

func notAllowed(w http.ResponseWriter, methods map[string]http.HandlerFunc) {
	allowed := ""
	for _, method := range []string{http.MethodGet, http.MethodPatch, http.MethodPost} {
		if _, ok := methods[method]; !ok {
			continue
		}
		if allowed != "" {
			allowed += ", "
		}
		allowed += method
	}
	w.Header().Set("Allow", allowed)
	newProblem(http.StatusMethodNotAllowed, "method-not-allowed", "The address does not take this method", "Allowed are "+allowed+".").write(w)
}

// asked answers a call with what next returns, or with the problem of its error.
func asked[T any](h *handler, next func(r *http.Request, d desk.Desk) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if h.Desk == nil {
			unavailable("The endpoint keeps no cases.").write(w)
			return
		}
		d, err := h.Desk()
		if err != nil {
			unavailable(err.Error()).write(w)
			return
		}
		answer, err := next(r, d)
		if err != nil {
			h.failCase(w, r, err)
			return
		}
		body, err := json.Marshal(answer)
		if err != nil { // a time after the year 9999, which no store takes
			h.failCase(w, r, err)
			return
		}
		writeBody(w, http.StatusOK, "application/json", body)
	}
}

// failCase answers an error. What is no fault of the caller's is logged, at most once every ten seconds: an error never has a
// contact in it.
func (h *handler) failCase(w http.ResponseWriter, r *http.Request, err error) {
	var p *Problem
	switch {
	case r.Context().Err() != nil: // the client has left
		return
	case errors.As(err, &p):
		p.write(w)
		return
	}
	for _, known := range caseProblems {
		if errors.Is(err, known.is) {
			p = newProblem(known.status, known.reason, known.title, "")
			if known.told {
				p.Detail = strings.TrimPrefix(err.Error(), known.is.Error()+": ")
			}
			p.write(w)
			return
		}
	}
	h.faults.Do(func() { h.Log.Error(err, "A case could not be read or changed") })
	unavailable(h.explain(err)).write(w)
}

func (h *handler) listCases(r *http.Request, d desk.Desk) (wirePage, error) {
	q, err := parseCaseQuery(r.URL.Query())
	if err != nil {
		return wirePage{}, err
	}
	page, err := d.ListCases(r.Context(), h.Program, q)
	if err != nil {
		return wirePage{}, err
	}
	w := wirePage{Program: h.Program.String(), Cases: []wireCase{}, Next: page.Next, Remaining: page.Remaining}
	for _, c := range page.Cases {
		w.Cases = append(w.Cases, encodeCase(c))
	}
	return w, nil
}

func parseCaseQuery(v url.Values) (store.CaseQuery, error) {
	var q store.CaseQuery
	states := v["state"]
	if len(states) > len(caseStates) {
		return q, invalidError(fmt.Sprintf("state: at most %d are allowed.", len(caseStates)))
	}
	for _, state := range states {
		if err := checkState(store.CaseState(state)); err != nil {
			return q, err
		}
		q.States = append(q.States, store.CaseState(state))
	}
	if v.Has("touchpoint") {
		touchpoint := v.Get("touchpoint")
		q.Touchpoint = &touchpoint
	}
	q.After = v.Get("after")
	var err error
	if q.Limit, err = limitOf(v); err != nil {
		return q, err
	}
	if text := v.Get("overdueAt"); text != "" {
		if q.OverdueAt, err = parseTime("overdueAt", text); err != nil {
			return q, err
		}
	}
	return q, checkTexts(bounded{"touchpoint", v.Get("touchpoint"), maxName}, bounded{"after", q.After, maxPlace})
}

// limitOf reads how many are wanted, all that a page can have where it is not said.
func limitOf(v url.Values) (int, error) {
	if v.Get("limit") == "" {
		return maxCases, nil
	}
	limit, err := strconv.Atoi(v.Get("limit"))
	if err != nil || limit < 1 || limit > maxCases {
		return 0, invalidError(fmt.Sprintf("limit: a whole number from 1 to %d is allowed.", maxCases))
	}
	return limit, nil
}

func parseTime(field, value string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return time.Time{}, invalidError(field + ": a time as RFC 3339 writes it is allowed.")
	}
	return at, checkTime(field, at)
}

// checkTime takes the times that a store can keep, and that can be written again.
func checkTime(field string, at time.Time) error {
	if year := at.UTC().Year(); year < 2000 || year > 9999 {
		return invalidError(field + ": a time from the year 2000 to 9999 is allowed.")
	}
	return nil
}

func checkState(state store.CaseState) error {
	if !slices.Contains(caseStates, state) {
		return invalidError("state: Open, Contacted, Resolved and Informed are allowed.")
	}
	return nil
}

// bounded is a field with a text, and how many bytes it may have.
type bounded struct {
	field, value string
	most         int
}

func checkTexts(texts ...bounded) error {
	for _, t := range texts {
		if len(t.value) > t.most || !utf8.ValidString(t.value) || slices.Contains([]byte(t.value), 0) {
			return invalidError(fmt.Sprintf("%s: at most %d bytes of UTF-8 without NUL are allowed.", t.field, t.most))
		}
	}
	return nil
}

func (h *handler) getCase(r *http.Request, d desk.Desk) (wireOne, error) {
	id, err := idOf(r)
	if err != nil {
		return wireOne{}, err
	}
	c, err := d.Case(r.Context(), h.Program, id)
	return wireOne{h.Program.String(), encodeCase(c)}, err
}

// idOf returns the case that a call is about. What is no ID is that of no case.
func idOf(r *http.Request) (string, error) {
	id := r.PathValue("id")
	if !isID(id) {
		return "", store.ErrNotFound
	}
	return id, nil
}

func (h *handler) changeCase(r *http.Request, d desk.Desk) (wireOne, error) {
	id, err := idOf(r)
	if err != nil {
		return wireOne{}, err
	}
	var w wireChange
	if err := readCall(r, &w); err != nil {
		return wireOne{}, err
	}
	if err := w.check(); err != nil {
		return wireOne{}, err
	}
	c, err := d.ChangeCase(r.Context(), h.Program, store.CaseChange{
		ID: id, Version: w.Version, State: w.State, Plan: w.Plan, Note: w.Note, By: w.By, At: w.At,
	})
	return wireOne{h.Program.String(), encodeCase(c)}, err
}

func (w wireChange) check() error {
	if w.State != "" {
		if err := checkState(w.State); err != nil {
			return err
		}
	}
	plan := ""
	if w.Plan != nil {
		plan = *w.Plan
	}
	if err := checkTexts(bounded{"plan", plan, maxName}, bounded{"note", w.Note, maxNote}, bounded{"by", w.By, maxName}); err != nil {
		return err
	}
	return checkTime("at", w.At)
}

// readCall reads the body of a call that changes something.
func readCall(r *http.Request, into any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxCallBody+1))
	switch {
	case err != nil:
		return malformed("The body broke off.")
	case len(body) > maxCallBody:
		return newProblem(http.StatusRequestEntityTooLarge, "too-large", "The request is too large", fmt.Sprintf("The body must have at most %d bytes.", maxCallBody))
	}
	if err := survey.DecodeStrict(body, into); err != nil {
		return malformed("The body is not written as it should be.") // which could say what stands in it
	}
	return nil
}

func (h *handler) contact(r *http.Request, d desk.Desk) (wireContact, error) {
	id, err := idOf(r)
	if err != nil {
		return wireContact{}, err
	}
	contact, err := d.Contact(r.Context(), h.Program, id)
	return wireContact{h.Program.String(), contact}, err
}

func (h *handler) eraseContacts(r *http.Request, d desk.Desk) (wireErased, error) {
	var w wireErasure
	if err := readCall(r, &w); err != nil {
		return wireErased{}, err
	}
	if err := checkTexts(bounded{"receipt", w.Receipt, maxReceipt}, bounded{"contact", w.Contact, maxContact}, bounded{"id", w.ID, maxName}); err != nil {
		return wireErased{}, err
	}
	if err := checkTime("at", w.At); err != nil {
		return wireErased{}, err
	}
	erased, err := d.EraseContacts(r.Context(), h.Program, desk.Erasure{Receipt: w.Receipt, Contact: w.Contact, ID: w.ID}, w.At)
	return wireErased{h.Program.String(), erased}, err
}

func (h *handler) notices(r *http.Request, d desk.Desk) (wireNotices, error) {
	v := r.URL.Query()
	limit, err := limitOf(v)
	if err != nil {
		return wireNotices{}, err
	}
	now, err := parseTime("now", v.Get("now"))
	if err != nil {
		return wireNotices{}, err
	}
	after, err := strconv.ParseInt(v.Get("after"), 10, 64)
	if err != nil || after < 0 {
		return wireNotices{}, invalidError("after: a whole number of 0 or more is allowed.")
	}
	if err := checkNoticeState(v.Get("state")); err != nil {
		return wireNotices{}, err
	}
	notices, err := d.Notices(r.Context(), h.Program, v.Get("state"), after, limit, now)
	w := wireNotices{Program: h.Program.String(), Notices: []wireNotice{}}
	for _, n := range notices {
		w.Notices = append(w.Notices, wireNotice{
			Seq: n.Seq, Case: n.CaseID, Touchpoint: n.Touchpoint, Transition: n.Transition, At: n.At, State: n.State, Record: n.Record,
		})
	}
	return w, err
}

func checkNoticeState(state string) error {
	if !slices.Contains(noticeStates, state) {
		return invalidError("state: Pending, Delivered and Dead are allowed.")
	}
	return nil
}

func (h *handler) settleNotice(r *http.Request, d desk.Desk) (wireSettled, error) {
	seq, err := strconv.ParseInt(r.PathValue("seq"), 10, 64)
	if err != nil || seq < 1 {
		return wireSettled{}, invalidError("the notice: a whole number of 1 or more is allowed.")
	}
	var w wireSettlement
	if err := readCall(r, &w); err != nil {
		return wireSettled{}, err
	}
	if err := checkNoticeState(w.State); err != nil {
		return wireSettled{}, err
	}
	if len(w.Record) > maxRecord {
		return wireSettled{}, invalidError(fmt.Sprintf("record: at most %d bytes are allowed.", maxRecord))
	}
	if err := checkTime("at", w.At); err != nil {
		return wireSettled{}, err
	}
	return wireSettled{h.Program.String()}, d.SettleNotice(r.Context(), h.Program, seq, w.State, w.Record, w.At)
}
