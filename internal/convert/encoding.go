package convert

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// encodings by the name that a mapping gives them. UTF-8 needs no decoder: a cell that is not UTF-8 must be seen as such.
var encodings = map[string]encoding.Encoding{
	"":             nil,
	"utf-8":        nil,
	"utf-16":       unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"windows-1252": charmap.Windows1252,
	"iso-8859-1":   charmap.ISO8859_1,
}

func checkEncoding(name string) error {
	if _, ok := encodings[name]; !ok {
		names := slices.Sorted(maps.Keys(encodings))
		return fmt.Errorf("%q is unknown, allowed are %s", name, list(names[1:]))
	}
	return nil
}

// decoded returns the content of a file as UTF-8 without its byte order mark. The mark says more than the name of an
// encoding; UTF-16 without one is known by its zero bytes. Legacy encodings are never guessed: that would turn one letter
// into another in silence.
func decoded(r io.Reader, name string) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	head, err := in.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	e := encodings[name]
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return nil, errors.New("this is a spreadsheet's own file: save it as CSV UTF-8 and import that")
	case bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(head, []byte("\x00\x00\xfe\xff")):
		e = utf32.UTF32(utf32.LittleEndian, utf32.UseBOM)
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		e = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		e = nil
		if _, err := in.Discard(3); err != nil {
			return nil, err
		}
	case e == nil:
		e = zeroBytes(head)
	case name == "utf-16": // no mark: the standard's order is big, what programs write is little
		if e = zeroBytes(head); e == nil {
			e = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
		}
	}
	if e == nil {
		return in, nil
	}
	return bufio.NewReaderSize(e.NewDecoder().Reader(in), 64<<10), nil
}

// zeroBytes knows UTF-16 by where the zero bytes of Western text stand; nil where there are none.
func zeroBytes(head []byte) encoding.Encoding {
	var even, odd int
	for i, b := range head {
		switch {
		case b != 0:
		case i%2 == 0:
			even++
		default:
			odd++
		}
	}
	switch {
	case odd > len(head)/4 && even == 0:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case even > len(head)/4 && odd == 0:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	}
	return nil
}
