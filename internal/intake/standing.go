package intake

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

const (
	// maxSelected is how many responses a command may name.
	maxSelected = 10_000
	// maxSelection bounds the body of a command: that many ids, and some room.
	maxSelection = 1 << 20
	// maxSelectedName is the longest name of a touchpoint or team that a response can have.
	maxSelectedName = 253
)

// selection is which responses a command is for, as it is sent.
type selection struct {
	IDs        []string `json:"ids,omitempty"`
	From       string   `json:"from,omitempty"`
	To         string   `json:"to,omitempty"`
	Touchpoint *string  `json:"touchpoint,omitempty"`
	Team       *string  `json:"team,omitempty"`
	Failed     string   `json:"failed,omitempty"`
	Standing   string   `json:"standing,omitempty"`
	All        bool     `json:"all,omitempty"`
	DryRun     bool     `json:"dryRun,omitempty"`
}

// changedAnswer is what became of a command.
type changedAnswer struct {
	Changed int64         `json:"changed"`
	DryRun  bool          `json:"dryRun"`
	Recount recountAnswer `json:"recount"`
}

type recountAnswer struct {
	Responses   int64    `json:"responses"`
	Differences []string `json:"differences"`
}

// setStanding returns the handler that gives responses another standing.
func (s *Server) setStanding(to store.Standing) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		served, ok := s.program(r)
		if !ok {
			writeProblem(w, noProgram)
			return
		}
		if !s.requireToken(w, r, served.importDigest, "import") {
			return
		}
		asked, chosen, refused := readSelection(w, r)
		if refused != nil {
			writeProblem(w, *refused)
			return
		}
		if served.Store == nil {
			writeProblem(w, unavailable.because("The program's store is away. Send the same again later.").after(retryAway))
			return
		}
		changed, err := served.Store.SetStanding(r.Context(), served.key, chosen, to, asked.DryRun)
		var check store.Check
		if err == nil {
			check, err = served.Store.Recount(r.Context(), served.key)
		}
		newPatience(w, s.config.ChunkTimeout).write()
		if err != nil {
			p := s.storeProblem(r.Context(), err)
			writeProblem(w, p.because("The program's store is away. Some responses may have changed; sending the same again is safe."))
			return
		}
		differences := append([]string{}, check.Differences...)
		writeJSON(w, http.StatusOK, mediaJSON, changedAnswer{changed, asked.DryRun, recountAnswer{check.Responses, differences}})
	}
}

// readSelection reads and checks what a command is for.
func readSelection(w http.ResponseWriter, r *http.Request) (selection, store.Selection, *problem) {
	var asked selection
	if refused := checkMediaType(r, mediaJSON); refused != nil {
		return asked, store.Selection{}, refused
	}
	body, refused := readBody(w, r, maxSelection)
	if refused != nil {
		return asked, store.Selection{}, refused
	}
	if err := survey.DecodeStrict(body, &asked); err != nil {
		p := malformed.because(err.Error())
		return asked, store.Selection{}, &p
	}
	chosen, wrong := asked.check()
	if len(wrong) > 0 {
		p := invalid.because("No response was changed. Each field that is wrong is named in errors.").with(wrong...)
		return asked, store.Selection{}, &p
	}
	return asked, chosen, nil
}

// selecting collects what is wrong with a selection.
type selecting struct{ wrong []survey.FieldError }

func (s *selecting) refuse(pointer, code, format string, args ...any) {
	s.wrong = append(s.wrong, survey.FieldError{Pointer: pointer, Code: code, Detail: fmt.Sprintf(format, args...)})
}

// check returns the selection as a store takes it, or everything that is wrong.
func (a selection) check() (store.Selection, []survey.FieldError) {
	var s selecting
	chosen := store.Selection{
		IDs: s.ids(a.IDs), From: s.time("/from", a.From), To: s.time("/to", a.To),
		Touchpoint: s.name("/touchpoint", a.Touchpoint), Unit: s.name("/team", a.Team),
		Failed: a.Failed, Standing: store.Standing(a.Standing),
	}
	if !chosen.From.IsZero() && !chosen.To.IsZero() && !chosen.From.Before(chosen.To) {
		s.refuse("/to", survey.CodeRange, "must be after from")
	}
	if a.Failed != "" && !survey.IsCheck(a.Failed) {
		s.refuse("/failed", survey.CodeFormat, "must be the name of a check, such as honeypot, page, proof or time")
	}
	standings := []store.Standing{"", store.StandingCounted, store.StandingSuspect, store.StandingAnnulled}
	if !slices.Contains(standings, chosen.Standing) {
		s.refuse("/standing", survey.CodeChoice, "must be counted, suspect or annulled")
	}
	switch some := a.hasCondition(); {
	case a.All && some:
		s.refuse("/all", "conflict", "all means every response: leave it out beside a condition")
	case !a.All && !some:
		s.refuse("", survey.CodeRequired, "at least one condition is required, or all for every response")
	}
	return chosen, s.wrong
}

func (a selection) hasCondition() bool {
	return len(a.IDs) > 0 || a.Touchpoint != nil || a.Team != nil || a.From+a.To+a.Failed+a.Standing != ""
}

func (s *selecting) ids(given []string) []string {
	if len(given) > maxSelected {
		s.refuse("/ids", survey.CodeLength, "at most %d ids are allowed", maxSelected)
		return nil
	}
	ids := make([]string, 0, len(given))
	for i, id := range given {
		parsed, err := uuid.Parse(id)
		if err != nil || len(id) != 36 {
			s.refuse(fmt.Sprintf("/ids/%d", i), survey.CodeFormat, "must be a UUID such as 7d444840-9dc0-11d1-b245-5ffdce74fad2")
			return nil
		}
		ids = append(ids, parsed.String())
	}
	return ids
}

func (s *selecting) time(pointer, given string) time.Time {
	if given == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, given)
	if err != nil {
		s.refuse(pointer, survey.CodeFormat, "must be a time as RFC 3339 writes it, such as 2026-11-20T09:00:00Z")
		return time.Time{}
	}
	return at.UTC()
}

func (s *selecting) name(pointer string, given *string) *string {
	if given != nil && len(*given) > maxSelectedName {
		s.refuse(pointer, survey.CodeLength, "must have at most %d characters", maxSelectedName)
	}
	return given
}
