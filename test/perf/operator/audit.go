package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
)

// call is a kind of request: "patch touchpoints/status".
type call struct{ verb, resource string }

func (c call) String() string { return c.verb + " " + c.resource }

// writes says whether a request changes anything.
func (c call) writes() bool {
	switch c.verb {
	case "get", "list", "watch":
		return false
	}
	return true
}

// calls is how often each was made. Watches are not among them: they are few, and open for as long as the operator runs.
type calls struct {
	of map[call]int
	// of an object each: "patch touchpoints/status ns/name".
	each map[string]int
	// conflicts are those that were refused since somebody wrote meanwhile, failures all others that were refused but for
	// what was not found.
	conflicts, failures int
	failed              string // one of the failures
}

func (c *calls) writes() int { return c.sum(call.writes) }

func (c *calls) all() int { return c.sum(func(call) bool { return true }) }

func (c *calls) sum(counts func(call) bool) int {
	sum := 0
	for k, n := range c.of {
		if counts(k) {
			sum += n
		}
	}
	return sum
}

// String lists the calls, most frequent first.
func (c *calls) String() string {
	keys := slices.SortedFunc(maps.Keys(c.of), func(a, b call) int {
		return cmp.Or(cmp.Compare(c.of[b], c.of[a]), strings.Compare(a.String(), b.String()))
	})
	lines := make([]string, 0, len(keys))
	for _, k := range keys {
		lines = append(lines, fmt.Sprintf("%s %d", k, c.of[k]))
	}
	return strings.Join(lines, ", ")
}

// auditLog is the API server's record of what the operator asked, read from where it was read to before.
type auditLog struct {
	path string
	at   int64
}

// event is a line of the log, as far as it matters here.
type event struct {
	Stage     string `json:"stage"`
	Verb      string `json:"verb"`
	UserAgent string `json:"userAgent"`
	ObjectRef *struct {
		Resource, Subresource, Namespace, Name string
	} `json:"objectRef"`
	ResponseStatus struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"responseStatus"`
}

// next counts what was asked since the last time. A request is in the log once it was answered.
func (l *auditLog) next() (calls, error) {
	file, err := os.Open(l.path)
	if err != nil {
		return calls{}, err
	}
	defer file.Close()
	if _, err := file.Seek(l.at, io.SeekStart); err != nil {
		return calls{}, err
	}
	counted, read, err := count(file)
	l.at += read
	if err != nil {
		return calls{}, fmt.Errorf("%s: %w", l.path, err)
	}
	return counted, nil
}

// count counts the lines of a log and returns how many bytes whole lines have.
func count(in io.Reader) (counted calls, read int64, err error) {
	counted = calls{of: map[call]int{}, each: map[string]int{}}
	lines := bufio.NewReaderSize(in, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return counted, read, nil // what is left of a line is still being written
		}
		if err != nil {
			return counted, read, err
		}
		read += int64(len(line))
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return counted, read, fmt.Errorf("line %q: %w", line, err)
		}
		counted.note(e)
	}
}

func (c *calls) note(e event) {
	if e.Stage != "ResponseComplete" || e.Verb == "watch" || e.ObjectRef == nil {
		return
	}
	k := call{e.Verb, e.ObjectRef.Resource}
	if e.ObjectRef.Subresource != "" {
		k.resource += "/" + e.ObjectRef.Subresource
	}
	c.of[k]++
	c.each[k.String()+" "+e.ObjectRef.Namespace+"/"+e.ObjectRef.Name]++
	switch code := e.ResponseStatus.Code; {
	case code == http.StatusConflict:
		c.conflicts++
	case code >= http.StatusBadRequest && code != http.StatusNotFound:
		c.failures++
		c.failed = fmt.Sprintf("%s %s/%s: %d %s", k, e.ObjectRef.Namespace, e.ObjectRef.Name, code, e.ResponseStatus.Message)
	}
}

// repeated says for each kind of write on how many objects it was made more than once.
func (c *calls) repeated() map[string]int {
	more := map[string]int{}
	for key, n := range c.each {
		if verb, rest, _ := strings.Cut(key, " "); n > 1 && (call{verb: verb}).writes() {
			resource, _, _ := strings.Cut(rest, " ")
			if resource != "events" {
				more[verb+" "+resource]++
			}
		}
	}
	return more
}
