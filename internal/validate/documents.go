package validate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	yamlnode "go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// document is one YAML document of a file.
type document struct {
	// file that the document stands in, and the file's place among all.
	file  string
	order int
	// line at which the document begins, from 1; node the parsed document, nil if the parser that knows lines cannot read
	// it; lines what the lines of its fields are in the file.
	line  int
	node  *yamlnode.Node
	lines lines
	// object is the content, as kubectl would send it; nil for an empty document.
	object map[string]any
	// err says why there is no object.
	err error
}

// split cuts a file into YAML documents where kubectl does: at lines of "---", blanks and a comment.
func split(source Source) []document {
	var docs []document
	var chunk bytes.Buffer
	start, number := 1, 0
	flush := func() {
		if len(bytes.TrimSpace(chunk.Bytes())) > 0 {
			docs = append(docs, parse(source.Name, start, bytes.Clone(chunk.Bytes())))
		}
		chunk.Reset()
	}
	for line := range bytes.Lines(source.Content) {
		number++
		if rest, ok := bytes.CutPrefix(line, []byte("---")); ok {
			rest = bytes.TrimSpace(rest)
			if len(rest) == 0 || rest[0] == '#' {
				flush()
				start = number + 1
				continue
			}
		}
		chunk.Write(line)
	}
	flush()
	return docs
}

// parse reads one document strictly: a key that stands twice is an error.
func parse(file string, line int, chunk []byte) document {
	doc := document{file: file, line: line, lines: linesOf(chunk, line)}
	encoded, err := yaml.YAMLToJSONStrict(chunk)
	if err != nil {
		doc.err = errors.New(doc.lines.inMessage(oneLine(err.Error())))
		return doc
	}
	var content any
	if err := json.Unmarshal(encoded, &content); err != nil {
		doc.err = fmt.Errorf("cannot be written as JSON: %s", oneLine(err.Error()))
		return doc
	}
	doc.node, doc.err = readNode(chunk)
	if doc.node != nil {
		doc.line = doc.lines.at(doc.node.Line)
	}
	if content == nil || doc.err != nil {
		return doc
	}
	object, ok := content.(map[string]any)
	if !ok {
		doc.err = errors.New("must be an object with apiVersion, kind, metadata and spec")
		return doc
	}
	doc.object = object
	return doc
}

// readNode parses a chunk for the lines of its fields, which are relative to the chunk. Where this parser cannot read what
// the strict one has read, only lines are lost, so that is no error.
func readNode(chunk []byte) (*yamlnode.Node, error) {
	decoder := yamlnode.NewDecoder(bytes.NewReader(chunk))
	var root, second yamlnode.Node
	if decoder.Decode(&root) != nil || len(root.Content) == 0 {
		return nil, nil
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("a second document follows: separate documents by a line of ---, kubectl reads nothing after \"...\"")
	}
	return root.Content[0], nil
}

// oneLine joins the lines of a message.
func oneLine(message string) string { return strings.Join(strings.Fields(message), " ") }

// lineOf returns the line of a field such as spec.objectives[0].target, or of the deepest part of it that the document
// has.
func (d *document) lineOf(field string) int {
	line, at := d.line, d.node
	for _, step := range steps(field) {
		key, value := child(at, step)
		if value == nil {
			return line
		}
		line, at = d.lines.at(key.Line), value
	}
	return line
}

// steps cuts a field path into keys and indices.
func steps(field string) []string {
	return strings.FieldsFunc(field, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
}

// child returns the node that marks the place of a step, and the node to go on from.
func child(at *yamlnode.Node, step string) (key, value *yamlnode.Node) {
	if at == nil {
		return nil, nil
	}
	switch at.Kind {
	case yamlnode.AliasNode:
		return child(at.Alias, step)
	case yamlnode.MappingNode:
		for i := 0; i+1 < len(at.Content); i += 2 {
			if at.Content[i].Value == step {
				return at.Content[i], at.Content[i+1]
			}
		}
	case yamlnode.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(at.Content) {
			return at.Content[i], at.Content[i]
		}
	}
	return nil, nil
}
