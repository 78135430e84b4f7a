// Package admission holds manifests that the API server must take or refuse, for the tests of the API on a real API
// server and for those of the offline validator: both must say the same.
package admission

// The bases are valid; each case changes one thing in one of them.
const (
	// Team is a team below another.
	Team = `apiVersion: cx-operator.io/v1alpha1
kind: Team
metadata: {name: concessions}
spec:
  displayName: Food and retail concessions
  level: Department
  function: Operations
  parentRef: {name: airport}
  lead: {displayName: Head of Concessions}
`
	// ResponseStore keeps answers in a file.
	ResponseStore = `apiVersion: cx-operator.io/v1alpha1
kind: ResponseStore
metadata: {name: responses}
spec:
  sqlite: {}
`
	// Volume keeps answers on a volume of a Dedicated program.
	Volume = `apiVersion: cx-operator.io/v1alpha1
kind: ResponseStore
metadata: {name: volume}
spec:
  sqlite: {size: 10Gi, storageClassName: fast}
  deletionPolicy: Delete
`
	// Database keeps answers in PostgreSQL.
	Database = `apiVersion: cx-operator.io/v1alpha1
kind: ResponseStore
metadata: {name: database}
spec:
  postgres: {connectionSecretRef: {name: database, key: uri}}
`
	// Dedicated is a program with all that an endpoint of its own may have beside each other.
	Dedicated = `apiVersion: cx-operator.io/v1alpha1
kind: SurveyProgram
metadata: {name: dedicated}
spec:
  displayName: Dedicated
  purpose: Know at any scale.
  storeRef: {name: database}
  survey:
    defaultLanguage: en
    title: {en: How was it}
    questions: [{name: recommend, type: NPS, text: {en: Would you recommend us}}]
  endpoint:
    mode: Dedicated
    autoscaling: {minReplicas: 2, maxReplicas: 10, targetCPUPercent: 60}
    exposure:
      hostname: survey.example.org
      scheme: https
      ingress:
        className: public
        annotations: {example.org/timeout: 60s}
        tlsSecretName: survey-cert
        issuer: {kind: Issuer, name: letters}
    pod:
      resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 512Mi}}
      nodeSelector: {kubernetes.io/arch: arm64}
      tolerations: [{key: web, operator: Exists}]
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - {weight: 10, podAffinityTerm: {topologyKey: rack}}
      priorityClassName: customers
      imagePullSecrets: [{name: registry}]
      labels: {cost-center: "4711"}
      annotations: {example.org/note: x}
    rateLimit: {perMinute: 1200, burst: 50}
    trustedProxies: [10.0.0.0/8, "2001:db8::1"]
    monitoring: {serviceMonitor: {labels: {release: prometheus}}}
`
	// Routed is a Dedicated program behind Gateways.
	Routed = `apiVersion: cx-operator.io/v1alpha1
kind: SurveyProgram
metadata: {name: routed}
spec:
  displayName: Routed
  purpose: Know behind a gateway.
  storeRef: {name: database}
  survey:
    defaultLanguage: en
    title: {en: How was it}
    questions: [{name: recommend, type: NPS, text: {en: Would you recommend us}}]
  endpoint:
    mode: Dedicated
    replicas: 3
    exposure:
      hostname: survey.example.org
      gateway: {parentRefs: [{name: public, namespace: gateways, sectionName: https}, {name: inside}]}
`
	// SurveyProgram has every type of question and an objective for each metric.
	SurveyProgram = `apiVersion: cx-operator.io/v1alpha1
kind: SurveyProgram
metadata: {name: passenger-experience}
spec:
  displayName: Passenger experience
  purpose: Know whether we keep our promise.
  ownerRef: {name: airport}
  executiveSponsor: {displayName: Airport Director, teamRef: {name: airport}}
  storeRef: {name: responses}
  timeZone: America/Los_Angeles
  survey:
    defaultLanguage: en
    title: {en: How was your time at the airport, es: Cómo fue su paso por el aeropuerto}
    privacyNotice: {en: We keep no names.}
    questions:
    - name: recommend
      type: NPS
      text: {en: How likely are you to recommend us, es: Nos recomendaría}
      requirement: Required
    - name: food
      type: CSAT
      revision: 2
      text: {en: Restaurants, es: Restaurantes}
    - name: effort
      type: CES
      text: {en: How easy was it to find your gate}
    - name: stars
      type: Rating
      minimum: 1
      maximum: 10
      text: {en: How many stars}
    - name: reason
      type: SingleChoice
      choices:
      - {name: business, label: {en: Business}}
      - {name: leisure, label: {en: Leisure}}
      text: {en: Why do you travel}
    - name: services
      type: MultipleChoice
      choices:
      - {name: lounge, label: {en: Lounge}}
      - {name: wifi, label: {en: WiFi}}
      text: {en: What did you use}
    - name: comment
      type: Text
      maxLength: 500
      text: {en: What should we know}
  evidence:
    minimumResponses: 30
  privacy:
    minimumCell: 10
  objectives:
  - {name: nps, question: recommend, metric: NPS, target: 35}
  - {name: food, question: food, metric: CSAT, target: "62.5"}
  - {name: stars, question: stars, metric: CSAT, target: 80, satisfiedValues: [9, 10]}
  - {name: ease, question: effort, metric: CESMean, target: "5.5"}
  - {name: easy, question: effort, metric: CESTopBox, target: 70}
  - {name: net-ease, question: effort, metric: CESNet, target: -20}
  - {name: mean, question: food, metric: Mean, target: 4}
`
	// Questionnaire is a program that asks in steps and by condition, gives a score back and looks like its sender's.
	Questionnaire = `apiVersion: cx-operator.io/v1alpha1
kind: SurveyProgram
metadata: {name: questionnaire}
spec:
  displayName: Questionnaire
  purpose: Tell people where they stand.
  storeRef: {name: responses}
  survey:
    defaultLanguage: en
    title: {en: Where do you stand}
    thankYou: {en: See you again}
    questions:
    - name: recommend
      type: NPS
      text: {en: How likely are you to recommend us}
    - name: why
      type: Text
      text: {en: What went wrong}
      showWhen: answers.recommend <= 6
    - name: stars
      type: Rating
      maximum: 10
      text: {en: How many stars}
    steps:
    - {name: first, questions: [recommend, why]}
    - {name: last, title: {en: The rest}, questions: [stars]}
    feedback:
    - {name: total, title: {en: Your total}, metric: Sum, questions: [recommend, stars]}
    branding:
      logo: data:image/png;base64,iVBORw0KGgo=
      light: {accentColor: "#8a1f5c", backgroundColor: "#fff8f0", textColor: "#201020"}
      dark: {accentColor: "#ffd166"}
  access:
    mode: Signed
    invitations:
      validDays: 14
      cooldown:
        program: {afterInvitationDays: 30, afterAnswerDays: 90}
        namespace: {afterInvitationDays: 7, afterAnswerDays: 14}
    robots: {minimumSeconds: 0, proofOfWorkBits: 8}
  endpoint:
    frameAncestors: ["https://www.example.org", "https://*.example.com:8443"]
`
	// Touchpoint has a handoff, an objective and a rule for plans.
	Touchpoint = `apiVersion: cx-operator.io/v1alpha1
kind: Touchpoint
metadata: {name: food}
spec:
  displayName: Restaurants
  programRef: {name: passenger-experience}
  stage: During
  importance: Critical
  channel: OnSite
  ownerRef: {name: concessions}
  supportingTeamRefs: [{name: airport}]
  handoff: {toRef: {name: gate}}
  questions: [food, comment]
  objectives:
  - name: satisfaction
    question: food
    metric: CSAT
    target: 65
    windowDays: 90
  onMissed:
    actionPlan:
      mode: Create
      acknowledgeWithinHours: 48
      dueWithinDays: 30
      missingAfterHours: 24
`
	// ActionPlan is a plan for a touchpoint's objective.
	ActionPlan = `apiVersion: cx-operator.io/v1alpha1
kind: ActionPlan
metadata: {name: better-food}
spec:
  touchpointRef: {name: food}
  objective: satisfaction
  problem: Passengers rate the restaurants far below the rest of the airport.
  ownerRef: {name: concessions}
  assignee: {displayName: Food program manager}
  dueDate: "2026-12-31"
  state: InProgress
  acknowledgement: {by: Head of Concessions, time: "2026-11-20T09:00:00Z"}
  actions:
  - name: late-hours
    description: Keep two restaurants per boarding area open until the last departure.
    category: Process
    ownerRef: {name: concessions}
    dueDate: "2026-12-15"
    state: InProgress
  expected: {target: 65}
`
)

// Bases are all of the above, and those of accountability.
func Bases() []string {
	return []string{
		Team, ResponseStore, Volume, Database, SurveyProgram, Questionnaire, Dedicated, Routed, Touchpoint, ActionPlan,
		NotifiedTeam, Policy, Review, CostedPlan,
	}
}
