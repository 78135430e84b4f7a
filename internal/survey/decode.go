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

// DecodeSubmission reads a submission from JSON as DecodeStrict does. In Answers, integers become int64, other numbers
// float64, lists []any; what they may be is for Accept to say.
func DecodeSubmission(body []byte) (Submission, error) {
	if utf8.Valid(body) {
		if sub, ok := quickly(body); ok {
			return sub, nil
		}
	}
	var sub Submission
	if err := DecodeStrict(body, &sub); err != nil {
		return Submission{}, err
	}
	return sub, nil
}

// DecodeStrict reads a JSON object into the struct that into points at, and is strict: members that it does not know (also in
// another case), members that stand twice, anything after the object, and text that is not UTF-8 are errors that say what and
// where. On an error the struct is as it may be. The size of the body is for the caller to bound; the depth is bounded by
// 10,000.
func DecodeStrict(body []byte, into any) error {
	if !utf8.Valid(body) {
		return fmt.Errorf("the body is not UTF-8: byte %d", firstInvalid(body))
	}
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return errors.New("the body must be a JSON object")
	}
	strict, err := strictjson.UnmarshalStrict(body, into)
	if err != nil {
		return plainJSON(err, reflect.TypeOf(into).Elem())
	}
	if len(strict) > 0 {
		return errors.New(strict[0].Error())
	}
	return nil
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
func plainJSON(err error, into reflect.Type) error {
	if is, offset := strictjson.SyntaxErrorOffset(err); is {
		return fmt.Errorf("malformed JSON at byte %d: %s", offset, strings.TrimPrefix(err.Error(), "json: "))
	}
	var mismatch *json.UnmarshalTypeError
	if !errors.As(err, &mismatch) {
		return errors.New("malformed JSON")
	}
	if mismatch.Type.Kind() == reflect.Float64 {
		return fmt.Errorf("a number at byte %d is out of range", mismatch.Offset)
	}
	kind, _, _ := strings.Cut(mismatch.Value, " ") // without the number itself
	return fmt.Errorf("%s must be %s, not of type %s", mismatch.Field, wantedJSON(mismatch.Field, into), kind)
}

// wantedJSON says what a member of the struct must be, "outer.inner" for a member of a member.
func wantedJSON(member string, into reflect.Type) string {
	name, rest, nested := strings.Cut(member, ".")
	kind := reflect.String
	for i := range into.NumField() {
		field := into.Field(i)
		if tag, _, _ := strings.Cut(field.Tag.Get("json"), ","); tag != name {
			continue
		}
		t := field.Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if kind = t.Kind(); nested && kind == reflect.Struct {
			return wantedJSON(rest, t)
		}
	}
	switch kind {
	case reflect.Map:
		return "an object {question: value}"
	case reflect.Struct:
		return "an object"
	case reflect.Slice:
		return "a list of strings"
	case reflect.Bool:
		return "true or false"
	case reflect.Int32:
		return "an integer"
	}
	return "a string"
}
