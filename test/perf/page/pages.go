package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/validate"
)

// page is one page of a survey.
type page struct {
	name   string
	path   string
	survey *survey.Survey
}

// called is the name of a case of the page.
func (p page) called(name string) string { return p.name + ": " + name }

const (
	// signToken makes forms and links.
	signToken = "the-token-that-signs-links-and-forms"
	// maxLogo, maxQuestions and maxName are the API's limits on a logo in characters, on questions and on names.
	maxLogo, maxQuestions, maxName = 6000, 50, 63
)

// now is the time of all pages, so that they are the same in every run.
var now = time.Date(2026, time.November, 20, 9, 5, 0, 0, time.UTC)

// pagesOf returns what is measured: of the program in the files its own page and that of its first touchpoint, and the largest
// page that the API allows with texts of usual length, without and with work to do before it is sent.
func pagesOf(files string) ([]page, error) {
	sources, err := validate.Read([]string{files}, nil)
	if err != nil {
		return nil, err
	}
	report, objects, err := validate.Load(sources, validate.Options{})
	if err != nil {
		return nil, err
	}
	if len(report.Problems) > 0 || len(objects.Programs) == 0 {
		return nil, fmt.Errorf("%s: want a program without problems, have %d programs and the problems %v", files, len(objects.Programs), report.Problems)
	}
	usual, problems := survey.Compile(objects.Programs[0], objects.Touchpoints, objects.Teams)
	if usual == nil {
		return nil, fmt.Errorf("%s: %v", files, problems)
	}
	pages := []page{{"program", pathOf(usual), usual}}
	for _, t := range objects.Touchpoints {
		if _, served := usual.Touchpoints[t.Name]; served {
			pages = append(pages, page{"touchpoint", pathOf(usual) + "/" + t.Name, usual})
			break
		}
	}
	for _, c := range []struct {
		name string
		bits int32
	}{{"largest", 0}, {"largest with work", 22}} {
		p, err := largest(c.name, c.bits)
		if err != nil {
			return nil, err
		}
		pages = append(pages, p)
	}
	return pages, nil
}

func pathOf(s *survey.Survey) string { return "/s/" + s.Program.Namespace + "/" + s.Program.Name }

// words are what texts are drawn from.
var words = strings.Fields(`how easy was it to find your way about the and of in our with did you what is there at for staff
	waiting time queue service help desk room room price quality speed clean quiet light warm safe clear sign screen phone online
	order delivery return refund ticket seat gate platform car park lift stairs food drink menu shop opening hours visit stay booking
	payment invoice account password message answer promise problem solved friendly polite informed treated again recommend family`)

// sentence is one of so many words, not like another.
func sentence(r *rand.Rand, n int) string {
	drawn := make([]string, n)
	for i := range drawn {
		drawn[i] = words[r.IntN(len(words))]
	}
	return strings.ToUpper(drawn[0][:1]) + strings.Join(drawn, " ")[1:] + "?"
}

// largest is a page with the largest logo, the most questions, of all types, in all languages that the page has words of, with a
// notice, colours, a contact form and the longest names, opened by an invitation's link.
func largest(name string, bits int32) (page, error) {
	r := rand.New(rand.NewPCG(1, 2)) // the same texts in every run
	text := func(n int) v1alpha1.LocalizedText {
		return v1alpha1.LocalizedText{"en": v1alpha1.Text(sentence(r, n)), "es": "x"}
	}
	logo, err := noise(r, maxLogo)
	if err != nil {
		return page{}, err
	}
	title := text(10)
	for _, language := range []string{"ar", "de", "fr", "hi", "it", "ja", "nl", "pl", "pt", "zh"} {
		title[language] = "x"
	}
	long := strings.Repeat("n", maxName)
	program := &v1alpha1.SurveyProgram{}
	program.Namespace, program.Name = long, long[:52]
	program.Spec = v1alpha1.SurveyProgramSpec{
		DisplayName: sentence(r, 10), Access: v1alpha1.Access{Robots: v1alpha1.Robots{ProofOfWorkBits: bits}},
		Survey: v1alpha1.Survey{
			DefaultLanguage: "en", Title: title, PrivacyNotice: text(40), Questions: questions(text), Contact: &v1alpha1.ContactForm{},
			Branding: &v1alpha1.Branding{
				Logo: logo, Light: &v1alpha1.Colors{AccentColor: "#8a1f5c", BackgroundColor: "#fff8f0"}, Dark: &v1alpha1.Colors{AccentColor: "#ffd166"},
			},
		},
		Privacy: v1alpha1.Privacy{RetentionDays: 730, MinimumCell: 5},
	}
	program.Spec.Endpoint.FrameAncestors = []string{"https://www.example.org", "https://*.example.com"}
	touchpoint := v1alpha1.Touchpoint{}
	touchpoint.Namespace, touchpoint.Name = long, long
	touchpoint.Spec.ProgramRef.Name, touchpoint.Spec.DisplayName = program.Name, sentence(r, 10)
	team := v1alpha1.Team{}
	team.Namespace, team.Name, team.Spec.DisplayName = long, long, sentence(r, 10)
	s, problems := survey.Compile(program, []v1alpha1.Touchpoint{touchpoint}, []v1alpha1.Team{team},
		survey.WithFollowUps(map[string]v1alpha1.FollowUp{long: {}}))
	if s == nil {
		return page{}, fmt.Errorf("the largest survey: %v", problems)
	}
	token, err := link.NewKey(signToken, program.Namespace, program.Name).Sign(link.Link{
		ID: "7d444840-9dc0-4ad1-b245-5ffdce74fad2", Touchpoint: long, Team: long, ExpiresAt: now.Add(time.Hour),
	})
	if err != nil {
		return page{}, err
	}
	return page{name, pathOf(s) + "/" + long + "?" + url.Values{"lang": {"en"}, "invitation": {token}}.Encode(), s}, nil
}

// questions are the most that a survey has, of each type in turn.
func questions(text func(int) v1alpha1.LocalizedText) []v1alpha1.Question {
	types := []v1alpha1.QuestionType{
		v1alpha1.QuestionNPS, v1alpha1.QuestionCSAT, v1alpha1.QuestionCES, v1alpha1.QuestionRating, v1alpha1.QuestionSingleChoice,
		v1alpha1.QuestionMultipleChoice, v1alpha1.QuestionText,
	}
	all := make([]v1alpha1.Question, maxQuestions)
	for i := range all {
		q := v1alpha1.Question{Name: fmt.Sprintf("question-%d", i), Type: types[i%len(types)], Text: text(8)}
		if slices.Contains([]v1alpha1.QuestionType{v1alpha1.QuestionSingleChoice, v1alpha1.QuestionMultipleChoice}, q.Type) {
			for n := range 5 {
				q.Choices = append(q.Choices, v1alpha1.Choice{Name: fmt.Sprintf("choice-%d", n), Label: text(2)})
			}
		}
		all[i] = q
	}
	return all
}

// noise is the largest picture of nothing but chance, which packs worst, whose data URI has at most so many characters.
func noise(r *rand.Rand, most int) (string, error) {
	largest := ""
	for side := 8; ; side++ {
		picture := image.NewNRGBA(image.Rect(0, 0, side, side))
		for i := range side * side {
			picture.SetNRGBA(i%side, i/side, color.NRGBA{uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32()), 255})
		}
		var file bytes.Buffer
		if err := png.Encode(&file, picture); err != nil {
			return "", err
		}
		uri := "data:image/png;base64," + base64.StdEncoding.EncodeToString(file.Bytes())
		if len(uri) > most {
			return largest, nil
		}
		largest = uri
	}
}
