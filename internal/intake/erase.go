package intake

import (
	"context"
	"net/http"

	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// fieldReceipt is the field of the page that erases answers.
const fieldReceipt = "receipt"

// erasePath is the address of that page.
func (p page) erasePath() string { return p.base + "/" + survey.ErasePage }

// erasePage finds the page of the program that erases answers. Its language is that of the page that was left.
func (s *Server) erasePage(r *http.Request, served *served, lang string) page {
	p, _ := pageOf(r, served) // the program as a whole is always there
	p.language = pageLanguage(served.Survey, lang, r.Header.Get("Accept-Language"))
	p.path = p.erasePath()
	return p
}

// showErase answers GET and HEAD: the form that asks for the receipt.
func (s *Server) showErase(w http.ResponseWriter, r *http.Request) {
	if wait, ok := s.allow(s.pages, r); !ok {
		s.showMessage(w, r, tooMany.after(wait))
		return
	}
	served, ok := s.program(r)
	if !ok {
		s.showMessage(w, r, notFound)
		return
	}
	query := r.URL.Query()
	receipt, _ := readReceipt(query.Get(fieldReceipt))
	s.render(w, r, http.StatusOK, "erase", s.erasePage(r, served, query.Get("lang")).erase(receipt, ""))
}

// postErase erases the answers of a receipt. What it answers does not tell whether there were any.
func (s *Server) postErase(w http.ResponseWriter, r *http.Request) {
	wait, allowed := s.allow(s.submissions, r)
	served, ok := s.program(r)
	if !ok {
		s.showMessage(w, r, notFound)
		return
	}
	if !allowed {
		s.showMessage(w, r, tooMany.after(wait))
		return
	}
	values, refused := s.readForm(w, r)
	if refused != nil {
		s.showMessage(w, r, *refused)
		return
	}
	p := s.erasePage(r, served, values.Get(fieldLanguage))
	words, _ := p.around()
	receipt, ok := readReceipt(values.Get(fieldReceipt))
	if !ok {
		s.showProblem(w, r, invalid, "erase", p.erase("", words.ErrReceipt))
		return
	}
	if err := s.erase(r.Context(), served, receipt); err != nil {
		s.showProblem(w, r, s.storeProblem(r.Context(), err), "erase", p.erase(receipt, words.ErrErase))
		return
	}
	v := p.frame()
	v.Heading, v.Message, v.Title = words.EraseDoneTitle, words.EraseDone, words.EraseDoneTitle
	s.render(w, r, http.StatusOK, "message", v)
}

func (s *Server) erase(ctx context.Context, served *served, receipt string) error {
	if served.Store == nil {
		return store.ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.QueueTimeout)
	defer cancel()
	_, err := served.Store.Erase(ctx, served.key, receipt)
	return err
}

// erase returns the page with its form, and with what is wrong where something is.
func (p page) erase(receipt, wrong string) view {
	v := p.frame()
	v.Switch = p.languageSwitch(nil)
	v.Heading, v.Message = v.W.EraseTitle, v.W.EraseText
	v.Title = v.Heading
	v.Action, v.Receipt, v.Notice = p.path, groupReceipt(receipt), wrong
	v.Failed = wrong != ""
	return v
}

// readReceipt reads a receipt as people type it: in groups or not, in small letters, with O for 0.
func readReceipt(s string) (string, bool) {
	if len(s) > 4*receiptLength {
		return "", false
	}
	receipt := link.Receipt(s)
	return receipt, isReceipt(receipt)
}
