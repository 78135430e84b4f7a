package intake

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"strings"
)

// blankForm is a page with a form that nobody has filled in: the same for everybody but for few values. It is rendered and
// packed once, and the values are put into it for each visitor.
type blankForm struct {
	pieces []piece
	// language and policy are headers.
	language, policy []string
}

// piece of a page is a text and the value that follows, the last one a text alone. Packed is the text as a part of a gzip stream
// in which values stand uncompressed. As each has always the same length, texts can refer to those before.
type piece struct {
	text, packed []byte
	value        int // an index of values, -1 for none
	length       int // of the value
	// again says that the value stood before. It is then a reference, in what the next piece has packed.
	again bool
}

// values of a form that differ from one visitor to the next. They need no escapes in HTML nor in an address.
type values struct{ id, token, invitation string }

func (p page) valuesOf(f form) values { return values{f.id, p.token(f), p.invitation} }

func (v values) all() [3]string { return [...]string{v.id, v.token, v.invitation} }

// blankKey is all that a blank form depends on. The survey stands there with the digest of all that it says.
type blankKey struct {
	survey, touchpoint, team, language string
	signed, linked                     bool
}

// maxBlank bounds the blank forms that are kept, in bytes: about 500 of usual length.
const maxBlank = 8 << 20

func newBlankForms() memo[blankKey, *blankForm] {
	return memo[blankKey, *blankForm]{size: maxBlank, weigh: (*blankForm).weight}
}

// weight is about how many bytes the form takes; nil takes some as well.
func (b *blankForm) weight() int {
	const entry = 512
	if b == nil {
		return entry
	}
	weight := entry
	for _, p := range b.pieces {
		weight += len(p.text) + len(p.packed)
	}
	return weight
}

// isBlank says whether nothing is filled in.
func (f form) isBlank() bool {
	return f.step == 0 && len(f.values)+len(f.errors)+len(f.hints) == 0 && f.notice == ""
}

// showBlank shows a blank form; false where it cannot, because the survey was not compiled or its page is not like others.
func (s *Server) showBlank(w http.ResponseWriter, r *http.Request, p page, f form) bool {
	if p.survey.Hash == "" || !f.isBlank() {
		return false
	}
	v := p.valuesOf(f)
	key := blankKey{p.survey.Hash, p.touchpoint, p.team, p.language, p.keys != nil, p.invited != nil}
	b := s.blanks.get(key, func(blankKey) *blankForm { return renderBlank(p, f, v) })
	if b == nil || !b.fits(v.all()) {
		return false
	}
	b.write(w, acceptsGzip(r.Header.Get("Accept-Encoding")), v.all())
	return true
}

// renderBlank renders the page of a form, and cuts it at its values; nil if that cannot be done.
func renderBlank(p page, f form, v values) *blankForm {
	shown := p.form(f)
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, "form", shown); err != nil {
		return nil // rendering it again tells
	}
	b := newBlankForm(page.Bytes(), v.all())
	if b != nil {
		b.language, b.policy = []string{shown.Lang}, []string{securityPolicy(shown)}
	}
	return b
}

// newBlankForm returns nil where the id is not on the page, or it has bytes of fillers.
func newBlankForm(page []byte, values [3]string) *blankForm {
	if !bytes.Contains(page, []byte(values[0])) || bytes.ContainsFunc(page, func(r rune) bool { return r < fillerEnd }) {
		return nil
	}
	b := blankForm{pieces: cut(bytes.Clone(page), values)}
	long := slices.ContainsFunc(values[:], func(v string) bool { return len(v) > maxFiller })
	if b.pack(!long); !b.isSound() {
		b.pack(false)
	}
	return &b
}

// cut returns the pieces of the page.
func cut(page []byte, values [3]string) []piece {
	var pieces []piece
	for {
		p := piece{text: page, value: -1}
		for i, v := range values {
			if at := bytes.Index(p.text, []byte(v)); v != "" && at >= 0 {
				p = piece{text: page[:at], value: i, length: len(v)}
			}
		}
		pieces = append(pieces, p)
		if p.value < 0 {
			return pieces
		}
		page = page[len(p.text)+p.length:]
	}
}

const (
	// fillerEnd is above all bytes of fillers. No page has them, so that no text refers to a value.
	fillerEnd = 8
	// maxFiller is the most bytes of a value for which no four in a row stand twice in the fillers of all values.
	maxFiller = 456
)

// filler stands for a value while a page is packed. It counts, so that what refers to any part of it can only be the same value
// again, and not a part of another one.
func filler(value, length int) []byte {
	const digits = fillerEnd - 1
	var out []byte
	for n := value * maxFiller / 4; len(out) < length; n++ {
		out = append(out, 0, byte(1+n/digits/digits%digits), byte(1+n/digits%digits), byte(1+n%digits))
	}
	return out[:length]
}

// gzipHeader says that the time and the file system are not known.
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}

// pack compresses the page with fillers for the values, and keeps the rest. With references, a value that stood before is left to
// the packer, which should find it there: on the page of a link its token stands once for each language.
func (b *blankForm) pack(references bool) {
	var packed bytes.Buffer
	var stood [3]bool
	zw := newPacker(&packed)
	defer packers.Put(zw)
	for i := range b.pieces {
		p := &b.pieces[i]
		// A buffer takes every byte.
		_, _ = zw.Write(p.text)
		if p.value < 0 {
			_ = zw.Close()
			p.packed = bytes.Clone(packed.Bytes())
			return
		}
		p.packed, p.again = nil, references && stood[p.value]
		if p.again {
			_, _ = zw.Write(filler(p.value, p.length))
			continue
		}
		_ = zw.Flush()
		p.packed = bytes.Clone(packed.Bytes())
		_, _ = zw.Write(filler(p.value, p.length))
		_ = zw.Flush()
		packed.Reset()
		stood[p.value] = true
	}
}

// isSound says whether the page unpacks to what it is. It does not where the packer wrote a filler instead of a reference, as it does
// with what is left of it after long ones.
func (b *blankForm) isSound() bool {
	var values [3]string
	for _, p := range b.pieces {
		if p.value >= 0 { // other bytes than the filler's, of which as few stand twice
			values[p.value] = strings.Map(func(r rune) rune { return r + 'A' }, string(filler(p.value, p.length)))
		}
	}
	var page, packed bytes.Buffer
	b.append(&page, values)
	b.appendPacked(&packed, values)
	zr, err := gzip.NewReader(&packed)
	if err != nil {
		return false
	}
	unpacked, err := io.ReadAll(zr) // and holds it to the sum
	return err == nil && bytes.Equal(unpacked, page.Bytes())
}

// fits says whether the values are as long as those that were cut out.
func (b *blankForm) fits(values [3]string) bool {
	return !slices.ContainsFunc(b.pieces, func(p piece) bool { return p.value >= 0 && p.length != len(values[p.value]) })
}

// write answers with the page.
func (b *blankForm) write(w http.ResponseWriter, packed bool, values [3]string) {
	buffer := newBuffer()
	defer buffers.Put(buffer)
	if packed {
		b.appendPacked(buffer, values)
	} else {
		b.append(buffer, values)
	}
	h := w.Header()
	h["Content-Language"] = b.language
	h["Content-Security-Policy"] = b.policy
	writePage(w, http.StatusOK, privateStore, packed, buffer.Bytes())
}

func (b *blankForm) append(to *bytes.Buffer, values [3]string) {
	for i := range b.pieces {
		p := &b.pieces[i]
		to.Write(p.text)
		if p.value >= 0 {
			to.WriteString(values[p.value])
		}
	}
}

// appendPacked appends the page as gzip, as RFC 1951 and RFC 1952 write it.
func (b *blankForm) appendPacked(to *bytes.Buffer, values [3]string) {
	to.Write(gzipHeader)
	var sum, size uint32
	for i := range b.pieces {
		p := &b.pieces[i]
		to.Write(p.packed)
		sum = crc32.Update(sum, crc32.IEEETable, p.text)
		size += uint32(len(p.text) + p.length) // RFC 1952 wants it modulo 2^32
		if p.value >= 0 {
			stored := appendStored(to.AvailableBuffer(), values[p.value])
			sum = crc32.Update(sum, crc32.IEEETable, stored[storedHead:])
			if !p.again {
				to.Write(stored)
			}
		}
	}
	trailer := binary.LittleEndian.AppendUint32(to.AvailableBuffer(), sum)
	to.Write(binary.LittleEndian.AppendUint32(trailer, size))
}

// storedHead is the length of what stands before a text in a block of its own.
const storedHead = 5

// appendStored appends a short text as a block that is stored as it is.
func appendStored(to []byte, text string) []byte {
	length := uint16(len(text)) // of at most some hundred bytes
	to = append(to, 0)
	to = binary.LittleEndian.AppendUint16(to, length)
	return append(binary.LittleEndian.AppendUint16(to, ^length), text...)
}
