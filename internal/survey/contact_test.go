package survey_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

func contactProgram() *v1alpha1.SurveyProgram {
	text := v1alpha1.LocalizedText{"en": "x"}
	question := func(name string, t v1alpha1.QuestionType, low, high int32) v1alpha1.Question {
		q := v1alpha1.Question{Name: name, Type: t, Revision: 1, Text: text}
		if t == v1alpha1.QuestionRating {
			q.Minimum, q.Maximum = &low, &high
		}
		return q
	}
	p := &v1alpha1.SurveyProgram{ObjectMeta: metav1.ObjectMeta{Namespace: "sfo", Name: "visits"}}
	p.Spec.DisplayName = "Visits"
	p.Spec.Survey = v1alpha1.Survey{
		Contact: &v1alpha1.ContactForm{}, DefaultLanguage: "en", Title: text,
		Questions: []v1alpha1.Question{
			question("nps", v1alpha1.QuestionNPS, 0, 0), question("csat", v1alpha1.QuestionCSAT, 0, 0), question("ces", v1alpha1.QuestionCES, 0, 0),
			question("stars", v1alpha1.QuestionRating, 1, 10), question("percent", v1alpha1.QuestionRating, 0, 10), question("why", v1alpha1.QuestionText, 0, 0),
		},
	}
	return p
}

func contactTouchpoints(names ...string) []v1alpha1.Touchpoint {
	var all []v1alpha1.Touchpoint
	for _, name := range names {
		tp := v1alpha1.Touchpoint{ObjectMeta: metav1.ObjectMeta{Namespace: "sfo", Name: name}}
		tp.Spec.ProgramRef.Name = "visits"
		tp.Spec.Questions = []string{"nps", "csat"}
		all = append(all, tp)
	}
	return all
}

func compiled(t testing.TB, p *v1alpha1.SurveyProgram, rules map[string]v1alpha1.FollowUp) *survey.Survey {
	t.Helper()
	s, problems := survey.Compile(p, contactTouchpoints("desk", "gate"), nil, survey.WithFollowUps(rules))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return s
}

func TestCompileContact(t *testing.T) {
	six := int32(3)
	rules := map[string]v1alpha1.FollowUp{
		"": {}, "gate": {NPSAtMost: &six, OpenOn: []v1alpha1.CaseReason{"LowScore", "Detractor"}, ContactWithinHours: 4, ContactRetentionDays: 7}, "elsewhere": {},
	}
	p := contactProgram()
	p.Spec.Survey.Contact = &v1alpha1.ContactForm{Text: v1alpha1.LocalizedText{"en": "We call.", "pt-br": "Ligamos."}}
	s := compiled(t, p, rules)
	want := map[string]survey.FollowUp{
		"":     {OpenOn: []string{"ContactRequested", "Detractor", "LowScore"}, NPSAtMost: 6, LowPercent: 25, WithinHours: 48, RetentionDays: 90},
		"gate": {OpenOn: []string{"Detractor", "LowScore"}, NPSAtMost: 3, LowPercent: 25, WithinHours: 4, RetentionDays: 7},
	}
	if diff := cmp.Diff(want, s.FollowUps); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&survey.Contact{Text: survey.Texts{"en": "We call.", "pt-BR": "Ligamos."}}, s.Contact); diff != "" {
		t.Error(diff)
	}
	for name, asks := range map[string]bool{"": true, "gate": true, "desk": false, "elsewhere": false} {
		if s.AsksContact(name) != asks {
			t.Errorf("%q asks for a contact: %v", name, !asks)
		}
	}
	// What an endpoint reads of its file is what was compiled.
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var read survey.Survey
	if err := json.Unmarshal(data, &read); err != nil || !cmp.Equal(read.FollowUps, s.FollowUps) || !cmp.Equal(read.Contact, s.Contact) {
		t.Errorf("%v: read back %+v", err, read.FollowUps)
	}
}

// TestHashOfContact: the hash covers the form and the rules of pages that are served, and nothing else of the rules.
func TestHashOfContact(t *testing.T) {
	none := contactProgram()
	none.Spec.Survey.Contact = nil
	base := compiled(t, contactProgram(), map[string]v1alpha1.FollowUp{"": {}}).Hash
	thirty := int32(30)
	for name, c := range map[string]struct {
		hash string
		same bool
	}{
		"again":         {compiled(t, contactProgram(), map[string]v1alpha1.FollowUp{"": {}}).Hash, true},
		"as defaulted":  {compiled(t, contactProgram(), map[string]v1alpha1.FollowUp{"": {ContactWithinHours: 48}}).Hash, true},
		"the share":     {compiled(t, contactProgram(), map[string]v1alpha1.FollowUp{"": {SharePercent: 80}}).Hash, true},
		"no page's":     {compiled(t, contactProgram(), map[string]v1alpha1.FollowUp{"": {}, "x": {}}).Hash, true},
		"another":       {compiled(t, contactProgram(), map[string]v1alpha1.FollowUp{"": {}, "gate": {}}).Hash, false},
		"another scale": {compiled(t, contactProgram(), map[string]v1alpha1.FollowUp{"": {LowPercent: &thirty}}).Hash, false},
		"no rule":       {compiled(t, contactProgram(), nil).Hash, false},
		"no form":       {compiled(t, none, map[string]v1alpha1.FollowUp{"": {}}).Hash, false},
	} {
		if (c.hash == base) != c.same {
			t.Errorf("%s: the hash is the same: %v", name, !c.same)
		}
	}
	if compiled(t, none, map[string]v1alpha1.FollowUp{"": {}}).Hash != compiled(t, none, nil).Hash {
		t.Error("without a form, rules change the survey")
	}
}

func TestCheckContactForm(t *testing.T) {
	p := contactProgram()
	p.Spec.Survey.Contact = &v1alpha1.ContactForm{Text: v1alpha1.LocalizedText{"es": "x"}, Consent: v1alpha1.LocalizedText{"en": "x", "nonsense!": "x"}}
	var fields []string
	for _, problem := range survey.CheckProgram(p) {
		fields = append(fields, problem.Field)
	}
	if want := []string{"spec.survey.contact.text", "spec.survey.contact.consent"}; !slices.Equal(fields, want) {
		t.Errorf("%v, want %v", fields, want)
	}
}

// TestLowScores is the table of what is low: the values v of a scale with (v-min)/(max-min) at most the percentage.
func TestLowScores(t *testing.T) {
	percent := func(n int32) *int32 { return &n }
	for name, c := range map[string]struct {
		question   string
		lowPercent *int32
		low        []int
	}{
		"CSAT by default":   {"csat", nil, []int{1, 2}},
		"CES by default":    {"ces", nil, []int{1, 2}},
		"stars by default":  {"stars", nil, []int{1, 2, 3}},
		"from 0":            {"percent", nil, []int{0, 1, 2}},
		"the lowest alone":  {"csat", percent(0), []int{1}},
		"a hair below":      {"csat", percent(24), []int{1}},
		"half":              {"csat", percent(50), []int{1, 2, 3}},
		"half of seven":     {"ces", percent(50), []int{1, 2, 3, 4}},
		"a third of 0 - 10": {"percent", percent(33), []int{0, 1, 2, 3}},
		"NPS is no score":   {"nps", percent(50), nil},
	} {
		s := compiled(t, contactProgram(), map[string]v1alpha1.FollowUp{"": {OpenOn: []v1alpha1.CaseReason{"LowScore"}, LowPercent: c.lowPercent}})
		var got []int
		for v := range 11 {
			if o, opens := s.Opens(given(c.question, v), &survey.Left{Address: "a@b", Consent: true}); opens {
				if !slices.Equal(o.Reasons, []string{"LowScore"}) {
					t.Errorf("%s: %v", name, o.Reasons)
				}
				got = append(got, v)
			}
		}
		got = slices.DeleteFunc(got, func(v int) bool { return v == 0 && c.question != "percent" && c.question != "nps" }) // not on the scale
		if !slices.Equal(got, c.low) {
			t.Errorf("%s: low are %v, want %v", name, got, c.low)
		}
	}
}

var givenAt = time.Date(2026, time.March, 27, 22, 15, 0, 1000, time.UTC) // a Friday

func given(question string, value int) store.Response {
	return store.Response{SubmittedAt: givenAt, Answers: []store.Answer{
		{Question: question, Revision: 1, Kind: store.KindScale, Values: []string{strconv.Itoa(value)}},
	}}
}

func TestOpens(t *testing.T) {
	agreed := &survey.Left{Address: "a@b", Consent: true}
	asks := &survey.Left{Address: "a@b", Consent: true, Requested: true}
	at := func(touchpoint string, standing store.Standing, r store.Response) store.Response {
		r.Touchpoint, r.Standing = touchpoint, standing
		return r
	}
	only := func(reasons ...v1alpha1.CaseReason) map[string]v1alpha1.FollowUp {
		return map[string]v1alpha1.FollowUp{"": {OpenOn: reasons}}
	}
	all := map[string]v1alpha1.FollowUp{"": {}}
	for name, c := range map[string]struct {
		rules   map[string]v1alpha1.FollowUp
		r       store.Response
		left    *survey.Left
		reasons []string
	}{
		"detractor":          {all, given("nps", 6), agreed, []string{"Detractor"}},
		"passive":            {all, given("nps", 7), agreed, nil},
		"asks":               {all, given("nps", 10), asks, []string{"ContactRequested"}},
		"both":               {all, given("nps", 0), asks, []string{"ContactRequested", "Detractor"}},
		"only asked":         {only("ContactRequested"), given("nps", 0), agreed, nil},
		"asks in vain":       {only("Detractor"), given("nps", 9), asks, nil},
		"nothing left":       {all, given("nps", 0), nil, nil},
		"no consent":         {all, given("nps", 0), &survey.Left{Address: "a@b", Requested: true}, nil},
		"no address":         {all, given("nps", 0), &survey.Left{Consent: true, Requested: true}, nil},
		"no rule there":      {all, at("gate", "", given("nps", 0)), asks, nil},
		"no rule":            {nil, given("nps", 0), asks, nil},
		"suspect":            {all, at("", store.StandingSuspect, given("nps", 0)), asks, nil},
		"annulled":           {all, at("", store.StandingAnnulled, given("nps", 0)), asks, nil},
		"counted":            {all, at("", store.StandingCounted, given("nps", 0)), agreed, []string{"Detractor"}},
		"a question no more": {all, given("gone", 0), agreed, nil},
	} {
		o, opens := compiled(t, contactProgram(), c.rules).Opens(c.r, c.left)
		if opens != (c.reasons != nil) || !slices.Equal(o.Reasons, c.reasons) {
			t.Errorf("%s: %v, %v, want %v", name, opens, o.Reasons, c.reasons)
		}
	}
}

// TestPromise: the clock runs through weekends, and ends with a full hour.
func TestPromise(t *testing.T) {
	for name, c := range map[string]struct {
		at   time.Time
		want string
	}{
		"within an hour": {givenAt, "2026-03-29T23:00:00Z"},
		"on the hour":    {time.Date(2026, 3, 27, 22, 0, 0, 0, time.UTC), "2026-03-29T22:00:00Z"},
		"just past it":   {time.Date(2026, 3, 27, 22, 0, 0, 1000, time.UTC), "2026-03-29T23:00:00Z"},
		"elsewhere":      {time.Date(2026, 3, 28, 3, 45, 0, 0, time.FixedZone("", 5*3600+1800)), "2026-03-29T23:00:00Z"},
		"before 1970":    {time.Date(1969, 12, 30, 22, 30, 0, 0, time.UTC), "1970-01-01T23:00:00Z"},
	} {
		r := given("nps", 0)
		r.SubmittedAt = c.at
		o, opens := compiled(t, contactProgram(), map[string]v1alpha1.FollowUp{"": {}}).Opens(r, &survey.Left{Address: "a@b", Consent: true})
		if got := o.PromisedBy.Format(time.RFC3339); !opens || got != c.want || o.RetentionDays != 90 {
			t.Errorf("%s: %v %s, want %s", name, opens, got, c.want)
		}
	}
}

func TestCheckContact(t *testing.T) {
	s := compiled(t, contactProgram(), map[string]v1alpha1.FollowUp{"": {}})
	long := strings.Repeat("ä", 242) + "@b.example12"
	for address, code := range map[string]string{
		"a@b": "", "ana@example.org": "", " ana@example.org ": "", "用户@例子.广告": "", "\"a b\"@c": "format", "a+b.c@d.e.f": "", long: "", long + "x": "length",
		"+49 (170) 123-45.67/8": "", "0044 20 7946 0000": "", "112": "", "12": "length", "1-2": "format", "+1234567890123456789012": "format", "1+2+3": "format",
		"": "required", "   ": "required", "ana": "format", "@b": "length", "@bc": "format", "a@": "length", "ab@": "format", "a@.b": "format", "a@b.": "format",
		"a@b..c": "format", "a@b\u0000": "format", "a@b\u200b": "format", "a\n@b": "format", "a@b,c@d": "format", "a@b;c": "format", "<a@b>": "format", "a@b\xff": "format",
	} {
		var got string
		for _, e := range s.CheckContact("", &survey.Left{Address: address, Consent: true}) {
			if e.Pointer != "/contact/address" || len(address) > 3 && strings.Contains(e.Detail, address) {
				t.Errorf("%q: %+v", address, e)
			}
			got += e.Code
		}
		if got != code {
			t.Errorf("%q: %q, want %q", address, got, code)
		}
	}
	if errors := s.CheckContact("", nil); errors != nil {
		t.Errorf("nothing left: %v", errors)
	}
	if errors := s.CheckContact("gate", &survey.Left{Address: "a@b", Consent: true}); len(errors) != 1 || errors[0].Pointer != "/contact" {
		t.Errorf("where none is asked for: %v", errors)
	}
}

// TestDigestOfContact: from no digest an address can be guessed, since none covers it; a retry stays a repeat.
func TestDigestOfContact(t *testing.T) {
	s := compiled(t, contactProgram(), map[string]v1alpha1.FollowUp{"": {}})
	var digests [][32]byte
	for _, left := range []*survey.Left{nil, {Address: "a@b", Consent: true}, {Address: "c@d", Consent: true, Requested: true}} {
		r, wrong := s.Accept(survey.Submission{
			ID: "7d444840-9dc0-4ad1-b245-5ffdce74fad2", Answers: map[string]any{"nps": 3}, Contact: left,
		}, survey.Rules{Now: givenAt})
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		digests = append(digests, r.Digest)
	}
	if digests[0] != digests[1] || digests[1] != digests[2] {
		t.Error("the digest covers the contact")
	}
}

func TestComparableContact(t *testing.T) {
	for address, want := range map[string]string{
		" +49 (170) 123-45.67 ": "+491701234567", "0049/170 1234567": "+491701234567", "0170 1234567": "01701234567", " Ana@Example.org": "Ana@Example.org", "12": "12", "": "",
	} {
		if got := survey.ComparableContact(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

// FuzzOpens: a case opens only of a counted answer with an address and consent, for reasons that the rule has, and its promise is
// a full hour that is kept by answering in time.
func FuzzOpens(f *testing.F) {
	f.Add("nps", "3", "", "a@b", true, false, int64(0), int32(6), int32(25), int32(48))
	f.Add("csat", "5", "suspect", "+34 600", true, true, int64(1<<40), int32(0), int32(0), int32(1))
	f.Add("why", "x", "counted", "", false, true, int64(-1), int32(8), int32(50), int32(720))
	f.Fuzz(func(t *testing.T, question, value, standing, address string, consent, requested bool, at int64, nps, low, hours int32) {
		if nps < 0 || nps > 8 || low < 0 || low > 50 || hours < 1 || hours > 720 || at < -1<<40 || at > 1<<45 {
			return
		}
		s := compiled(t, contactProgram(), map[string]v1alpha1.FollowUp{"": {NPSAtMost: &nps, LowPercent: &low, ContactWithinHours: hours}})
		r := store.Response{
			SubmittedAt: time.UnixMilli(at).UTC(), Standing: store.Standing(standing),
			Answers: []store.Answer{{Question: question, Revision: 1, Kind: store.KindScale, Values: []string{value}}},
		}
		left := &survey.Left{Address: address, Consent: consent, Requested: requested}
		o, opens := s.Opens(r, left)
		if !opens {
			if consent && requested && address != "" && (standing == "" || standing == "counted") {
				t.Fatal("who asks is not heard")
			}
			return
		}
		wait := o.PromisedBy.Sub(r.SubmittedAt)
		switch promise := time.Duration(hours) * time.Hour; {
		case !consent || address == "" || standing != "" && standing != "counted":
			t.Fatalf("%+v of %+v", o, left)
		case len(o.Reasons) == 0 || !slices.IsSorted(o.Reasons) || slices.Contains(o.Reasons, "ContactRequested") != requested:
			t.Fatal(o.Reasons)
		case wait < promise || wait >= promise+time.Hour || o.PromisedBy.UnixNano()%int64(time.Hour) != 0:
			t.Fatalf("promised in %s, for %s", wait, promise)
		}
	})
}

// FuzzContactAddress: what is taken is short, printable, and never in an error.
func FuzzContactAddress(f *testing.F) {
	for _, seed := range []string{"a@b.example", "+34 600 000 000", "call me", "a\x00@b", strings.Repeat("@", 300)} {
		f.Add(seed)
	}
	s := compiled(f, contactProgram(), map[string]v1alpha1.FollowUp{"": {}})
	f.Fuzz(func(t *testing.T, address string) {
		errors := s.CheckContact("", &survey.Left{Address: address, Consent: true})
		if len(address) > 20 && strings.Contains(fmt.Sprint(errors), address) {
			t.Fatal(errors)
		}
		if len(errors) == 0 && (strings.ContainsAny(address, "\x00\x1b<>") || len([]rune(strings.TrimSpace(address))) > 254) {
			t.Fatalf("%q is taken", address)
		}
		if again := survey.ComparableContact(survey.ComparableContact(address)); again != survey.ComparableContact(address) {
			t.Fatalf("%q is compared as %q and %q", address, survey.ComparableContact(address), again)
		}
	})
}
