package intake

import (
	"io"
	"log"
	"net/http"
	"os"
	"regexp"
	"time"
)

// Values of headers that many answers have, under their canonical names. Whoever sets a header of an answer replaces its
// values, and changes none.
var (
	noSniffing    = []string{"nosniff"}
	noReferrer    = []string{"no-referrer"}
	noStore       = []string{"no-store"}
	privateStore  = []string{"private, no-cache"}
	noIndex       = []string{"noindex"}
	typeJSON      = []string{mediaJSON}
	typePage      = []string{"text/html; charset=utf-8"}
	codingGzip    = []string{"gzip"}
	varyByAccepts = []string{"Accept-Encoding, Accept-Language"}
)

// HTTPServer returns a server of the handler whose limits no client can sit out: on the time for the header, the request,
// the answer and between requests, and on the size of the header. Imports and exports move their deadlines on while they
// make progress. It logs to standard error, without the addresses of clients.
func HTTPServer(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 15 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(redactor{os.Stderr}, "", 0),
	}
}

// redactor takes addresses out of what net/http logs: that would be personal data.
type redactor struct{ out io.Writer }

var addresses = regexp.MustCompile(`\[[0-9a-fA-F]*:[0-9a-fA-F:.]*(%\w+)?\](:\d+)?|\b\d{1,3}(\.\d{1,3}){3}\b(:\d+)?`)

func (r redactor) Write(line []byte) (int, error) {
	if _, err := r.out.Write(addresses.ReplaceAll(line, []byte("(client)"))); err != nil {
		return 0, err
	}
	return len(line), nil
}
