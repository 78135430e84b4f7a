package v1alpha1

// Condition types. Ready, Stalled and Reconciling speak of reconciliation only, in the sense of kstatus:
// a missed objective never makes a resource unhealthy.
const (
	// ConditionReady is True when the spec is in effect and every reference is resolved.
	ConditionReady = "Ready"
	// ConditionStalled is True when only a change of the spec can help.
	ConditionStalled = "Stalled"
	// ConditionReconciling is True while the operator is still working towards the spec.
	ConditionReconciling = "Reconciling"
	// ConditionObjectivesMet is False while an objective is missed, True when all are met, Unknown otherwise.
	ConditionObjectivesMet = "ObjectivesMet"
	// ConditionAccountable is False only where a plan that is due to exist is missing, unacknowledged or overdue.
	ConditionAccountable = "Accountable"
	// ConditionOnTime is False while a plan or one of its actions is overdue.
	ConditionOnTime = "OnTime"
	// ConditionOwnerAssigned is True when an existing team owns the resource.
	ConditionOwnerAssigned = "OwnerAssigned"
	// ConditionSponsorAssigned is True when the program names an executive sponsor.
	ConditionSponsorAssigned = "SponsorAssigned"
	// ConditionMeasured is True when the resource serves a question that has an objective.
	ConditionMeasured = "Measured"
	// ConditionSurveyCompiled is True when the survey as written is the one that is served.
	ConditionSurveyCompiled = "SurveyCompiled"
	// ConditionEndpointReady is True when enough pods of a Dedicated endpoint take answers, with the survey as written.
	ConditionEndpointReady = "EndpointReady"
	// ConditionExposed is True when what spec.endpoint.exposure asks for was made.
	ConditionExposed = "Exposed"
	// ConditionGoverned is True when exactly one AccountabilityPolicy applies, False when none does; its reason tells overlaps
	// and inline rules that are laxer than the policy.
	ConditionGoverned = "Governed"
	// ConditionExclusive is False while a policy of the same priority picks the same objects.
	ConditionExclusive = "Exclusive"
	// ConditionRolesAssigned is True when a touchpoint names who is responsible and every team of its roles exists.
	ConditionRolesAssigned = "RolesAssigned"
	// ConditionHandoffCovered is False while a handoff lacks an owner on one of its sides.
	ConditionHandoffCovered = "HandoffCovered"
	// ConditionPurposeStated is True when a program states its purpose and the strategy that it serves.
	ConditionPurposeStated = "PurposeStated"
	// ConditionCrossFunctional is True when the owners of a program's touchpoints come from more than one function.
	ConditionCrossFunctional = "CrossFunctional"
	// ConditionMeasurement is the pillar of measurement: every critical touchpoint has an objective.
	ConditionMeasurement = "Measurement"
	// ConditionIntegration is the pillar of integration: owners everywhere, from several functions, handoffs covered.
	ConditionIntegration = "Integration"
	// ConditionAccountability is the pillar of accountability: governed, sponsored, plans where they are due.
	ConditionAccountability = "Accountability"
	// ConditionAwareness is the pillar of awareness: reviews are held and told, the sponsor takes part.
	ConditionAwareness = "Awareness"
	// ConditionActsOnFindings is False while a program listens and understands, but acts on nothing.
	ConditionActsOnFindings = "ActsOnFindings"
	// ConditionFrozen is True once a review holds the figures of its period, with their digest.
	ConditionFrozen = "Frozen"
	// ConditionHeld is True once a review was held, False when it is missed.
	ConditionHeld = "Held"
	// ConditionSponsorPresent is True when the sponsor's team took part in a review that was held.
	ConditionSponsorPresent = "SponsorPresent"
	// ConditionEffective is True when a plan improved its objective, False when that worsened, Unknown otherwise.
	ConditionEffective = "Effective"
	// ConditionUnconflicted is False while another open plan is for the same objective.
	ConditionUnconflicted = "Unconflicted"
	// ConditionMonitored is True when what spec.endpoint.monitoring asks for was made.
	ConditionMonitored = "Monitored"
)

// Condition reasons. They are part of the API: they are stable and carry no names or figures.
const (
	// ReasonReconciled means that the spec is in effect.
	ReasonReconciled = "Reconciled"
	// ReasonAsExpected is the reason of a Stalled or Reconciling condition that is False.
	ReasonAsExpected = "AsExpected"
	// ReasonWaiting means that the operator waits for something that it does not control.
	ReasonWaiting = "Waiting"
	// ReasonRetrying means that a step failed and is tried again.
	ReasonRetrying = "Retrying"

	// ReasonProgramNotFound means that programRef names no SurveyProgram of the namespace.
	ReasonProgramNotFound = "ProgramNotFound"
	// ReasonStoreNotFound means that storeRef names no ResponseStore of the namespace.
	ReasonStoreNotFound = "StoreNotFound"
	// ReasonStoreNotReady means that the ResponseStore cannot be used now; its own conditions say why.
	ReasonStoreNotReady = "StoreNotReady"
	// ReasonTeamNotFound means that a reference names no Team of the namespace.
	ReasonTeamNotFound = "TeamNotFound"
	// ReasonTouchpointNotFound means that a reference names no Touchpoint of the namespace.
	ReasonTouchpointNotFound = "TouchpointNotFound"
	// ReasonObjectiveNotFound means that a plan names an objective that its touchpoint or program does not have.
	ReasonObjectiveNotFound = "ObjectiveNotFound"
	// ReasonQuestionNotFound means that a touchpoint names a question that its program does not have.
	ReasonQuestionNotFound = "QuestionNotFound"
	// ReasonObjectiveInvalid means that an objective does not fit its question.
	ReasonObjectiveInvalid = "ObjectiveInvalid"
	// ReasonCycle means that a team is its own ancestor.
	ReasonCycle = "Cycle"
	// ReasonInvalidSpec means that the spec holds something that admission could not refuse.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonNotServed means that this operator serves no such endpoint, access mode or store.
	ReasonNotServed = "NotServed"
	// ReasonSecretNotFound means that connectionSecretRef names no Secret of the namespace, or no key of it.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonStoreUnavailable means that the store exists but cannot be opened or read.
	ReasonStoreUnavailable = "StoreUnavailable"

	// ReasonEndpointStarting means that the pods of a Dedicated endpoint are being started or replaced.
	ReasonEndpointStarting = "EndpointStarting"
	// ReasonEndpointFailed means that the pods of a Dedicated endpoint do not become ready.
	ReasonEndpointFailed = "EndpointFailed"
	// ReasonEndpointReady means that enough pods take answers.
	ReasonEndpointReady = "EndpointReady"
	// ReasonModeChangeRefused means that spec.endpoint.mode was changed, but the answers cannot follow.
	ReasonModeChangeRefused = "ModeChangeRefused"
	// ReasonStoreInUse means that a SQLite store is another program's already, or that more than one pod is to open it.
	ReasonStoreInUse = "StoreInUse"
	// ReasonNameTaken means that an object of a name that the operator needs is somebody else's.
	ReasonNameTaken = "NameTaken"
	// ReasonAPINotInstalled means that the cluster lacks an API that the spec asks for.
	ReasonAPINotInstalled = "APINotInstalled"
	// ReasonApplied means that what the spec asks for was made.
	ReasonApplied = "Applied"
	// ReasonDataRetained is the event of answers that are kept when what they belonged to was deleted.
	ReasonDataRetained = "DataRetained"
	// ReasonDataDeleted is the event of answers that were deleted as deletionPolicy says.
	ReasonDataDeleted = "DataDeleted"

	// ReasonCompiled means that the survey as written is served.
	ReasonCompiled = "Compiled"
	// ReasonOwned means that an existing team owns the resource.
	ReasonOwned = "Owned"
	// ReasonNoOwner means that no ownerRef is set.
	ReasonNoOwner = "NoOwner"
	// ReasonNoSponsor means that no executive sponsor is set.
	ReasonNoSponsor = "NoSponsor"
	// ReasonSponsored means that an executive sponsor is set.
	ReasonSponsored = "Sponsored"
	// ReasonMeasured means that a served question has an objective.
	ReasonMeasured = "Measured"
	// ReasonNoQuestion means that the resource serves no question.
	ReasonNoQuestion = "NoQuestion"
	// ReasonNoObjective means that no served question has an objective.
	ReasonNoObjective = "NoObjective"
	// ReasonAllMet means that every objective is Met.
	ReasonAllMet = "AllMet"
	// ReasonObjectiveMissed means that the breach ObjectiveMissed is open.
	ReasonObjectiveMissed = "ObjectiveMissed"
	// ReasonUndecided means that no objective is missed but not all are Met.
	ReasonUndecided = "Undecided"
	// ReasonNoObjectives means that there is nothing to judge.
	ReasonNoObjectives = "NoObjectives"
	// ReasonNothingDue means that no plan is missing, unacknowledged or overdue.
	ReasonNothingDue = "NothingDue"
)

// Reasons of events on a breach: the breach's type when it opens; one of these when it closes.
const (
	// ReasonRecovered closes a breach whose cause is gone.
	ReasonRecovered = "Recovered"
	// ReasonObjectiveChanged closes a breach whose objective was defined anew.
	ReasonObjectiveChanged = "ObjectiveChanged"
	// ReasonEvidenceExpired closes a breach after a whole window without enough answers.
	ReasonEvidenceExpired = "EvidenceExpired"
	// ReasonRemoved closes a breach whose objective or item was removed.
	ReasonRemoved = "Removed"
	// ReasonPlanOpened is the event of a plan that the operator opened.
	ReasonPlanOpened = "PlanOpened"
)

// Labels and annotations that the operator sets.
const (
	// LabelManagedBy marks what the operator made; its value is ManagedByValue.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedByValue is the value of LabelManagedBy.
	ManagedByValue = "cx-operator"
	// LabelProgram names the SurveyProgram that an object belongs to.
	LabelProgram = "cx-operator.io/program"
	// LabelStore names the ResponseStore that a volume with answers belongs to.
	LabelStore = "cx-operator.io/store"
	// LabelTokens marks the Secrets with tokens of programs and keys of stores, so that the operator caches these alone.
	LabelTokens = "cx-operator.io/tokens"
	// AnnotationReplay on a Team has every dead message to the team's channels sent again that died before its value, a time
	// (RFC 3339).
	AnnotationReplay = "cx-operator.io/replay"
	// LabelOpenedBy marks an ActionPlan or Review that the operator opened; its value is ManagedByValue.
	LabelOpenedBy = "cx-operator.io/opened-by"
)
