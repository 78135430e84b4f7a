package operations

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/store"
)

// clientDesk asks one program's endpoint.
type clientDesk struct{ client *Client }

// Desk returns where people work on the cases that the endpoint keeps. What an endpoint that was broken into says is bounded,
// and texts that people have written come without control characters.
func (c *Client) Desk() desk.Desk { return clientDesk{c} }

func (d clientDesk) Case(ctx context.Context, program store.Key, id string) (store.Case, error) {
	if !isID(id) {
		return store.Case{}, store.ErrNotFound
	}
	body, err := d.call(ctx, program, request{method: http.MethodGet, path: pathCases + "/" + id, most: maxCaseBody})
	if err != nil {
		return store.Case{}, err
	}
	return usable(decodeOne(program, body))
}

func (d clientDesk) ListCases(ctx context.Context, program store.Key, q store.CaseQuery) (store.CasePage, error) {
	v := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	for _, state := range q.States {
		v.Add("state", string(state))
	}
	if q.Touchpoint != nil {
		v.Set("touchpoint", *q.Touchpoint)
	}
	if !q.OverdueAt.IsZero() {
		v.Set("overdueAt", q.OverdueAt.UTC().Format(time.RFC3339Nano))
	}
	if q.After != "" {
		v.Set("after", q.After)
	}
	body, err := d.call(ctx, program, request{method: http.MethodGet, path: pathCases + "?" + v.Encode(), most: maxCasesBody})
	if err != nil {
		return store.CasePage{}, err
	}
	return usable(decodePage(program, body, q.Limit))
}

func (d clientDesk) ChangeCase(ctx context.Context, program store.Key, c store.CaseChange) (store.Case, error) {
	if !isID(c.ID) {
		return store.Case{}, store.ErrNotFound
	}
	body, err := d.call(ctx, program, request{
		method: http.MethodPatch, path: pathCases + "/" + c.ID, most: maxCaseBody,
		body: wireChange{Version: c.Version, State: c.State, Plan: c.Plan, Note: c.Note, By: c.By, At: c.At},
	})
	if err != nil {
		return store.Case{}, err
	}
	return usable(decodeOne(program, body))
}

func (d clientDesk) Contact(ctx context.Context, program store.Key, id string) (string, error) {
	if !isID(id) {
		return "", store.ErrNotFound
	}
	body, err := d.call(ctx, program, request{method: http.MethodGet, path: pathCases + "/" + id + "/contact", most: maxAnything})
	if err != nil {
		return "", err
	}
	return usable(decodeContact(program, body))
}

func (d clientDesk) EraseContacts(ctx context.Context, program store.Key, e desk.Erasure, at time.Time) (int64, error) {
	body, err := d.call(ctx, program, request{
		method: http.MethodPost, path: pathErase, most: maxAnything,
		body: wireErasure{Receipt: e.Receipt, Contact: e.Contact, ID: e.ID, At: at},
	})
	if err != nil {
		return 0, err
	}
	return usable(decodeErased(program, body))
}

func (d clientDesk) Notices(ctx context.Context, program store.Key, state string, after int64, limit int, now time.Time) ([]store.CaseNotice, error) {
	v := url.Values{
		"state": {state}, "after": {strconv.FormatInt(after, 10)}, "limit": {strconv.Itoa(limit)},
		"now": {now.UTC().Format(time.RFC3339Nano)},
	}
	body, err := d.call(ctx, program, request{method: http.MethodGet, path: pathNotices + "?" + v.Encode(), most: maxNoticesBody})
	if err != nil {
		return nil, err
	}
	return usable(decodeNotices(program, body, after, limit))
}

func (d clientDesk) SettleNotice(ctx context.Context, program store.Key, seq int64, state string, record []byte, now time.Time) error {
	body, err := d.call(ctx, program, request{
		method: http.MethodPost, path: pathNotices + "/" + strconv.FormatInt(seq, 10), most: maxAnything,
		body: wireSettlement{State: state, Record: record, At: now},
	})
	if err != nil {
		return err
	}
	_, err = usable(decodeAnswer(program, body, func(w *wireSettled) string { return w.Program }))
	return err
}

// usable makes ErrUnavailable of an answer that cannot be used.
func usable[T any](value T, err error) (T, error) {
	if err != nil {
		var none T
		return none, fmt.Errorf("%w: %w", desk.ErrUnavailable, err)
	}
	return value, nil
}

// request is a call about cases.
type request struct {
	method, path string
	// body is written as JSON; nil for none.
	body any
	// most is how many bytes the answer may have.
	most int64
}

// call makes a call, and returns errors as a Desk does.
func (d clientDesk) call(ctx context.Context, program store.Key, r request) ([]byte, error) {
	if program != d.client.options.Program {
		return nil, fmt.Errorf("%w: the endpoint serves another program", desk.ErrUnavailable)
	}
	var content []byte
	if r.body != nil {
		var err error
		if content, err = json.Marshal(r.body); err != nil { // a time after the year 9999
			return nil, fmt.Errorf("%w: the call cannot be written", desk.ErrInvalid)
		}
	}
	body, err := d.client.send(ctx, sending{method: r.method, path: r.path, body: content, timeout: callTimeout, most: r.most})
	if err == nil {
		return body, nil
	}
	var p *Problem
	if errors.As(err, &p) {
		for _, known := range caseProblems {
			if p.Status == known.status && p.Type == problemBase+known.reason {
				return nil, known.asError(p.Detail)
			}
		}
	}
	return nil, fmt.Errorf("%w: %w", desk.ErrUnavailable, err)
}
