package surveyprogram

import (
	"fmt"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// left is whether this process's SQLite file, which a program is to leave, holds answers of it.
type left int

const (
	// leftUnknown: the file cannot be read now.
	leftUnknown left = iota
	leftNothing
	leftAnswers
)

// situation is all that decides where a program is served.
type situation struct {
	// wants is spec.endpoint.mode, serves what served the program last, empty for nothing.
	wants, serves v1alpha1.EndpointMode
	// exists says that a Dedicated endpoint of the program is there, whatever its state.
	exists bool
	// noStore says that the store does not exist.
	noStore bool
	// sqlite says that the store is SQLite, of which only one place has the answers.
	sqlite bool
	// unembedded and undedicated say why this operator cannot serve the mode; empty where it can.
	unembedded, undedicated string
	// holder is another program that has the SQLite store; empty for none.
	holder string
	// manyPods says that the spec asks for more than one pod on SQLite.
	manyPods bool
	// left is what is left of the program in this process, where it is not to be any more, on SQLite.
	left left
	// ready says that the other place can take over: it serves, and its counts were read.
	ready bool
}

// work is what is to be done about a program's Dedicated endpoint.
type work int

const (
	// leave what is there as it is, and follow it no more.
	leave work = iota
	// keep what is there as it is, and follow it.
	keep
	// bring it to what the spec says, and follow it.
	bring
	// remove it.
	remove
)

// decision is where a program is served.
type decision struct {
	// embed it in this process.
	embed bool
	// empty the place in this process first, of which it is known that it holds nothing.
	move bool
	// endpoint is what is done about the Dedicated one.
	endpoint work
	// onePod brings the endpoint with one pod, whatever the spec says.
	onePod bool
	// serves is what serves the program then, empty for nothing.
	serves v1alpha1.EndpointMode
	// problem that keeps the spec from being in effect.
	problem *survey.Problem
}

const (
	fieldMode     = "spec.endpoint.mode"
	fieldStore    = "spec.storeRef.name"
	fieldReplicas = "spec.endpoint.replicas"
)

func because(field, reason, format string, args ...any) *survey.Problem {
	return &survey.Problem{Reason: reason, Field: field, Message: fmt.Sprintf(format, args...)}
}

// decide says where a program is served. No answer is left behind: what has answers serves on, until they can be served
// elsewhere.
func decide(s situation) decision {
	if s.wants == v1alpha1.EndpointDedicated {
		return s.dedicated()
	}
	return s.embedded()
}

func (s situation) embedded() decision {
	dedicated := s.exists || s.serves == v1alpha1.EndpointDedicated
	switch {
	case dedicated && s.unembedded != "":
		return s.stay(because(fieldMode, v1alpha1.ReasonNotServed, "%s; its own endpoint serves it as before", s.unembedded))
	case s.unembedded != "":
		return decision{serves: s.serves, problem: because(fieldMode, v1alpha1.ReasonNotServed, "%s", s.unembedded)}
	case !dedicated && s.holder != "":
		return decision{problem: because(fieldStore, v1alpha1.ReasonStoreInUse, "the SQLite store is that of the Dedicated program %q, which alone can open it: create another ResponseStore", s.holder)}
	case !dedicated:
		return decision{embed: true, serves: v1alpha1.EndpointEmbedded}
	case s.sqlite:
		// Also where it has none yet: one that is acknowledged while the pod ends would stay there.
		return s.stay(because(fieldMode, v1alpha1.ReasonModeChangeRefused,
			"the answers are in SQLite on the program's own volume, which the operator's process cannot open; it is served as before. "+moveByHand))
	case s.ready:
		return decision{embed: true, endpoint: remove, serves: v1alpha1.EndpointEmbedded}
	default:
		d := s.stay(because(fieldMode, v1alpha1.ReasonEndpointStarting, "the operator's process is opening the store; the program's own endpoint serves it so long"))
		d.embed = true
		return d
	}
}

const moveByHand = "Go back to the former mode, or create a program of another name, with a store of its own, and move the answers there by export and import"

// stay leaves the Dedicated endpoint in service.
func (s situation) stay(p *survey.Problem) decision {
	return decision{endpoint: keep, serves: v1alpha1.EndpointDedicated, problem: p}
}

func (s situation) dedicated() decision {
	stays := s.serves == v1alpha1.EndpointEmbedded && s.unembedded == ""
	switch {
	case s.undedicated != "":
		return decision{serves: s.serves, problem: because(fieldMode, v1alpha1.ReasonNotServed, "%s", s.undedicated)}
	case s.noStore && s.exists:
		return s.stay(nil) // that the store is missing is a problem already
	case s.noStore:
		return decision{embed: stays, serves: s.serves}
	case s.sqlite:
		return s.onSQLite()
	case stays && !s.ready:
		return decision{embed: true, endpoint: bring, serves: v1alpha1.EndpointEmbedded, problem: because(fieldMode, v1alpha1.ReasonEndpointStarting,
			"the program's own endpoint is being started; the operator's process serves it so long")}
	default:
		return decision{endpoint: bring, serves: v1alpha1.EndpointDedicated}
	}
}

// onSQLite is a program that is to be Dedicated on a store that one process has open.
func (s situation) onSQLite() decision {
	switch {
	case s.holder != "":
		return s.held()
	case s.manyPods:
		return s.tooMany()
	case !s.exists && s.serves != v1alpha1.EndpointDedicated:
		return s.toVolume()
	}
	return decision{endpoint: bring, serves: v1alpha1.EndpointDedicated}
}

// held is a program whose SQLite store is another one's. What it has in this process is served on.
func (s situation) held() decision {
	d := decision{problem: because(fieldStore, v1alpha1.ReasonStoreInUse, "the SQLite store is in use by the program %q, and one endpoint alone can open it: create another ResponseStore, or use PostgreSQL", s.holder)}
	if s.serves == v1alpha1.EndpointEmbedded {
		d.embed, d.serves = s.unembedded == "", s.serves
	}
	if s.exists {
		d.endpoint = remove // it came second, and never opened the store
	}
	return d
}

// tooMany is a program that asks for more than one pod on SQLite: the one that runs goes on.
func (s situation) tooMany() decision {
	d := decision{problem: because(fieldReplicas, v1alpha1.ReasonStoreInUse, "SQLite is opened by one pod alone: leave replicas and autoscaling out, or use PostgreSQL")}
	switch {
	case s.exists || s.serves == v1alpha1.EndpointDedicated:
		d.endpoint, d.onePod, d.serves = bring, true, v1alpha1.EndpointDedicated
	case s.serves == v1alpha1.EndpointEmbedded:
		d.embed, d.serves = s.unembedded == "", s.serves
	}
	return d
}

// toVolume moves a program that is not Dedicated so far to a volume of its own, where this process has nothing of it.
func (s situation) toVolume() decision {
	embedded := s.serves == v1alpha1.EndpointEmbedded
	d := decision{embed: embedded && s.unembedded == "", serves: s.serves}
	switch {
	case embedded && s.unembedded != "":
		d.problem = because(fieldMode, v1alpha1.ReasonModeChangeRefused, "the program was served by the operator's process, whose SQLite file may have its answers: %s, or go back to Embedded", s.unembedded)
	case s.left == leftAnswers:
		d.problem = because(fieldMode, v1alpha1.ReasonModeChangeRefused, "the answers are in a SQLite file of the operator's process, which pods cannot open; it is served as before. "+moveByHand)
	case s.left == leftUnknown:
		d.problem = because(fieldMode, v1alpha1.ReasonWaiting, "whether the operator's SQLite file has answers of the program cannot be found out now; it is served as before")
	default:
		return decision{move: embedded, endpoint: bring, serves: v1alpha1.EndpointDedicated}
	}
	return d
}
