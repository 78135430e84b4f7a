package survey

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAcceptInvitation(t *testing.T) {
	s := newSurvey(t)
	in, err := DecodeInvitation([]byte(`{"id": "` + strings.ToUpper(id) + `", "contact": "Ada@example.org", "touchpoint": "food", "team": "area-g",
		"language": "pt-br", "validDays": 7, "singleUse": false}`))
	if err != nil {
		t.Fatal(err)
	}
	got, errs := s.AcceptInvitation(in)
	want := Invitation{ID: id, Contact: ptr("Ada@example.org"), Touchpoint: "food", Team: "area-g", Language: "pt-BR", ValidDays: ptr(int32(7)), SingleUse: ptr(false)}
	if diff := cmp.Diff(want, got); len(errs) > 0 || diff != "" {
		t.Errorf("%v\n%s", errs, diff)
	}
}

// TestWhoseLink: a link is somebody's own with a contact, and can then be answered once unless it says otherwise.
func TestWhoseLink(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:                                "shared",
		`{"singleUse":false}`:               "shared",
		`{"singleUse":true}`:                "personal, once",
		`{"contact":"a"}`:                   "personal, once",
		`{"contact":"a","singleUse":true}`:  "personal, once",
		`{"contact":"a","singleUse":false}`: "personal",
		`{"contact":null,"singleUse":null}`: "shared",
		`{"contact":"a","singleUse":null}`:  "personal, once",
	} {
		in, err := DecodeInvitation([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		got := "shared"
		if in.Personal() {
			got = "personal"
		}
		if in.Once() {
			got += ", once"
		}
		if got != want {
			t.Errorf("%s is %s, want %s", body, got, want)
		}
	}
}

func TestAcceptInvitationRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"no id":         {`{}`, []string{"/id required: "}},
		"id":            {`{"id":"1"}`, []string{"/id format: "}},
		"empty contact": {`{ID,"contact":""}`, []string{"/contact required: must not be empty"}},
		"blank contact": {`{ID,"contact":" \n\u00a0"}`, []string{"/contact required: "}},
		"long contact":  {`{ID,"contact":"` + strings.Repeat("ñ", 255) + `"}`, []string{"/contact length: must have at most 254 characters"}},
		"touchpoint":    {`{ID,"touchpoint":"gone"}`, []string{"/touchpoint unknown: "}},
		"team":          {`{ID,"team":"gone"}`, []string{"/team unknown: "}},
		"language":      {`{ID,"language":"x!"}`, []string{"/language format: "}},
		"no day":        {`{ID,"validDays":0}`, []string{"/validDays range: must be an integer from 1 to 14"}},
		"too many days": {`{ID,"validDays":15}`, []string{"/validDays range: "}},
		"all at once": {`{"contact":"","touchpoint":"x","team":"x","language":"!","validDays":-1}`,
			[]string{"/id required: ", "/contact required: ", "/touchpoint unknown: ", "/team unknown: ", "/language format: ", "/validDays range: "}},
	} {
		in, err := DecodeInvitation([]byte(strings.Replace(c.body, "{ID", `{"id":"`+id+`"`, 1)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s := newSurvey(t)
		s.Access.LinkDays = 14
		got, errs := s.AcceptInvitation(in)
		if diff := cmp.Diff(Invitation{}, got); diff != "" {
			t.Errorf("%s: an invitation beside errors: %s", name, diff)
		}
		var found []string
		for _, e := range errs {
			found = append(found, fmt.Sprintf("%s %s: %s", e.Pointer, e.Code, e.Detail))
		}
		if len(found) != len(c.want) {
			t.Errorf("%s: errors %q, want %q", name, found, c.want)
			continue
		}
		for i := range found {
			if !strings.HasPrefix(found[i], c.want[i]) {
				t.Errorf("%s: error %d is %q, want %q...", name, i, found[i], c.want[i])
			}
		}
	}
	old := newSurvey(t)
	old.Access.LinkDays = 0
	if got := old.LinkDays(); got != 30 {
		t.Errorf("a survey compiled before there were links has links for %d days", got)
	}
}

func TestDecodeInvitationRefuses(t *testing.T) {
	for body, want := range map[string]string{
		`[]`:                 "must be a JSON object",
		`{"contact":7}`:      "contact must be a string, not of type number",
		`{"validDays":"7"}`:  "validDays must be an integer, not of type string",
		`{"validDays":7.5}`:  "validDays must be an integer, not of type number",
		`{"validDays":1e99}`: "validDays must be an integer, not of type number",
		`{"singleUse":1}`:    "singleUse must be true or false, not of type number",
		`{"email":"x"}`:      `unknown field "email"`,
		`{"Contact":"x"}`:    `unknown field "Contact"`,
	} {
		got, err := DecodeInvitation([]byte(body))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
		if diff := cmp.Diff(Invitation{}, got); diff != "" {
			t.Errorf("%s: an invitation beside an error: %s", body, diff)
		}
	}
}

func TestInvitationDigest(t *testing.T) {
	base := Invitation{ID: id, Contact: ptr("a"), Touchpoint: "food", Team: "area-g", Language: "es", ValidDays: ptr(int32(7))}
	contact := []byte{0xab, 0xcd}
	// printf '%s' '{"contact":"abcd","touchpoint":"food","team":"area-g","language":"es","validDays":7,"singleUse":true}' | sha256sum
	const want = "c00c8a12653b086a23a27e2e595a5d28daccbd8fbe1bdbd93a1f8c7cf2074b5a"
	digest := base.Digest(contact)
	if got := hex.EncodeToString(digest[:]); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	same := base
	same.ID, same.Contact, same.SingleUse = "another", ptr("A "), ptr(true)
	if same.Digest(contact) != digest {
		t.Error("the ID, how the contact is written or a default that is said makes another digest")
	}
	seen := map[[32]byte]string{digest: "nothing"}
	for name, change := range map[string]func(*Invitation) []byte{
		"contact":    func(*Invitation) []byte { return []byte{1} },
		"no contact": func(in *Invitation) []byte { in.Contact, in.SingleUse = nil, ptr(true); return nil },
		"touchpoint": func(in *Invitation) []byte { in.Touchpoint = ""; return contact },
		"team":       func(in *Invitation) []byte { in.Team = ""; return contact },
		"language":   func(in *Invitation) []byte { in.Language = ""; return contact },
		"days":       func(in *Invitation) []byte { in.ValidDays = ptr(int32(8)); return contact },
		"own days":   func(in *Invitation) []byte { in.ValidDays = nil; return contact },
		"many uses":  func(in *Invitation) []byte { in.SingleUse = ptr(false); return contact },
	} {
		in := base
		d := in.Digest(change(&in))
		if other, ok := seen[d]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[d] = name
	}
}

// FuzzInvitation: no panic, and what is accepted keeps to its bounds.
func FuzzInvitation(f *testing.F) {
	f.Add([]byte(`{"id":"` + id + `","contact":"ada@example.org","touchpoint":"food","team":"area-g","language":"es","validDays":1,"singleUse":false}`))
	f.Add([]byte(`{"id":"x","id":"y"}`))
	f.Add([]byte(`{"validDays":-1,"contact":"\u0000"}`))
	s := newSurvey(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := DecodeInvitation(body)
		if err != nil {
			return
		}
		got, errs := s.AcceptInvitation(in)
		if len(errs) > 0 {
			return
		}
		again, errs := s.AcceptInvitation(got)
		if diff := cmp.Diff(got, again); len(errs) > 0 || diff != "" {
			t.Fatalf("what was accepted is refused or changes: %v\n%s", errs, diff)
		}
		_, touchpoint := s.Touchpoints[got.Touchpoint]
		_, team := s.Units[got.Team]
		if !touchpoint && got.Touchpoint != "" || !team && got.Team != "" || got.ValidDays != nil && (*got.ValidDays < 1 || *got.ValidDays > s.LinkDays()) {
			t.Fatalf("accepted %+v", got)
		}
	})
}
