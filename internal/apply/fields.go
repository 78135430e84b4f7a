package apply

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// errFields says that an object has not what a manager of its fields is said to have.
var errFields = errors.New("the object lacks a field of the manager")

// fieldsOf returns the fields of an object that one manager has, as the API server writes them: "f:NAME" is a field, `k:{KEYS}` the
// item of a list with these values, "v:VALUE" that value in a list, and "." the thing itself; nothing below means all of it. It
// shares values with the object.
func fieldsOf(object map[string]any, fieldsV1 []byte) (map[string]any, error) {
	var fields map[string]any
	if err := json.Unmarshal(fieldsV1, &fields); err != nil {
		return nil, fmt.Errorf("read the fields of a manager: %w", err)
	}
	return mapFields(object, fields)
}

func mapFields(object, fields map[string]any) (map[string]any, error) {
	own := make(map[string]any, len(fields))
	for path, below := range fields {
		if path == "." {
			continue
		}
		name, isField := strings.CutPrefix(path, "f:")
		value, has := object[name]
		if !isField || !has {
			return nil, errFields
		}
		var err error
		if own[name], err = part(value, below); err != nil {
			return nil, err
		}
	}
	return own, nil
}

// part returns what a manager has of one value.
func part(value, fields any) (any, error) {
	below, ok := fields.(map[string]any)
	if !ok {
		return nil, errFields
	}
	if len(below) == 0 {
		return value, nil
	}
	switch value := value.(type) {
	case map[string]any:
		return mapFields(value, below)
	case []any:
		return listFields(value, below)
	}
	return nil, errFields
}

// listFields returns the items that a manager has, in their order.
func listFields(list []any, fields map[string]any) ([]any, error) {
	own := make([]any, 0, len(fields))
	delete(fields, ".")
	for _, item := range list {
		path, found, err := pathOf(item, fields)
		if err != nil {
			return nil, err
		}
		if !found {
			continue // somebody else's
		}
		piece, err := part(item, fields[path])
		if err != nil {
			return nil, err
		}
		own = append(own, piece)
	}
	if len(own) != len(fields) {
		return nil, errFields
	}
	return own, nil
}

// pathOf finds what stands for an item of a list.
func pathOf(item any, fields map[string]any) (path string, found bool, err error) {
	for path := range fields {
		keys, isItem := strings.CutPrefix(path, "k:")
		value, isValue := strings.CutPrefix(path, "v:")
		matches := false
		switch {
		case isItem:
			matches, err = hasKeys(item, keys)
		case isValue:
			matches, err = isJSON(item, value)
		default:
			err = errFields
		}
		if matches || err != nil {
			return path, matches, err
		}
	}
	return "", false, nil
}

// hasKeys says whether an item has the values that an object in JSON has.
func hasKeys(item any, object string) (bool, error) {
	have, _ := item.(map[string]any)
	var keys map[string]json.RawMessage
	if err := json.Unmarshal([]byte(object), &keys); err != nil {
		return false, errFields
	}
	for key, value := range keys {
		if same, err := isJSON(have[key], string(value)); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

func isJSON(value any, text string) (bool, error) {
	body, err := json.Marshal(value)
	return bytes.Equal(body, []byte(text)), err
}
