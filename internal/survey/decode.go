package survey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	strictjson "sigs.k8s.io/json"
)

// DecodeSubmission reads a submission from JSON and is strict: members that it does not know (also in another case),
// members that stand twice, anything after the object, and text that is not UTF-8 are errors that say what and where.
// In Answers, integers become int64, other numbers float64, lists []any; what they may be is for Accept to say. The size
// of the body is for the caller to bound; the depth is bounded by 10,000.
func DecodeSubmission(body []byte) (Submission, error) {
	if !utf8.Valid(body) {
		return Submission{}, fmt.Errorf("the body is not UTF-8: byte %d", firstInvalid(body))
	}
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return Submission{}, errors.New("the body must be a JSON object")
	}
	var sub Submission
	strict, err := strictjson.UnmarshalStrict(body, &sub)
	if err != nil {
		return Submission{}, plainJSON(err)
	}
	if len(strict) > 0 {
		return Submission{}, errors.New(strict[0].Error())
	}
	return sub, nil
}

func firstInvalid(body []byte) int {
	for i := 0; i < len(body); {
		r, size := utf8.DecodeRune(body[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(body)
}

// plainJSON words an error of the JSON decoder for a client: no Go types.
func plainJSON(err error) error {
	if is, offset := strictjson.SyntaxErrorOffset(err); is {
		return fmt.Errorf("malformed JSON at byte %d: %s", offset, strings.TrimPrefix(err.Error(), "json: "))
	}
	var mismatch *json.UnmarshalTypeError
	if !errors.As(err, &mismatch) {
		return errors.New("malformed JSON")
	}
	switch {
	case mismatch.Type.Kind() == reflect.Float64:
		return fmt.Errorf("a number at byte %d is out of range", mismatch.Offset)
	case mismatch.Field == "answers":
		return fmt.Errorf("answers must be an object {question: value}, not of type %s", mismatch.Value)
	default:
		return fmt.Errorf("%s must be a string, not of type %s", mismatch.Field, mismatch.Value)
	}
}
