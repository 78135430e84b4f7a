package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// value is one value of the chart.
type value struct {
	path    string // such as image.tag
	def     string // its default, as JSON
	comment string
}

// marker stands in the README's text where the table of values goes.
const marker = "<!-- values -->\n"

// readme puts the table of values into the README's text.
func readme(text, values []byte) ([]byte, error) {
	before, after, found := bytes.Cut(text, []byte(marker))
	if !found {
		return nil, fmt.Errorf("the README's text has no line %q", strings.TrimSpace(marker))
	}
	all, err := parseValues(values)
	if err != nil {
		return nil, err
	}
	out := bytes.NewBufferString("<!-- Made by \"make generate\": change hack/chart/readme.md, or the comments in values.yaml. -->\n")
	out.Write(before)
	out.WriteString("| value | default | meaning |\n|---|---|---|\n")
	for _, v := range all {
		def := "`" + strings.ReplaceAll(v.def, "|", `\|`) + "`"
		if v.def == "" {
			def = ""
		}
		fmt.Fprintf(out, "| `%s` | %s | %s |\n", v.path, def, strings.ReplaceAll(v.comment, "|", `\|`))
	}
	out.Write(after)
	return out.Bytes(), nil
}

// parseValues lists the values in the order of the file. One without a comment is an error.
func parseValues(text []byte) ([]value, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, err
	}
	if len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("it must be a mapping")
	}
	return walk("", root.Content[0])
}

func walk(prefix string, mapping *yaml.Node) ([]value, error) {
	var all []value
	for i := 0; i < len(mapping.Content); i += 2 {
		key, content := mapping.Content[i], mapping.Content[i+1]
		path := prefix + key.Value
		comment := uncomment(key.HeadComment)
		if comment == "" {
			return nil, fmt.Errorf("%s has no comment", path)
		}
		inner := content.Kind == yaml.MappingNode && len(content.Content) > 0
		v := value{path: path, comment: comment}
		if !inner {
			def, err := defaultOf(content)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			v.def = def
		}
		all = append(all, v)
		if inner {
			below, err := walk(path+".", content)
			if err != nil {
				return nil, err
			}
			all = append(all, below...)
		}
	}
	return all, nil
}

func defaultOf(node *yaml.Node) (string, error) {
	var v any
	if err := node.Decode(&v); err != nil {
		return "", err
	}
	text, err := json.Marshal(v)
	return string(text), err
}

// uncomment is a comment of several lines as one. Only the paragraph next to the value speaks of it.
func uncomment(comment string) string {
	paragraphs := strings.Split(comment, "\n\n")
	var words []string
	for line := range strings.Lines(paragraphs[len(paragraphs)-1]) {
		words = append(words, strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "#"))...)
	}
	return strings.Join(words, " ")
}
