package notifier

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/notify"
	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	// pollCases is how often a program with cases is asked for their notices, besides whenever its figures change.
	pollCases = time.Minute
	// maxCases is how many notices of one state are read of a program at once; the others come when these are settled.
	maxCases = 500
)

// poll is when notices of cases are to be read again; zero where no program has cases.
func (p *pass) poll(now time.Time) time.Time {
	for _, program := range p.programs {
		if p.hasCases(program) {
			return now.Add(pollCases)
		}
	}
	return time.Time{}
}

// hasCases says whether a case of the program was ever counted.
func (p *pass) hasCases(program *v1alpha1.SurveyProgram) bool {
	if program.Status.Cases != nil {
		return true
	}
	for _, t := range p.touchpoints {
		if t.Spec.ProgramRef.Name == program.Name && t.Status.Cases != nil {
			return true
		}
	}
	return false
}

// readCases makes holders of the notices of cases that wait or died. A store that cannot be read now is read at the next poll.
func (p *pass) readCases(ctx context.Context, now time.Time) {
	for _, program := range p.programs {
		if !program.DeletionTimestamp.IsZero() || !p.hasCases(program) {
			continue
		}
		if err := p.readProgram(ctx, program, now); err != nil {
			log.FromContext(ctx).Error(err, "Read the notices of cases", "program", program.Name)
		}
	}
}

func (p *pass) readProgram(ctx context.Context, program *v1alpha1.SurveyProgram, now time.Time) error {
	d, err := p.desk(program)
	if err != nil {
		return err
	}
	for _, state := range []v1alpha1.DeliveryState{v1alpha1.DeliveryPending, v1alpha1.DeliveryDead} {
		notices, err := d.Notices(ctx, env.KeyOf(program), string(state), 0, maxCases, now)
		if err != nil {
			return fmt.Errorf("read notices: %w", err)
		}
		for _, c := range notices {
			if err := p.holdCase(d, program, c); err != nil {
				log.FromContext(ctx).Error(err, "Leave out a notice of a case", "program", program.Name)
			}
		}
	}
	return nil
}

// holdCase makes a holder of one notice of a case.
func (p *pass) holdCase(d desk.Desk, program *v1alpha1.SurveyProgram, c store.CaseNotice) error {
	n, err := notify.FromCase(program.UID, c)
	if err != nil {
		return err
	}
	h := &holder{
		id: "Case/" + c.CaseID + "/" + c.Transition, thread: "Case/" + c.CaseID,
		kind: "SurveyProgram", name: program.Name, regarding: program,
		outbox: []v1alpha1.Notice{n}, before: []v1alpha1.Notice{*n.DeepCopy()},
	}
	about := notify.About{Namespace: p.namespace, Kind: h.kind, Name: h.name, Program: program.Name, Case: c.CaseID}
	h.owners = func(n *v1alpha1.Notice) []string { return p.owners(program, n) }
	if t := p.touchpoints[c.Touchpoint]; t != nil {
		h.kind, h.name = "Touchpoint", t.Name
		about.Kind, about.Name, about.Touchpoint = h.kind, h.name, t.Name
		h.owners = func(n *v1alpha1.Notice) []string { return p.owners(t, n) }
	}
	p.show(&about)
	h.about = func(*v1alpha1.Notice) notify.About { return about }
	h.write = func(ctx context.Context) error {
		record, err := notify.Record(&h.outbox[0])
		if err != nil {
			return err
		}
		err = d.SettleNotice(ctx, env.KeyOf(program), c.Seq, string(notify.StateOf(&h.outbox[0])), record, p.Clock())
		if err != nil {
			return fmt.Errorf("settle notice: %w", err)
		}
		return nil
	}
	p.holders = append(p.holders, h)
	return nil
}
