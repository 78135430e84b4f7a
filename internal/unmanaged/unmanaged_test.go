package unmanaged

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

const (
	written  = `{"apiVersion":"v1","fieldsV1":{"f:spec":{"k:{\"name\":\"a]\"}":{"f:x":{}}}},"manager":"p\\","time":"2026-01-02T03:04:05Z"}`
	event    = `{"type":"ADDED","object":{"kind":"Team","metadata":{"labels":{"managedFields":"x"},"managedFields":[` + written + `,` + written + `],"name":"a"},"spec":{"managedFields":[1,{"managedFields":[2]}],"text":"\"metadata\":{\"managedFields\":[3]}"}}}` + "\n"
	left     = `{"type":"ADDED","object":{"kind":"Team","metadata":{"labels":{"managedFields":"x"},"managedFields":[],"name":"a"},"spec":{"managedFields":[1,{"managedFields":[2]}],"text":"\"metadata\":{\"managedFields\":[3]}"}}}` + "\n"
	bookmark = `{"type":"BOOKMARK","object":{"metadata":{"annotations":{"k8s.io/initial-events-end":"true"},"resourceVersion":"7"}}}` + "\n"
)

func filtered(t testing.TB, source io.Reader) string {
	t.Helper()
	all, err := io.ReadAll(&stream{of: io.NopCloser(source)})
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

func TestFilter(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"nothing":           {"", ""},
		"an event":          {event, left},
		"several events":    {event + bookmark + event, left + bookmark + left},
		"spaces":            {strings.ReplaceAll(event, `"managedFields":[{`, "\"managedFields\" :\n [ {"), strings.ReplaceAll(left, `"managedFields":[]`, "\"managedFields\" :\n []")},
		"none written":      {left, left},
		"last of metadata":  {`{"object":{"metadata":{"managedFields":[{}]}}}`, `{"object":{"metadata":{"managedFields":[]}}}`},
		"no list":           {`{"object":{"metadata":{"managedFields":{"a":[1]},"x":[2]}}}`, `{"object":{"metadata":{"managedFields":{"a":[1]},"x":[2]}}}`},
		"of another field":  {`{"object":{"metadatas":{"managedFields":[1]}}}`, `{"object":{"metadatas":{"managedFields":[1]}}}`},
		"deeper, as a list": {`{"object":{"items":[{"metadata":{"managedFields":[1]}}]}}`, `{"object":{"items":[{"metadata":{"managedFields":[1]}}]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := filtered(t, strings.NewReader(c.in)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if got := filtered(t, iotest.OneByteReader(strings.NewReader(c.in))); got != c.want {
				t.Errorf("byte by byte: got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestOnlyWatchesOfTheGroup(t *testing.T) {
	for name, c := range map[string]struct{ address, kind, want string }{
		"a watch":           {"/apis/cx.io/v1/teams?watch=true", "application/json", left},
		"of a namespace":    {"/apis/cx.io/v1/namespaces/a/teams?watch=1&labelSelector=x", "application/json; charset=utf-8", left},
		"behind a proxy":    {"/clusters/one/apis/cx.io/v1/teams?watch=true", "application/json", left},
		"a list":            {"/apis/cx.io/v1/teams", "application/json", event},
		"of another group":  {"/apis/apps/v1/deployments?watch=true", "application/json", event},
		"in another format": {"/apis/cx.io/v1/teams?watch=true", "application/vnd.kubernetes.protobuf", event},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				_, _ = io.WriteString(w, event)
			}))
			defer server.Close()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+c.address, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := Watches("cx.io")(http.DefaultTransport).RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			got, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Whatever an event has, it means the same without that list, and how it is cut into pieces changes nothing.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{event, bookmark, left, `{"object":{"metadata":{"managedFields":[]}}}`, `"\`, "]]]]{{{{"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got := filtered(t, bytes.NewReader(in))
		if pieces := filtered(t, iotest.OneByteReader(bytes.NewReader(in))); pieces != got {
			t.Fatalf("whole %q, in pieces %q", got, pieces)
		}
		var before, after map[string]any
		if json.Unmarshal(in, &before) != nil || before == nil || unusual(in) {
			return
		}
		if err := json.Unmarshal([]byte(got), &after); err != nil {
			t.Fatalf("%q is no JSON any more: %v", got, err)
		}
		for _, object := range before { // the filter does not mind the name
			empty(object)
		}
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("%q of %q", got, in)
		}
	})
}

// unusual says whether names are given twice, or written so that JSON's reader makes the list's name of them: nobody sends that.
func unusual(in []byte) bool {
	return bytes.Count(in, []byte(`"`+managedFields+`"`)) > 1 || bytes.Count(in, []byte(`"`+metadata+`"`)) > 1 || bytes.ContainsRune(in, '\\')
}

func empty(object any) {
	o, _ := object.(map[string]any)
	m, _ := o[metadata].(map[string]any)
	if _, is := m[managedFields].([]any); is {
		m[managedFields] = []any{}
	}
}

func BenchmarkFilter(b *testing.B) {
	buffer := make([]byte, len(event))
	s := &stream{}
	b.SetBytes(int64(len(event)))
	for b.Loop() {
		copy(buffer, event)
		s.filter(buffer)
	}
}
