package survey

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
)

func TestCompileAccess(t *testing.T) {
	full := v1alpha1.Access{
		Mode: v1alpha1.AccessSigned,
		Invitations: v1alpha1.Invitations{ValidDays: 14, Cooldown: v1alpha1.Cooldowns{
			Program:   v1alpha1.Cooldown{AfterInvitationDays: 30, AfterAnswerDays: 90},
			Namespace: v1alpha1.Cooldown{AfterInvitationDays: 7, AfterAnswerDays: 21},
		}},
		Robots: v1alpha1.Robots{MinimumSeconds: ptr(int32(5)), ProofOfWorkBits: 18},
	}
	for name, c := range map[string]struct {
		access v1alpha1.Access
		want   Access
	}{
		"nothing": {v1alpha1.Access{}, Access{LinkDays: 30, MinimumSeconds: 2}},
		"open":    {v1alpha1.Access{Mode: v1alpha1.AccessOpen}, Access{LinkDays: 30, MinimumSeconds: 2}},
		"no time": {v1alpha1.Access{Robots: v1alpha1.Robots{MinimumSeconds: ptr(int32(0))}}, Access{LinkDays: 30}},
		"everything": {full, Access{
			Signed: true, LinkDays: 14, MinimumSeconds: 5, ProofBits: 18,
			Program:   Cooldown{AfterInvitation: 30, AfterAnswer: 90},
			Namespace: Cooldown{AfterInvitation: 7, AfterAnswer: 21},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProgram()
			p.Spec.Access = c.access
			s, problems := Compile(p, nil, nil)
			if s == nil {
				t.Fatal(problems)
			}
			if diff := cmp.Diff(c.want, s.Access); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The last good survey that an older version left on disk says nothing of access.
func TestSurveyFromBeforeThereWereLinks(t *testing.T) {
	body, err := json.Marshal(newSurvey(t))
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(members["access"]), "linkDays") {
		t.Fatalf("the member is not there: %s", members["access"])
	}
	delete(members, "access")
	if body, err = json.Marshal(members); err != nil {
		t.Fatal(err)
	}
	var s Survey
	if err := json.Unmarshal(body, &s); err != nil {
		t.Fatal(err)
	}
	if s.Access != (Access{}) || len(s.Questions) != 7 {
		t.Errorf("%+v", s.Access)
	}
	if got := s.LinkDays(); got != 30 {
		t.Errorf("links are good for %d days, want 30", got)
	}
	if s.digest() == newSurvey(t).Hash {
		t.Error("the survey of this version has the hash of the old one, and would not take its place")
	}
}
