package transfer

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// withProgress shows on a terminal how much of a file was read. Elsewhere it returns the file as it is.
func withProgress(errOut io.Writer, file io.ReadCloser, name string, size int64) io.ReadCloser {
	terminal, ok := errOut.(*os.File)
	if !ok || size <= 0 || !term.IsTerminal(int(terminal.Fd())) {
		return file
	}
	bar := progressbar.NewOptions64(size, progressbar.OptionSetWriter(terminal), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription(filepath.Base(name)), progressbar.OptionThrottle(200*time.Millisecond),
		progressbar.OptionClearOnFinish())
	return &watched{ReadCloser: file, bar: bar}
}

// watched is a file whose reading is shown.
type watched struct {
	io.ReadCloser
	bar *progressbar.ProgressBar
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.ReadCloser.Read(b)
	_ = w.bar.Add(n) // a bar that cannot be drawn is no reason to stop
	return n, err
}

func (w *watched) Close() error { return errors.Join(w.bar.Exit(), w.ReadCloser.Close()) }
