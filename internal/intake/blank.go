package intake

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"net/http"
)

// blankForm is a page with a form that nobody has filled in: the same for everybody but for the form's id and token. It is
// rendered and packed once, and these two are put into it for each visitor.
type blankForm struct {
	// before, between and after are what stands around id and token.
	before, between, after []byte
	// packedBefore and packedAfter are the beginning and the end of a gzip stream. What stands between them, uncompressed, has
	// always the same length, so that packedAfter can refer to text of before.
	packedBefore, packedAfter []byte
	// sum is the CRC of before.
	sum uint32
	// idLength and tokenLength are what there is room for.
	idLength, tokenLength int
	// language and policy are headers.
	language, policy []string
}

// blankKey is all that a blank form depends on. The survey stands there with the digest of all that it says.
type blankKey struct {
	survey, touchpoint, team, language string
	signed                             bool
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
	return entry + len(b.before) + len(b.between) + len(b.after) + len(b.packedBefore) + len(b.packedAfter)
}

// isBlank says whether nothing is filled in, and the page was opened by no link.
func (p page) isBlank(f form) bool {
	return p.invited == nil && f.step == 0 && len(f.values)+len(f.errors)+len(f.hints) == 0 && f.notice == ""
}

// showBlank shows a blank form; false where it cannot, because the survey was not compiled or its page is not like others.
func (s *Server) showBlank(w http.ResponseWriter, r *http.Request, p page, f form) bool {
	if p.survey.Hash == "" || !p.isBlank(f) {
		return false
	}
	token := p.token(f)
	key := blankKey{p.survey.Hash, p.touchpoint, p.team, p.language, p.keys != nil}
	b := s.blanks.get(key, func(blankKey) *blankForm { return s.renderBlank(p, f, token) })
	if b == nil || len(f.id) != b.idLength || len(token) != b.tokenLength {
		return false
	}
	b.write(w, acceptsGzip(r.Header.Get("Accept-Encoding")), f.id, token)
	return true
}

// renderBlank renders the page of a form, and cuts it at the form's id and token; nil if they do not stand in it once each.
func (s *Server) renderBlank(p page, f form, token string) *blankForm {
	v := p.form(f)
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, "form", v); err != nil {
		return nil // rendering it again tells
	}
	return newBlankForm(page.Bytes(), f.id, token, v)
}

func newBlankForm(page []byte, id, token string, v view) *blankForm {
	if bytes.Count(page, []byte(id)) != 1 || bytes.IndexByte(page, filler) >= 0 {
		return nil
	}
	b := blankForm{idLength: len(id), tokenLength: len(token), language: []string{v.Lang}, policy: []string{securityPolicy(v)}}
	b.before, b.after, _ = bytes.Cut(page, []byte(id))
	if token != "" {
		if bytes.Count(b.after, []byte(token)) != 1 {
			return nil
		}
		b.between, b.after, _ = bytes.Cut(b.after, []byte(token))
	}
	b.sum = crc32.ChecksumIEEE(b.before)
	b.pack()
	return &b
}

// filler stands for id and token while a page is packed. No page has it, so that nothing behind refers to it.
const filler = 0

// gzipHeader says that the time and the file system are not known.
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}

// pack compresses the page with fillers, and keeps what is before and after them.
func (b *blankForm) pack() {
	var packed bytes.Buffer
	zw := newPacker(&packed)
	defer packers.Put(zw)
	// A buffer takes every byte.
	_, _ = zw.Write(b.before)
	_ = zw.Flush()
	before := packed.Len()
	_, _ = zw.Write(bytes.Repeat([]byte{filler}, b.idLength+len(b.between)+b.tokenLength))
	_ = zw.Flush()
	after := packed.Len()
	_, _ = zw.Write(b.after)
	_ = zw.Close()
	b.packedBefore = append(bytes.Clone(gzipHeader), packed.Bytes()[:before]...)
	b.packedAfter = bytes.Clone(packed.Bytes()[after:])
}

// write answers with the page of a form.
func (b *blankForm) write(w http.ResponseWriter, packed bool, id, token string) {
	buffer := newBuffer()
	defer buffers.Put(buffer)
	content := buffer.AvailableBuffer()
	if packed {
		content = b.appendPacked(content, id, token)
	} else {
		content = append(b.appendMiddle(append(content, b.before...), id, token), b.after...)
	}
	h := w.Header()
	h["Content-Language"] = b.language
	h["Content-Security-Policy"] = b.policy
	writePage(w, http.StatusOK, privateStore, packed, content)
	_, _ = buffer.Write(content) // keeps its space where it had to grow
}

// appendMiddle appends id and token, and what stands between.
func (b *blankForm) appendMiddle(content []byte, id, token string) []byte {
	return append(append(append(content, id...), b.between...), token...)
}

// appendPacked appends the page as gzip, as RFC 1951 and RFC 1952 write it.
func (b *blankForm) appendPacked(content []byte, id, token string) []byte {
	content = append(content, b.packedBefore...)
	length := uint16(b.idLength + len(b.between) + b.tokenLength) //nolint:gosec // That of two short texts and the few attributes between.
	content = append(content, 0)                                  // begins a block that is stored as it is
	content = binary.LittleEndian.AppendUint16(content, length)
	content = binary.LittleEndian.AppendUint16(content, ^length)
	middle := len(content)
	content = b.appendMiddle(content, id, token)
	sum := crc32.Update(crc32.Update(b.sum, crc32.IEEETable, content[middle:]), crc32.IEEETable, b.after)
	content = append(content, b.packedAfter...)
	content = binary.LittleEndian.AppendUint32(content, sum)
	size := len(b.before) + int(length) + len(b.after)
	return binary.LittleEndian.AppendUint32(content, uint32(size)) //nolint:gosec // RFC 1952 wants the size modulo 2^32.
}
