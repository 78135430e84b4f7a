package notify

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	gomail "github.com/wneessen/go-mail"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// mailbox is a real SMTP server that keeps what it is given.
type mailbox struct {
	mu     sync.Mutex
	mails  []received
	user   string
	pass   string
	refuse *smtp.SMTPError
}

type received struct {
	from string
	to   []string
	tls  bool
	body []byte
}

type session struct {
	box *mailbox
	c   *smtp.Conn
	in  bool
	r   received
}

func (m *mailbox) NewSession(c *smtp.Conn) (smtp.Session, error) { return &session{box: m, c: c}, nil }

func (s *session) AuthMechanisms() []string {
	if s.box.user == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, pass string) error {
		if user != s.box.user || pass != s.box.pass {
			return smtp.ErrAuthFailed
		}
		s.in = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	_, encrypted := s.c.TLSConnectionState()
	if s.box.user != "" && !s.in {
		return smtp.ErrAuthRequired
	}
	s.r = received{from: from, tls: encrypted}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.box.refuse != nil {
		return s.box.refuse
	}
	s.r.to = append(s.r.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.r.body = b
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.mails = append(s.box.mails, s.r)
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// serve runs the mailbox and returns its address. Without a certificate it offers no STARTTLS.
func (m *mailbox) serve(t *testing.T, cert *tls.Certificate) string {
	t.Helper()
	server := smtp.NewServer(m)
	server.Domain = "localhost"
	if cert != nil {
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return l.Addr().String()
}

// postman is a sender of e-mail by a server whose certificate the authority in the file vouches for.
func postman(t *testing.T, address string, ca []byte) *Sender {
	t.Helper()
	s := SMTP{Address: address, From: "cx@airport.example"}
	if ca != nil {
		s.CAFile = filepath.Join(t.TempDir(), "ca.crt")
		if err := os.WriteFile(s.CAFile, ca, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return NewSender(Options{Guard: guardOf(t), SMTP: s, Clock: func() time.Time { return noon }})
}

var toRetail = v1alpha1.NotifyChannel{Name: "mail", Email: &v1alpha1.EmailChannel{To: []string{"retail@airport.example", "shops@airport.example"}}}

func TestMail(t *testing.T) {
	cert, ca := certificate(t)
	box := &mailbox{}
	s := postman(t, box.serve(t, &cert), ca)
	m := composed(told(v1alpha1.NoticeBreach, v1alpha1.NoticeOpened, v1alpha1.BreachPlanMissing))
	for range 2 { // a repeat has the same id
		if o := s.Send(t.Context(), toRetail, nil, m); !o.Delivered {
			t.Fatalf("%+v", o)
		}
	}
	if len(box.mails) != 2 {
		t.Fatalf("%d mails", len(box.mails))
	}
	for _, got := range box.mails {
		if !got.tls || got.from != "cx@airport.example" || !slices.Equal(got.to, toRetail.Email.To) {
			t.Errorf("%+v", got)
		}
		msg, err := mail.ReadMessage(bytes.NewReader(got.body))
		if err != nil {
			t.Fatal(err)
		}
		if msg.Header.Get("Message-ID") != "<0123abcd_team_chat@airport.example>" || msg.Header.Get("Auto-Submitted") != "auto-generated" ||
			!strings.HasPrefix(msg.Header.Get("Subject"), "Breach opened: PlanMissing") {
			t.Errorf("%v", msg.Header)
		}
		if !strings.Contains(string(got.body), "never for pay") {
			t.Errorf("%s", got.body)
		}
	}
}

func TestMailLogsIn(t *testing.T) {
	cert, ca := certificate(t)
	box := &mailbox{user: "operator", pass: "s3cret"}
	s := postman(t, box.serve(t, &cert), ca)
	m := composed(told(v1alpha1.NoticeBreach, v1alpha1.NoticeOpened, v1alpha1.BreachPlanMissing))
	file := filepath.Join(t.TempDir(), "password")
	s.smtp.Username, s.smtp.PasswordFile = "operator", file
	if o := s.Send(t.Context(), toRetail, nil, m); o.Delivered || !strings.Contains(o.Problem, "--smtp-password-file") {
		t.Errorf("without the file: %+v", o)
	}
	for password, want := range map[string]bool{"wrong": false, "s3cret\n": true} {
		if err := os.WriteFile(file, []byte(password), 0o600); err != nil {
			t.Fatal(err)
		}
		o := s.Send(t.Context(), toRetail, nil, m)
		if o.Delivered != want || strings.Contains(o.Problem, "s3cret") || strings.Contains(o.Problem, "wrong") {
			t.Errorf("%q: %+v", password, o)
		}
	}
}

// What could be read or changed on its way is not sent.
func TestMailIsNotSentInClear(t *testing.T) {
	cert, ca := certificate(t)
	_, other := certificate(t)
	m := composed(told(v1alpha1.NoticeBreach, v1alpha1.NoticeOpened, v1alpha1.BreachPlanMissing))
	for name, tt := range map[string]struct {
		cert    *tls.Certificate
		ca      []byte
		problem string
	}{
		"no STARTTLS":          {nil, ca, "offers no STARTTLS"},
		"of another authority": {&cert, other, "certificate"},
		"of no authority":      {&cert, nil, "certificate"},
	} {
		box := &mailbox{}
		o := postman(t, box.serve(t, tt.cert), tt.ca).Send(t.Context(), toRetail, nil, m)
		if o.Delivered || !strings.Contains(o.Problem, tt.problem) || len(box.mails) > 0 {
			t.Errorf("%s: %+v, %d mails", name, o, len(box.mails))
		}
	}
}

func TestMailRefused(t *testing.T) {
	cert, ca := certificate(t)
	m := composed(told(v1alpha1.NoticeBreach, v1alpha1.NoticeOpened, v1alpha1.BreachPlanMissing))
	for code, refused := range map[int]bool{450: false, 550: true} {
		box := &mailbox{refuse: &smtp.SMTPError{Code: code, Message: "no retail@airport.example here"}}
		o := postman(t, box.serve(t, &cert), ca).Send(t.Context(), toRetail, nil, m)
		if o.Delivered || o.Refused != refused || strings.Contains(o.Problem, "retail") {
			t.Errorf("%d: %+v", code, o)
		}
	}
	if o := NewSender(Options{Guard: guardOf(t), Clock: time.Now}).Send(t.Context(), toRetail, nil, m); o.Delivered || !strings.Contains(o.Problem, "--smtp-address") {
		t.Errorf("no server: %+v", o)
	}
}

func TestSMTPCheck(t *testing.T) {
	good := SMTP{Address: "smtp.example.com:587", From: "cx@example.com"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	if err := (SMTP{}).Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*SMTP){
		"--smtp-address": func(s *SMTP) { s.Address = "" },
		"host:port":      func(s *SMTP) { s.Address = "smtp.example.com" },
		"--smtp-from":    func(s *SMTP) { s.From = "CX <cx@example.com>" },
		"together":       func(s *SMTP) { s.Username = "x" },
	} {
		s := good
		change(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
}

// Nothing in an address or a title becomes a header of its own.
func FuzzMail(f *testing.F) {
	f.Add("a@example.com\r\nBcc: b@example.com", "title\r\nBcc: c@example.com")
	f.Add("\"a b\"@example.com", "=?utf-8?q?x?=")
	f.Fuzz(func(t *testing.T, to, title string) {
		m := Message{ID: "id_team_chat", Title: title, Lines: []string{"text"}}
		msg, err := m.Mail("cx@example.com", []string{to}, noon)
		if err != nil {
			return
		}
		checkHeaders(t, msg)
	})
}

// checkHeaders says whether a mail has the headers that it is to have, each once.
func checkHeaders(t *testing.T, m *gomail.Msg) {
	t.Helper()
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	read, err := mail.ReadMessage(&b)
	if err != nil {
		t.Fatalf("%v\n%s", err, b.Bytes())
	}
	allowed := []string{
		"Date", "Mime-Version", "Message-Id", "Precedence", "X-Auto-Response-Suppress", "Auto-Submitted", "Subject", "From", "To",
		"Content-Transfer-Encoding", "Content-Type",
	}
	for name, values := range read.Header {
		if !slices.Contains(allowed, name) || len(values) != 1 {
			t.Fatalf("the header %s: %q", name, values)
		}
	}
	if list, err := read.Header.AddressList("To"); err != nil || len(list) != 1 {
		t.Fatalf("to %v, %v", list, err)
	}
}
