package notify

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Check returns what is wrong with a team's spec.notify beyond what admission refuses: a time zone that does not exist, hours
// that never or always are quiet, addresses that nothing can be sent to, channels of a Person. Secrets are looked at when a
// message is sent; what is wrong with them stands in its delivery.
func Check(team *v1alpha1.Team) []survey.Problem {
	n := team.Spec.Notify
	if n == nil {
		return nil
	}
	var problems []survey.Problem
	add := func(field, format string, args ...any) {
		problems = append(problems, survey.Problem{
			Reason: v1alpha1.ReasonInvalidSpec, Field: field, Message: fmt.Sprintf(format, args...),
		})
	}
	if team.Spec.Level == v1alpha1.TeamPerson {
		add("spec.notify", "a Person is told nothing: the nearest team above is, so state the channels there")
	}
	if q := n.QuietHours; q != nil {
		if _, err := zone(q); err != nil {
			add("spec.notify.quietHours.timeZone", "%q is no IANA time zone, such as Europe/Madrid", q.TimeZone)
		}
		if q.From == q.To {
			add("spec.notify.quietHours.to", "must differ from from: name days in days to have whole days quiet")
		}
	}
	for i, c := range n.Channels {
		field := fmt.Sprintf("spec.notify.channels[%d]", i)
		if c.Webhook != nil && c.Webhook.URL != "" {
			if _, err := parseURL(c.Webhook.URL); err != nil {
				add(field+".webhook.url", "%v", err)
			}
		}
		if c.Email == nil {
			continue
		}
		for k, to := range c.Email.To {
			if err := checkAddress(to); err != nil {
				add(fmt.Sprintf("%s.email.to[%d]", field, k), "%v", err)
			}
		}
	}
	return problems
}

// checkAddress says what is wrong with an e-mail address: it is to be a bare one, without a name.
func checkAddress(s string) error {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || a.Name != "" {
		return errors.New("must be a bare e-mail address, such as concessions@example.com")
	}
	return nil
}

// parseURL reads the address of a webhook. Its errors never hold the address, which may be secret.
func parseURL(s string) (*url.URL, error) {
	const maxLength = 2048
	if len(s) > maxLength {
		return nil, fmt.Errorf("must have at most %d characters", maxLength)
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("must be an address such as https://hooks.example.com/cx")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("must begin with https://")
	case u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("must name a host")
	case u.User != nil:
		return nil, errors.New("must hold no user and password")
	case u.Fragment != "":
		return nil, errors.New("must hold no part after #")
	}
	return u, nil
}

// zone is the time zone of quiet hours; that of none is UTC. Local is nobody's.
func zone(q *v1alpha1.QuietHours) (*time.Location, error) {
	if q == nil || q.TimeZone == "" {
		return time.UTC, nil
	}
	if q.TimeZone == "Local" {
		return nil, errors.New("the machine's own is no time zone by name")
	}
	location, err := time.LoadLocation(q.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time zone: %w", err)
	}
	return location, nil
}
