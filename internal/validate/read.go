package validate

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFileSize is the size of the largest file that is read, in bytes. The API server takes objects of at most 3 MiB.
const maxFileSize = 16 << 20

// stdinName is how standard input is named in problems.
const stdinName = "stdin"

// Source is the content of one file.
type Source struct {
	// Name of the file, as it is shown.
	Name string
	// Content of the file.
	Content []byte
}

// Read reads files, folders with all that is in them (.yaml, .yml and .json; hidden folders are left out), and standard
// input for "-". A file that is named twice is read once. A folder without such a file is an error, since that is a
// mistyped name more often than not.
func Read(paths []string, stdin io.Reader) ([]Source, error) {
	var names []string
	for _, path := range paths {
		found, err := expand(path)
		if err != nil {
			return nil, err
		}
		for _, name := range found {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	sources := make([]Source, 0, len(names))
	for _, name := range names {
		source, err := readOne(name, stdin)
		if err != nil {
			return nil, err
		}
		sources = append(sources, source)
	}
	return sources, nil
}

// expand returns the files that a path stands for, in alphabetical order.
func expand(path string) ([]string, error) {
	if path == "-" {
		return []string{path}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{filepath.Clean(path)}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && at != path && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case !entry.IsDir() && isManifest(at):
			files = append(files, at)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no .yaml, .yml or .json file in this folder", path)
	}
	return files, nil
}

func isManifest(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(name)))
}

func readOne(name string, stdin io.Reader) (Source, error) {
	if name == "-" {
		return readAll(stdinName, stdin)
	}
	file, err := os.Open(name)
	if err != nil {
		return Source{}, err
	}
	source, err := readAll(name, file)
	return source, errors.Join(err, file.Close())
}

func readAll(name string, r io.Reader) (Source, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxFileSize+1))
	if err != nil {
		return Source{}, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(content) > maxFileSize {
		return Source{}, fmt.Errorf("%s: larger than %d MiB", name, maxFileSize>>20)
	}
	return Source{Name: name, Content: content}, nil
}
