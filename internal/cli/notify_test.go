package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/notify"
)

func TestNotifyOptions(t *testing.T) {
	server := notify.SMTP{Address: "smtp.example.com:587", From: "cx@example.com"}
	tests := map[string]struct {
		o    notifyOptions
		want string
	}{
		"nothing":            {notifyOptions{}, ""},
		"all":                {notifyOptions{smtp: server, allowed: []string{"10.0.0.0/8", "hooks.internal"}}, ""},
		"a server of none":   {notifyOptions{smtp: notify.SMTP{From: "cx@example.com"}}, "--smtp-address"},
		"a target of no use": {notifyOptions{allowed: []string{"https://hooks.internal"}}, "--notify-allow-targets"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			sender, err := tt.o.sender(time.Now)
			if tt.want == "" && (err != nil || sender == nil) || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
