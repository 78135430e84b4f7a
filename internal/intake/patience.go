package intake

import (
	"io"
	"net/http"
	"time"
)

// patience moves the deadlines of a connection on while an import or export makes progress, so that these may take as
// long as they need while a client that stands still is cut off. Writers that have no deadlines are left as they are.
type patience struct {
	controller *http.ResponseController
	timeout    time.Duration
}

func newPatience(w http.ResponseWriter, timeout time.Duration) patience {
	return patience{http.NewResponseController(w), timeout}
}

// read gives the next read its time. Deadlines are in the time of the machine, not of Config.Clock. At the end of a body
// net/http lifts the deadline itself.
func (p patience) read() { _ = p.controller.SetReadDeadline(time.Now().Add(p.timeout)) }

// write gives the next write its time.
func (p patience) write() { _ = p.controller.SetWriteDeadline(time.Now().Add(p.timeout)) }

// patientBody is a request's body, each read of which has its own time.
type patientBody struct {
	io.ReadCloser
	patience patience
}

func (b *patientBody) Read(buf []byte) (int, error) {
	b.patience.read()
	return b.ReadCloser.Read(buf)
}

// patientWriter is an answer, each write of which has its own time.
type patientWriter struct {
	http.ResponseWriter
	patience patience
	// started says that something was sent: the status cannot be changed any more.
	started bool
}

func (w *patientWriter) Write(b []byte) (int, error) {
	w.started = true
	w.patience.write()
	return w.ResponseWriter.Write(b)
}
