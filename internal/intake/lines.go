package intake

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lineReader reads lines of bounded length: a longer one is skipped to its end, never kept.
type lineReader struct {
	r      *bufio.Reader
	max    int
	number int
}

var (
	errLongLine = errors.New("the line is too long")
	byteOrder   = []byte("\ufeff")
)

func newLineReader(r io.Reader, limit int64) *lineReader {
	// Room for what does not count: a byte order mark and CR LF.
	return &lineReader{r: bufio.NewReaderSize(r, int(limit)+len(byteOrder)+2), max: int(limit)}
}

// next returns the next line that is not blank, without its end and valid until the next call, and its number from 1.
// errLongLine is about this line only; other errors end the reading, io.EOF at the end of the input. Of input that breaks
// off, the last line is not returned: it may be a part.
func (l *lineReader) next() ([]byte, int, error) {
	for {
		line, err := l.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && (!errors.Is(err, io.EOF) || len(line) == 0) {
			return nil, l.number, err
		}
		l.number++
		if errors.Is(err, bufio.ErrBufferFull) {
			return nil, l.number, l.skip()
		}
		if l.number == 1 {
			line = bytes.TrimPrefix(line, byteOrder)
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		switch {
		case len(line) > l.max:
			return nil, l.number, errLongLine
		case len(bytes.TrimSpace(line)) > 0:
			return line, l.number, nil
		}
	}
}

// skip reads to the end of a line that is too long.
func (l *lineReader) skip() error {
	for {
		_, err := l.r.ReadSlice('\n')
		switch {
		case err == nil, errors.Is(err, io.EOF):
			return errLongLine
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}
