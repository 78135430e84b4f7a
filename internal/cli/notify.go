package cli

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/cx-operator/cx-operator/internal/exit"
	"github.com/cx-operator/cx-operator/internal/notify"
)

// notifyOptions are the flags by which messages are sent.
type notifyOptions struct {
	smtp    notify.SMTP
	allowed []string
}

func (o *notifyOptions) addTo(f *pflag.FlagSet) {
	f.StringVar(&o.smtp.Address, "smtp-address", "", "host:port of the server that sends e-mail, with STARTTLS; empty sends none")
	f.StringVar(&o.smtp.From, "smtp-from", "", "address that e-mail comes from")
	f.StringVar(&o.smtp.Username, "smtp-username", "", "user of the SMTP server; empty logs in as nobody")
	f.StringVar(&o.smtp.PasswordFile, "smtp-password-file", "", "file with the user's password; it is read for each message")
	f.StringVar(&o.smtp.CAFile, "smtp-ca-file", "", "file with authorities in PEM that are trusted beside the system's for the SMTP server")
	f.StringSliceVar(&o.allowed, "notify-allow-targets", nil, "CIDRs, addresses or host names that messages may go to although they are internal; hosts named here may be asked without TLS")
}

// sender returns what sends messages, or what is wrong with the flags.
func (o *notifyOptions) sender(clock func() time.Time) (*notify.Sender, error) {
	if err := o.smtp.Check(); err != nil {
		return nil, exit.WithUsage(err)
	}
	guard, err := notify.NewGuard(o.allowed)
	if err != nil {
		return nil, exit.WithUsage(fmt.Errorf("--notify-allow-targets: %w", err))
	}
	return notify.NewSender(notify.Options{Guard: guard, SMTP: o.smtp, Clock: clock}), nil
}
