package notify

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/team"
)

// teams reads "name:level:parent:channels", a channel as "name", "name!" for the lead's, "name=Class" for one class alone.
func teams(lines ...string) team.Lookup {
	all := map[string]*v1alpha1.Team{}
	for _, line := range lines {
		f := strings.Split(line, ":")
		t := &v1alpha1.Team{}
		t.Name, t.Spec.Level = f[0], v1alpha1.TeamLevel(f[1])
		if f[2] != "" {
			t.Spec.ParentRef = &v1alpha1.NameRef{Name: f[2]}
		}
		for _, c := range strings.Fields(f[3]) {
			name, class, some := strings.Cut(c, "=")
			channel := v1alpha1.NotifyChannel{Name: strings.TrimSuffix(name, "!"), Audience: audienceTeam}
			if strings.HasSuffix(name, "!") {
				channel.Audience = audienceLead
			}
			if some {
				channel.Classes = []v1alpha1.NoticeClass{v1alpha1.NoticeClass(class)}
			}
			if t.Spec.Notify == nil {
				t.Spec.Notify = &v1alpha1.Notify{}
			}
			t.Spec.Notify.Channels = append(t.Spec.Notify.Channels, channel)
		}
		all[f[0]] = t
	}
	return func(name string) (*v1alpha1.Team, bool) { t, ok := all[name]; return t, ok }
}

func TestRoute(t *testing.T) {
	get := teams(
		"airport:Company::board! all",
		"retail:Department:airport:mail chat lead! praise=Recognition",
		"shop:Location:retail:desk cases=Case",
		"ann:Person:shop:private private2!",
		"quiet:Location:retail:",
		"bosses:Department:airport:only!",
		"below:Location:bosses:x",
		"lost:Person::private",
	)
	const breach, parent, lead, sponsor = v1alpha1.NoticeBreach, v1alpha1.EscalateParentTeam, v1alpha1.EscalateLead, v1alpha1.EscalateSponsor
	tests := map[string]struct {
		owners  []string
		sponsor string
		class   v1alpha1.NoticeClass
		to      v1alpha1.EscalationTarget
		team    string
		want    []string
	}{
		"the owner's team":                        {[]string{"retail"}, "", breach, "", "retail", []string{"retail/chat", "retail/mail"}},
		"a class that a channel wants":            {[]string{"retail"}, "", v1alpha1.NoticeRecognition, "", "retail", []string{"retail/chat", "retail/mail", "retail/praise"}},
		"a class that one alone wants":            {[]string{"shop"}, "", v1alpha1.NoticeCase, "", "shop", []string{"shop/cases", "shop/desk"}},
		"the first owner that exists":             {[]string{"gone", "shop", "retail"}, "", breach, "", "shop", []string{"shop/desk"}},
		"a person is never told":                  {[]string{"ann"}, "", breach, "", "shop", []string{"shop/desk"}},
		"nor a person's lead":                     {[]string{"ann"}, "", breach, lead, "shop", []string{"shop/desk"}},
		"a person without a team":                 {[]string{"lost"}, "", breach, "", "", nil},
		"nobody owns it":                          {nil, "", breach, "", "", nil},
		"a team without channels":                 {[]string{"quiet"}, "", breach, "", "quiet", nil},
		"the lead's own channel":                  {[]string{"retail"}, "", breach, lead, "retail", []string{"retail/lead"}},
		"a lead without one":                      {[]string{"shop"}, "", breach, lead, "shop", []string{"shop/desk"}},
		"the parent team":                         {[]string{"shop"}, "", breach, parent, "retail", []string{"retail/chat", "retail/mail"}},
		"the parent of a person's team":           {[]string{"ann"}, "", breach, parent, "retail", []string{"retail/chat", "retail/mail"}},
		"a parent that has its lead's alone":      {[]string{"below"}, "", breach, parent, "bosses", []string{"bosses/only"}},
		"but not without an escalation":           {[]string{"bosses"}, "", breach, "", "bosses", nil},
		"no parent: the lead":                     {[]string{"airport"}, "", breach, parent, "airport", []string{"airport/board"}},
		"the sponsor":                             {[]string{"shop"}, "airport", breach, sponsor, "airport", []string{"airport/all"}},
		"a sponsor who is a person":               {[]string{"retail"}, "ann", breach, sponsor, "shop", []string{"shop/desk"}},
		"no sponsor: the lead":                    {[]string{"retail"}, "", breach, sponsor, "retail", []string{"retail/lead"}},
		"a sponsor that does not exist: the lead": {[]string{"retail"}, "gone", breach, sponsor, "retail", []string{"retail/lead"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, channels := Route(&v1alpha1.Notice{Class: tt.class, To: tt.to}, tt.owners, tt.sponsor, get)
			if got != tt.team || !cmp.Equal(channels, tt.want) {
				t.Errorf("%q by %v, want %q by %v", got, channels, tt.team, tt.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	team := func(level v1alpha1.TeamLevel, q *v1alpha1.QuietHours, url string, to ...string) *v1alpha1.Team {
		t := &v1alpha1.Team{}
		t.Spec.Level = level
		t.Spec.Notify = &v1alpha1.Notify{QuietHours: q, Channels: []v1alpha1.NotifyChannel{
			{Name: "a", Webhook: &v1alpha1.WebhookChannel{URL: url}}, {Name: "b", Email: &v1alpha1.EmailChannel{To: to}},
		}}
		return t
	}
	hours := func(from, to, zone string) *v1alpha1.QuietHours {
		return &v1alpha1.QuietHours{From: from, To: to, TimeZone: zone}
	}
	tests := map[string]struct {
		team *v1alpha1.Team
		want string
	}{
		"no channels":             {&v1alpha1.Team{}, ""},
		"all is well":             {team("Location", hours("18:00", "08:00", "Europe/Madrid"), "https://hooks.example.com/a?b=c", "x@example.com"), ""},
		"a person":                {team("Person", nil, "https://h.example"), "spec.notify"},
		"an unknown zone":         {team("Location", hours("18:00", "08:00", "Mars/Olympus"), "https://h.example"), "spec.notify.quietHours.timeZone"},
		"the zone of the machine": {team("Location", hours("18:00", "08:00", "Local"), "https://h.example"), "spec.notify.quietHours.timeZone"},
		"hours of no length":      {team("Location", hours("18:00", "18:00", "UTC"), "https://h.example"), "spec.notify.quietHours.to"},
		"a url without a host":    {team("Location", nil, "https:///x"), "spec.notify.channels[0].webhook.url"},
		"a url with a password":   {team("Location", nil, "https://a:b@h.example"), "spec.notify.channels[0].webhook.url"},
		"a url with a fragment":   {team("Location", nil, "https://h.example/#x"), "spec.notify.channels[0].webhook.url"},
		"a url that is none":      {team("Location", nil, "https://h.example/%zz"), "spec.notify.channels[0].webhook.url"},
		"another scheme":          {team("Location", nil, "ftp://h.example"), "spec.notify.channels[0].webhook.url"},
		"no address":              {team("Location", nil, "https://h.example", "x@example.com", "a,b@example.com"), "spec.notify.channels[1].email.to[1]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			problems := Check(tt.team)
			if tt.want == "" && len(problems) == 0 {
				return
			}
			if len(problems) != 1 || problems[0].Field != tt.want || problems[0].Reason != v1alpha1.ReasonInvalidSpec || problems[0].Message == "" {
				t.Errorf("%+v, want one of %q", problems, tt.want)
			}
		})
	}
}
