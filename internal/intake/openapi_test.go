package intake

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/google/go-cmp/cmp"
)

var (
	document       *openapi3.T
	documentRouter routers.Router
)

func TestMain(m *testing.M) {
	for _, mediaType := range []string{"text/html", "text/javascript", mediaNDJSON} {
		openapi3filter.RegisterBodyDecoder(mediaType, openapi3filter.PlainBodyDecoder)
	}
	var err error
	if document, err = openapi3.NewLoader().LoadFromData(openAPIJSON()); err != nil {
		panic(err)
	}
	if documentRouter, err = legacy.NewRouter(document); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// checkAgainstDocument fails the test where the document lacks the answer or describes it otherwise, or does not allow a
// request that was answered with success.
func checkAgainstDocument(t *testing.T, r *http.Request, body []byte, w *httptest.ResponseRecorder) {
	t.Helper()
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	asked := r.Clone(context.Background())
	asked.Method = method
	asked.URL = &url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	route, parameters, err := documentRouter.FindRoute(asked)
	if err != nil {
		if w.Code != http.StatusNotFound && w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s %s is not in the document, but was answered %d: %v", r.Method, r.URL.Path, w.Code, err)
		}
		return
	}
	asked.Body = io.NopCloser(bytes.NewReader(body))
	input := &openapi3filter.RequestValidationInput{
		Request: asked, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	packed := r.Header.Get("Content-Encoding") != ""
	if w.Code < 400 && !packed {
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			t.Errorf("%s %s was answered %d, but the document does not allow it: %v", r.Method, r.URL, w.Code, err)
		}
	}
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: w.Code, Header: w.Header(),
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true,
			ExcludeResponseBody:   r.Method == http.MethodHead || w.Header().Get("Content-Encoding") != "",
		},
	}
	answer.SetBodyBytes(w.Body.Bytes())
	if err := openapi3filter.ValidateResponse(context.Background(), answer); err != nil {
		t.Errorf("the answer %d to %s %s is not as the document says: %v", w.Code, r.Method, r.URL, err)
	}
}

func TestDocumentIsValid(t *testing.T) {
	if err := document.Validate(context.Background()); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(document.OpenAPI, "3.1") {
		t.Errorf("the document is OpenAPI %s", document.OpenAPI)
	}
}

func TestDocumentHasTheRoutesAndNoOthers(t *testing.T) {
	h := newHarness(t)
	var served, described []string
	for _, r := range h.routes() {
		for method := range r.methods {
			served = append(served, method+" "+r.pattern)
		}
	}
	for path, item := range document.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	slices.Sort(served)
	slices.Sort(described)
	if diff := cmp.Diff(served, described); diff != "" {
		t.Errorf("routes (-served +described):\n%s", diff)
	}
}

// TestDocumentHasTheProblems keeps the types, the codes and the rejection reasons closed sets.
func TestDocumentHasTheProblems(t *testing.T) {
	all := []problem{
		malformed, unauthorized, notInvited, linkInvalid, linkExpired, linkUsed, notFound, methodNotAllowed, timedOut, conflict, closed, tooLarge, unsupported, invalid,
		tooMany, internal, unavailable,
	}
	var types []any
	for _, p := range all {
		types = append(types, p.Type)
		if http.StatusText(p.Status) == "" || p.Title == "" || !strings.HasSuffix(p.Type, "/"+p.reason) {
			t.Errorf("%+v is not whole", p)
		}
	}
	described := document.Components.Schemas["Problem"].Value.Properties["type"].Value.Enum
	if diff := cmp.Diff(types, described); diff != "" {
		t.Errorf("types (-code +document):\n%s", diff)
	}
}

func TestDocumentIsServed(t *testing.T) {
	h := newHarness(t)
	w := h.get("/openapi.json")
	wantStatus(t, w, http.StatusOK)
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	if !bytes.Equal(w.Body.Bytes(), openAPIJSON()) {
		t.Error("the document is served otherwise than embedded")
	}
}

// TestCheckCanFail proves that the check against the document sees a wrong body, status and header.
func TestCheckCanFail(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"body":   func(w http.ResponseWriter) { writeJSON(w, http.StatusCreated, mediaJSON, map[string]string{"id": "x"}) },
		"status": func(w http.ResponseWriter) { writeJSON(w, http.StatusTeapot, mediaJSON, nil) },
		"header": func(w http.ResponseWriter) { writeProblem(w, unavailable) },
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			answer(w)
			r := httptest.NewRequest(http.MethodPost, apiPath, nil)
			var probe testing.T
			checkAgainstDocument(&probe, r, nil, w)
			if !probe.Failed() {
				t.Error("the check let a wrong answer pass")
			}
		})
	}
}
