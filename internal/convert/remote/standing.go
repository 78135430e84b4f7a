package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// MaxIDs is how many responses one call may name.
const MaxIDs = 10_000

// Selection says which responses to annul or to bring back: those that meet everything that is set.
type Selection struct {
	// IDs of responses, at most MaxIDs.
	IDs []string `json:"ids,omitempty"`
	// From and To (RFC 3339) bound when they were given; To is exclusive.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Touchpoint and Team; nil for any, "" for responses that name none.
	Touchpoint *string `json:"touchpoint,omitempty"`
	Team       *string `json:"team,omitempty"`
	// Failed is a check against robots that they failed.
	Failed string `json:"failed,omitempty"`
	// Standing that they have: counted, suspect or annulled.
	Standing string `json:"standing,omitempty"`
	// All says that every response is meant, where nothing else is set.
	All bool `json:"all,omitempty"`
	// DryRun changes nothing.
	DryRun bool `json:"dryRun,omitempty"`
}

// Changed is what became of it.
type Changed struct {
	// Changed is how many responses got the other standing, or would.
	Changed int64 `json:"changed"`
	DryRun  bool  `json:"dryRun"`
	// Recount compares the program's counts with its responses, afterwards.
	Recount struct {
		Responses   int64    `json:"responses"`
		Differences []string `json:"differences"`
	} `json:"recount"`
}

// Annul takes responses out of every count. The same call again changes nothing more.
func (c *Client) Annul(ctx context.Context, s Selection) (Changed, error) {
	return c.setStanding(ctx, ":annul", s)
}

// Reinstate brings responses back that were annulled or are suspect.
func (c *Client) Reinstate(ctx context.Context, s Selection) (Changed, error) {
	return c.setStanding(ctx, ":reinstate", s)
}

func (c *Client) setStanding(ctx context.Context, call string, s Selection) (Changed, error) {
	body, err := json.Marshal(s)
	if err != nil {
		return Changed{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.responses+call, bytes.NewReader(body))
	if err != nil {
		return Changed{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.do(r)
	if err != nil {
		return Changed{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return Changed{}, &lostError{fmt.Errorf("the endpoint's answer was cut off: %w", err)}
	}
	var changed Changed
	if err := json.Unmarshal(text, &changed); err != nil {
		return Changed{}, fmt.Errorf("the endpoint's answer does not say what changed: %w", err)
	}
	return changed, nil
}
