package intake

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// exportBuffer is how much of an export is collected before it is sent, in bytes.
const exportBuffer = 64 << 10

// format is one of the forms of an export.
type format struct {
	mediaType string
	write     func(ctx context.Context, served *served, out *bufio.Writer) error
}

var formats = map[string]format{
	"csv":    {"text/csv; charset=utf-8; header=present", writeCSV},
	"ndjson": {mediaNDJSON, writeNDJSON},
}

// export streams every response of a program that is still kept.
func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	served, ok := s.program(r)
	if !ok {
		writeProblem(w, noProgram)
		return
	}
	if !s.requireToken(w, r, served.readDigest, "read") {
		return
	}
	name := r.URL.Query().Get("format")
	if name == "" {
		name = "ndjson"
	}
	form, ok := formats[name]
	if !ok {
		writeProblem(w, malformed.because("The parameter format must be csv or ndjson."))
		return
	}
	if served.Store == nil {
		writeProblem(w, unavailable.because("The program's store is away.").after(retryAway))
		return
	}
	h := w.Header()
	h.Set("Content-Type", form.mediaType)
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-responses.%s"`, served.key.Name, name))
	h.Set("Cache-Control", "no-store")
	h.Set("Cx-Use", v1alpha1.CoachingText)
	if r.Method == http.MethodHead {
		return
	}
	s.stream(w, r, served, form)
}

// stream sends an export. One that breaks is cut off, so that the client sees that it is not complete.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, served *served, form format) {
	patient := &patientWriter{ResponseWriter: w, patience: newPatience(w, s.config.ChunkTimeout)}
	out := bufio.NewWriterSize(patient, exportBuffer)
	err := form.write(r.Context(), served, out)
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		return
	}
	if r.Context().Err() == nil && !patient.started {
		s.fault(err)
		w.Header().Del("Content-Disposition")
		patient.patience.write()
		writeProblem(w, unavailable.because("The program's store is away.").after(retryAway))
		return
	}
	if r.Context().Err() == nil {
		s.fault(err)
	}
	panic(http.ErrAbortHandler)
}

// writeNDJSON writes a response a line, as an import takes it.
func writeNDJSON(ctx context.Context, served *served, out *bufio.Writer) error {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	return served.Store.Export(ctx, served.key, func(r store.Response) error {
		line.Reset()
		if err := encoder.Encode(submissionOf(r)); err != nil {
			return fmt.Errorf("writing a response as JSON: %w", err)
		}
		_, err := out.Write(line.Bytes())
		return err
	})
}

// submissionOf returns the submission that would be stored as the response.
func submissionOf(r store.Response) survey.Submission {
	answers := make(map[string]any, len(r.Answers))
	for _, a := range r.Answers {
		switch {
		case a.Kind == store.KindMultiple:
			answers[a.Question] = a.Values
		case len(a.Values) == 0:
		case a.Kind == store.KindScale:
			answers[a.Question] = json.Number(a.Values[0])
		default:
			answers[a.Question] = a.Values[0]
		}
	}
	return survey.Submission{
		ID: r.ID, Touchpoint: r.Touchpoint, Team: r.Unit, Language: r.Language,
		SubmittedAt: r.SubmittedAt.UTC().Format(time.RFC3339Nano), Answers: answers,
		Standing: standingOf(r), Passed: r.Passed, Failed: r.Failed,
	}
}

// standingOf is the standing in words, also of a response that was stored before there were others.
func standingOf(r store.Response) string {
	if r.Standing == "" {
		return string(store.StandingCounted)
	}
	return string(r.Standing)
}
