package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"text/template"

	"sigs.k8s.io/yaml"
)

// The kinds that people write, by their names in the API's addresses.
const (
	teams       = "teams"
	stores      = "responsestores"
	programs    = "surveyprograms"
	touchpoints = "touchpoints"
)

// input is an object that a person creates.
type input struct {
	resource, namespace, name string
	body                      []byte // JSON
}

func (i input) key() key { return key{i.resource, i.namespace, i.name} }

// size is how much there is of everything.
type size struct {
	programs, touchpoints, teams, namespaces int
	// dedicated gives each program pods, and a store, of its own.
	dedicated bool
}

// objects is how many objects of the operator's own kinds there are.
func (s size) objects() int { return s.programs + s.touchpoints + s.teams + s.stores() }

func (s size) stores() int {
	if s.dedicated {
		return s.programs
	}
	return s.namespaces
}

// by returns a part of the size in the same namespaces, so that what grows with a namespace is seen.
func (s size) by(n int) size {
	s.programs, s.touchpoints, s.teams = max(s.programs/n, 1), s.touchpoints/n, s.teams/n
	s.namespaces = min(s.namespaces, s.programs)
	return s
}

func namespaceName(i int) string { return fmt.Sprintf("tenant-%03d", i) }

// inputs makes all objects in the order in which somebody applies a folder: of each namespace the teams, the store, then each
// program with its touchpoints. Their texts are the same in every run.
func (s size) inputs() ([]input, error) {
	var all []input
	for n := range s.namespaces {
		of := share{ns: namespaceName(n), programs: part(s.programs, s.namespaces, n), touchpoints: part(s.touchpoints, s.namespaces, n), teams: part(s.teams, s.namespaces, n)}
		made, err := of.inputs(s.dedicated)
		if err != nil {
			return nil, err
		}
		all = append(all, made...)
	}
	return all, nil
}

// part is the nth of some equal parts of a total, to one.
func part(total, parts, n int) int { return total*(n+1)/parts - total*n/parts }

// share is what a namespace has.
type share struct {
	ns                           string
	programs, touchpoints, teams int
}

func (s share) inputs(dedicated bool) ([]input, error) {
	var all []input
	add := func(resource, name string, text *template.Template, data values) error {
		data.Namespace, data.Name = s.ns, name
		made, err := render(resource, text, data)
		all = append(all, made)
		return err
	}
	for t := range s.teams {
		if err := add(teams, teamName(t), teamText, values{Team: teamName(0), Root: t == 0}); err != nil {
			return nil, err
		}
	}
	if !dedicated {
		if err := add(stores, "answers", storeText, values{}); err != nil {
			return nil, err
		}
	}
	for p := range s.programs {
		name, store := fmt.Sprintf("program-%05d", p), "answers"
		// Every other Dedicated program is on PostgreSQL, with all that it may have there.
		postgres := p%2 == 1
		if dedicated {
			store = fmt.Sprintf("answers-%05d", p)
			if err := add(stores, store, storeText, values{Postgres: postgres}); err != nil {
				return nil, err
			}
		}
		data := values{Team: s.owner(p), Store: store, Dedicated: dedicated, Postgres: postgres}
		if err := add(programs, name, programText, data); err != nil {
			return nil, err
		}
		for t := range part(s.touchpoints, s.programs, p) {
			data := values{Team: s.owner(p*7 + t), Program: name, Question: questions[t%len(questions)]}
			if err := add(touchpoints, fmt.Sprintf("%s-%d", name, t), touchpointText, data); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// owner is one of the namespace's teams, none where it has none.
func (s share) owner(i int) string {
	if s.teams == 0 {
		return ""
	}
	return teamName(i % s.teams)
}

func teamName(i int) string { return fmt.Sprintf("team-%04d", i) }

var questions = []string{"welcome", "waiting", "help", "price", "rooms"}

// shuffle changes the order to that of a restore: any.
func shuffle(all []input) {
	chance := rand.New(rand.NewPCG(1, 1)) // #nosec G404 -- an order that is the same in every run
	chance.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
}

type values struct {
	Namespace, Name, Team, Store, Program, Question string
	Root, Dedicated, Postgres                       bool
}

func render(resource string, text *template.Template, data values) (input, error) {
	var out bytes.Buffer
	if err := text.Execute(&out, data); err != nil {
		return input{}, err
	}
	body, err := yaml.YAMLToJSONStrict(out.Bytes())
	if err != nil {
		return input{}, fmt.Errorf("%s %s: %w", resource, data.Name, err)
	}
	return input{resource, data.Namespace, data.Name, body}, nil
}

func text(s string) *template.Template {
	return template.Must(template.New("").Parse("apiVersion: cx-operator.io/v1alpha1\n" + s))
}

var (
	teamText = text(`kind: Team
metadata: {name: {{.Name}}, namespace: {{.Namespace}}}
spec:
  displayName: The people of {{.Name}}
  level: {{if .Root}}Company{{else}}Department{{end}}
  function: Operations
  {{- if not .Root}}
  parentRef: {name: {{.Team}}}
  {{- end}}
  lead: {displayName: Who leads {{.Name}}}
`)
	storeText = text(`kind: ResponseStore
metadata: {name: {{.Name}}, namespace: {{.Namespace}}}
spec:
  {{- if .Postgres}}
  postgres: {connectionSecretRef: {name: database, key: uri}}
  {{- else}}
  sqlite: {}
  {{- end}}
`)
	programText = text(`kind: SurveyProgram
metadata: {name: {{.Name}}, namespace: {{.Namespace}}}
spec:
  displayName: How it went, {{.Name}}
  purpose: Know, at every moment that matters, whether we keep our promise, and act where we do not.
  {{- if .Team}}
  ownerRef: {name: {{.Team}}}
  {{- end}}
  executiveSponsor: {displayName: The director}
  storeRef: {name: {{.Store}}}
  timeZone: Europe/Vienna
  survey:
    defaultLanguage: en
    title: {en: 'How was your time with us?', de: 'Wie war Ihre Zeit bei uns?'}
    questions:
    - {name: recommend, type: NPS, text: {en: 'How likely are you to recommend us?', de: 'Wie wahrscheinlich empfehlen Sie uns weiter?'}}
    - {name: welcome, type: CSAT, text: {en: 'How were you welcomed?', de: 'Wie wurden Sie empfangen?'}}
    - {name: waiting, type: CSAT, text: {en: 'How long did you wait?', de: 'Wie lange haben Sie gewartet?'}}
    - {name: help, type: CSAT, text: {en: 'How were you helped?', de: 'Wie wurde Ihnen geholfen?'}}
    - {name: price, type: CSAT, text: {en: 'Was it worth its price?', de: 'War es seinen Preis wert?'}}
    - {name: rooms, type: CSAT, text: {en: 'How were the rooms?', de: 'Wie waren die Zimmer?'}}
    - {name: comment, type: Text, text: {en: 'What should we know?', de: 'Was sollten wir wissen?'}}
  {{- if .Dedicated}}
  endpoint:
    mode: Dedicated
    exposure: {hostname: {{.Name}}.example.org, ingress: {className: nginx}}
    {{- if .Postgres}}
    autoscaling: {minReplicas: 2, maxReplicas: 6}
    {{- end}}
  {{- end}}
  objectives:
  - {name: nps, question: recommend, metric: NPS, target: 35, windowDays: 90}
`)
	touchpointText = text(`kind: Touchpoint
metadata: {name: {{.Name}}, namespace: {{.Namespace}}}
spec:
  displayName: The moment {{.Name}}
  programRef: {name: {{.Program}}}
  stage: During
  importance: Critical
  channel: OnSite
  {{- if .Team}}
  ownerRef: {name: {{.Team}}}
  {{- end}}
  questions: [{{.Question}}, comment]
  objectives:
  - {name: satisfaction, question: {{.Question}}, metric: CSAT, target: 75, windowDays: 90}
`)
)
