package surveyprogram

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/policy"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/team"
)

// compiled is what was made of a program's spec.
type compiled struct {
	of       [sha256.Size]byte
	survey   *survey.Survey // nil where the spec cannot be compiled
	problems []survey.Problem
}

// compiler remembers what it made of each program, so that a pass with the same specs makes nothing anew. The zero value is ready;
// it may be used by several goroutines.
type compiler struct {
	mu       sync.Mutex
	programs map[client.ObjectKey]compiled
}

func (c *compiler) last(key client.ObjectKey) compiled {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.programs[key]
}

func (c *compiler) keep(key client.ObjectKey, made compiled) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.programs == nil {
		c.programs = map[client.ObjectKey]compiled{}
	}
	c.programs[key] = made
}

func (c *compiler) forget(key client.ObjectKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.programs, key)
}

// compile makes of the specs what is served. A Dedicated endpoint is told the teams that an answer may name; this process has
// these for the whole namespace (see roster), so that of an Embedded program only the team that asks is compiled.
func (r *Reconciler) compile(ctx context.Context, s *scope, policies []v1alpha1.AccountabilityPolicy) error {
	p := s.program
	teams, version := named(s.teams, p.Spec.OwnerRef), ""
	if p.Spec.Endpoint.Mode == v1alpha1.EndpointDedicated || env.ServedBy(p) == v1alpha1.EndpointDedicated {
		all := &v1alpha1.TeamList{}
		if err := r.Client.List(ctx, all, client.InNamespace(p.Namespace), client.UnsafeDisableDeepCopy); err != nil {
			return fmt.Errorf("list teams: %w", err)
		}
		teams, version = withoutDeleted(all.Items), "Dedicated"
	}
	key := client.ObjectKeyFromObject(p)
	of := fingerprint(s, policies, teams, version)
	made := r.compiler.last(key)
	if made.of != of {
		made = compiled{of: of, problems: survey.CheckProgram(p)}
		if len(made.problems) == 0 {
			promises := survey.WithFollowUps(policy.FollowUps(policies, p, s.touchpoints))
			made.survey, made.problems = survey.Compile(p, s.touchpoints, teams, promises)
		}
		r.compiler.keep(key, made)
	}
	s.compiled, s.specProblems = made.survey, made.problems
	return nil
}

func compareNames(a, b client.Object) int { return strings.Compare(a.GetName(), b.GetName()) }

// named returns the team of a reference, none where there is none.
func named(teams team.Lookup, ref *v1alpha1.NameRef) []v1alpha1.Team {
	if ref == nil {
		return nil
	}
	if t, ok := teams(ref.Name); ok {
		return []v1alpha1.Team{*t}
	}
	return nil
}

// fingerprint is the same for specs that compile to the same.
func fingerprint(s *scope, policies []v1alpha1.AccountabilityPolicy, teams []v1alpha1.Team, version string) [sha256.Size]byte {
	f := fingers{sha256.New()}
	f.text(version)
	f.object(s.program)
	slices.SortFunc(s.touchpoints, func(a, b v1alpha1.Touchpoint) int { return compareNames(&a, &b) })
	f.number(int64(len(s.touchpoints)))
	for i := range s.touchpoints {
		f.object(&s.touchpoints[i])
	}
	slices.SortFunc(policies, func(a, b v1alpha1.AccountabilityPolicy) int { return compareNames(&a, &b) })
	f.number(int64(len(policies)))
	for i := range policies {
		f.object(&policies[i])
	}
	slices.SortFunc(teams, func(a, b v1alpha1.Team) int { return compareNames(&a, &b) })
	f.number(int64(len(teams)))
	for i := range teams {
		f.text(teams[i].Name)
		f.text(teams[i].Spec.DisplayName)
	}
	return [sha256.Size]byte(f.Sum(nil))
}

// fingers hash what specs are told apart by.
type fingers struct{ hash.Hash }

func (f fingers) number(n int64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	_, _ = f.Write(b[:]) // it never fails
}

func (f fingers) text(s string) {
	f.number(int64(len(s)))
	_, _ = f.Write([]byte(s))
}

// object hashes what changes with an object's spec or labels, by which policies select it, or where it goes.
func (f fingers) object(o client.Object) {
	f.text(string(o.GetUID()))
	f.number(o.GetGeneration())
	f.text(o.GetName())
	labels := o.GetLabels()
	f.number(int64(len(labels)))
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		f.text(key)
		f.text(labels[key])
	}
	deleted := int64(0)
	if !o.GetDeletionTimestamp().IsZero() {
		deleted = 1
	}
	f.number(deleted)
}
