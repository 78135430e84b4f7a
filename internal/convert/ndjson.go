package convert

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// maxLine is the size of the longest line of NDJSON, in bytes, as the endpoint takes it.
const maxLine = 64 << 10

// ConvertNDJSON is Convert for submissions that stand in the file a line each, as the endpoint exports them.
func (j Job) ConvertNDJSON(name string, in io.Reader, r *Report, emit func(s survey.Submission, line int) error) error {
	r.Files = append(r.Files, name)
	text, err := decoded(in, "")
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	lines := bufio.NewScanner(text)
	lines.Buffer(make([]byte, 0, maxLine+1), maxLine+1)
	number := 0
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		r.Rows.Read++
		sub, messages := j.decode(line)
		if len(messages) > 0 {
			r.Rows.Rejected++
			for _, m := range messages {
				r.add(Problem{File: name, Line: number, Message: m})
			}
			continue
		}
		if err := emit(sub, number); err != nil {
			return err
		}
		r.Rows.Accepted++
		r.Answers++
		r.Untimed = r.Untimed || sub.SubmittedAt == ""
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%s: line %d has more than %d bytes", name, number+1, maxLine)
	} else if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (j Job) decode(line []byte) (survey.Submission, []string) {
	sub, err := survey.DecodeSubmission(line)
	if err != nil {
		return sub, []string{err.Error()}
	}
	if j.Survey == nil {
		return sub, nil
	}
	var messages []string
	_, errs := j.Survey.Accept(sub, survey.Rules{Now: j.Now, Import: true})
	for _, e := range errs {
		messages = append(messages, e.Pointer+": "+e.Detail)
	}
	return sub, messages
}
