package intake

import (
	_ "embed"
	"net/http"
	"strconv"
	"sync"

	"sigs.k8s.io/yaml"
)

//go:embed openapi.yaml
var openAPIYAML []byte

// openAPIJSON is the OpenAPI 3.1 document of all calls.
var openAPIJSON = sync.OnceValue(func() []byte {
	doc, err := yaml.YAMLToJSON(openAPIYAML)
	if err != nil {
		panic(err)
	}
	return doc
})

// showOpenAPI answers /openapi.json.
func showOpenAPI(w http.ResponseWriter, _ *http.Request) {
	doc := openAPIJSON()
	h := w.Header()
	h.Set("Content-Type", mediaJSON)
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Content-Length", strconv.Itoa(len(doc)))
	_, _ = w.Write(doc) // a client that has gone cannot be told
}
