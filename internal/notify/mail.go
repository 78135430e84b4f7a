package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// SMTP says by which server e-mail is sent.
type SMTP struct {
	// Address of the server, host:port; empty where there is none. It must offer STARTTLS with a certificate for its host.
	Address string
	// From is the sender: a bare address.
	From string
	// Username to log in by; empty for none. PasswordFile holds the password; it is read for each message.
	Username, PasswordFile string
	// CAFile holds authorities in PEM that are trusted beside the system's; empty for none. It is read for each message.
	CAFile string
}

// Check says what is wrong with the settings; a nil error is also that of none at all.
func (s SMTP) Check() error {
	if s.Address == "" {
		if s != (SMTP{}) {
			return errors.New("--smtp-address is missing: the other --smtp flags need it")
		}
		return nil
	}
	if _, _, err := s.hostPort(); err != nil {
		return err
	}
	if err := checkAddress(s.From); err != nil {
		return fmt.Errorf("--smtp-from %w", err)
	}
	if (s.Username == "") != (s.PasswordFile == "") {
		return errors.New("--smtp-username and --smtp-password-file go together")
	}
	return nil
}

func (s SMTP) hostPort() (string, int, error) {
	host, text, err := net.SplitHostPort(s.Address)
	port, err2 := strconv.ParseUint(text, 10, 16)
	if err != nil || err2 != nil || host == "" || port == 0 {
		return "", 0, fmt.Errorf("--smtp-address %q must be host:port, such as smtp.example.com:587", s.Address)
	}
	return host, int(port), nil
}

// Mail returns the message as an e-mail: plain text, with an id that a repeat has as well, marked as sent by a machine.
func (m Message) Mail(from string, to []string, at time.Time) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(checkAddress(from), msg.From(from)); err != nil {
		return nil, errors.New("the sender's address cannot be used")
	}
	for _, a := range to {
		if err := errors.Join(checkAddress(a), msg.AddTo(a)); err != nil {
			return nil, errors.New("an address of the channel cannot be used: it must be a bare e-mail address")
		}
	}
	_, domain, _ := strings.Cut(from, "@")
	msg.SetMessageIDWithValue(m.ID + "@" + domain)
	msg.SetDateWithValue(at)
	msg.SetBulk()
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	// A subject is one line, whatever the names in it hold.
	msg.Subject(cut(clean(m.Title), 200))
	msg.SetBodyString(gomail.TypeTextPlain, m.Text()+"\n")
	return msg, nil
}

// mail sends the message to addresses by the server.
func (s *Sender) mail(ctx context.Context, m Message, to []string) Outcome {
	if s.smtp.Address == "" {
		return Outcome{Problem: "the operator was given no SMTP server: --smtp-address"}
	}
	msg, err := m.Mail(s.smtp.From, to, s.clock())
	if err != nil {
		return Outcome{Refused: true, Problem: err.Error()}
	}
	client, err := s.mailClient()
	if err != nil {
		return Outcome{Problem: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err = client.DialAndSendWithContext(ctx, msg)
	if err == nil {
		return Delivered
	}
	return mailFailed(err)
}

func (s *Sender) mailClient() (*gomail.Client, error) {
	host, port, err := s.smtp.hostPort()
	if err != nil {
		return nil, err
	}
	roots, err := s.smtp.roots()
	if err != nil {
		return nil, err
	}
	options := []gomail.Option{
		gomail.WithPort(port), gomail.WithTimeout(s.timeout), gomail.WithTLSPolicy(gomail.TLSMandatory),
		gomail.WithTLSConfig(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: roots}),
	}
	if s.smtp.Username != "" {
		password, err := readSmall(s.smtp.PasswordFile)
		if err != nil {
			return nil, errors.New("the file of --smtp-password-file cannot be read")
		}
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.smtp.Username),
			gomail.WithPassword(strings.TrimRight(string(password), "\r\n")))
	}
	client, err := gomail.NewClient(host, options...)
	if err != nil {
		return nil, errors.New("the SMTP server's settings cannot be used")
	}
	return client, nil
}

// roots returns the authorities that are trusted; nil is the system's.
func (s SMTP) roots() (*x509.CertPool, error) {
	if s.CAFile == "" {
		return nil, nil
	}
	pem, err := readSmall(s.CAFile)
	if err != nil {
		return nil, errors.New("the file of --smtp-ca-file cannot be read")
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("the file of --smtp-ca-file holds no certificate in PEM")
	}
	return pool, nil
}

// readSmall reads a file of settings.
func readSmall(path string) ([]byte, error) {
	const most = 1 << 20
	info, err := os.Stat(path)
	if err != nil || info.Size() > most {
		return nil, errors.New("no such file, or too large")
	}
	b, err := os.ReadFile(path) //nolint:gosec // the operator's own flags name it
	if err != nil {
		return nil, errors.New("cannot be read")
	}
	return b, nil
}

// mailFailed is the outcome of an e-mail that was not taken. Servers name recipients in their answers, so that only the code
// is told.
func mailFailed(err error) Outcome {
	var sent *gomail.SendError
	switch {
	case isCertificate(err):
		return Outcome{Problem: "the SMTP server's certificate is not valid for its name, or of no known authority"}
	case errors.As(err, &sent) && sent.ErrorCode() != 0:
		return Outcome{
			Refused: sent.ErrorCode() >= 500, Problem: fmt.Sprintf("the SMTP server answered %d", sent.ErrorCode()),
		}
	case strings.Contains(err.Error(), "STARTTLS"):
		return Outcome{Problem: "the SMTP server offers no STARTTLS"}
	}
	o := failed(err)
	o.Problem = strings.Replace(o.Problem, "the receiver", "the SMTP server", 1)
	return o
}

func isCertificate(err error) bool {
	var verification *tls.CertificateVerificationError
	return errors.As(err, &verification)
}
