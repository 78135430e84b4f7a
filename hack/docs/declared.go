package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cx-operator/cx-operator/internal/exporter"
)

// metric is one declared metric.
type metric struct {
	Name, Type, Help string
	Labels           []string
	// Note is the comment above the declaration, if any.
	Note string
	// Endpoint says that endpoints export it; the others are the manager's.
	Endpoint bool
}

// declaredMetrics are those of the exporter, which are data, and those that the Go files of folders declare with the
// client library, sorted by name.
func declaredMetrics(root string, folders ...string) ([]metric, error) {
	var all []metric
	for _, m := range exporter.Metrics() {
		all = append(all, metric{Name: m.Name, Type: "gauge", Help: m.Help, Labels: m.Labels})
	}
	var found []metric
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			in, err := metricsOf(path, nil)
			if err != nil {
				return err
			}
			endpoint := filepath.Base(filepath.Dir(path)) == "intake"
			for i := range in {
				in[i].Endpoint = endpoint
			}
			found = append(found, in...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(found, func(a, b metric) int { return strings.Compare(a.Name, b.Name) })
	return append(all, found...), nil
}

// metricsOf are the metrics that a Go file declares: calls of prometheus.NewCounterVec and its like, with the options
// written out. The source overrides the file's content where it is not nil.
func metricsOf(path string, source any) ([]metric, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	notes := notesOf(files, file)
	var all []metric
	var failed error
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || failed != nil {
			return failed == nil
		}
		kind, ok := metricType(call)
		if !ok {
			return true
		}
		at := files.Position(call.Pos())
		m, err := metricOf(kind, call)
		if err != nil {
			failed = fmt.Errorf("%s: %w", at, err)
		}
		m.Note = notes[at.Line-1]
		all = append(all, m)
		return true
	})
	return all, failed
}

// notesOf are the comments of a file by the line on which they end.
func notesOf(files *token.FileSet, file *ast.File) map[int]string {
	notes := map[int]string{}
	for _, c := range file.Comments {
		notes[files.Position(c.End()).Line] = strings.Join(strings.Fields(c.Text()), " ")
	}
	return notes
}

// metricType is the type of metric that a call makes with the client library.
func metricType(call *ast.CallExpr) (string, bool) {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	if p, ok := f.X.(*ast.Ident); !ok || p.Name != "prometheus" && p.Name != "promauto" {
		return "", false
	}
	name := strings.TrimSuffix(strings.TrimPrefix(f.Sel.Name, "New"), "Vec")
	switch kind := strings.ToLower(strings.TrimSuffix(name, "Func")); kind {
	case "counter", "gauge", "histogram", "summary":
		return kind, true
	}
	return "", false
}

// metricOf reads the options and the label names of a call.
func metricOf(kind string, call *ast.CallExpr) (metric, error) {
	m := metric{Type: kind}
	if len(call.Args) == 0 {
		return m, fmt.Errorf("a %s without options", kind)
	}
	options, ok := call.Args[0].(*ast.CompositeLit)
	if !ok {
		return m, fmt.Errorf("the options of the %s are not written out", kind)
	}
	for _, e := range options.Elts {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		switch key, _ := pair.Key.(*ast.Ident); key.Name {
		case "Name":
			m.Name = text(pair.Value)
		case "Help":
			m.Help = text(pair.Value)
		}
	}
	if m.Name == "" || m.Help == "" {
		return m, fmt.Errorf("the %s has no name or help that is written out", kind)
	}
	if len(call.Args) > 1 {
		if labels, ok := call.Args[1].(*ast.CompositeLit); ok {
			for _, e := range labels.Elts {
				m.Labels = append(m.Labels, text(e))
			}
		}
	}
	return m, nil
}

// text is the value of a string literal, "" of anything else.
func text(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	s, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return s
}
