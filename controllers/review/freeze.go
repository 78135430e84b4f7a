package review

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/operations"
	"github.com/cx-operator/cx-operator/internal/review"
	"github.com/cx-operator/cx-operator/internal/themes"
)

const (
	// settling is how long after the end of its period the figures of a review are frozen: answers that were on their way then
	// are stored by then, and their counts are read.
	settling = 5 * time.Minute
	// lookAgain is how soon it is looked again for counts or comments that could not be read.
	lookAgain = 30 * time.Second
	// patience is how long figures wait for verdicts and comments that do not come. Without them they are still figures.
	patience = time.Hour
)

// freezing is how far the figures of a review are.
type freezing struct {
	status          metav1.ConditionStatus
	reason, message string
	// wait or next say when to look again; zero for never.
	wait time.Duration
	next time.Time
}

func notYet(reason, message string) freezing {
	return freezing{status: metav1.ConditionUnknown, reason: reason, message: message}
}

// freeze writes the figures of the period into the status, once they are complete. What was frozen it verifies.
func (r *Reconciler) freeze(ctx context.Context, s *scope, v *v1alpha1.Review, now time.Time) (freezing, error) {
	if v.Status.Figures != nil {
		return verified(v), nil
	}
	if s.location == nil {
		return notYet(v1alpha1.ReasonProgramNotFound, "without the program and its time zone there are no figures"), nil
	}
	from, to, err := review.Bounds(v.Spec.Period, s.location)
	if err != nil {
		return notYet(v1alpha1.ReasonInvalidSpec, "spec.period is no period of a review"), nil
	}
	complete := to.Add(settling)
	if now.Before(complete) {
		f := notYet(v1alpha1.ReasonPeriodOpen, "figures are frozen a little after the end of the period")
		f.next = complete
		return f, nil
	}
	if at, ok := r.Book.ReadAt(r.CountsOf(s.program)); !ok || at.Before(complete) {
		f := notYet(v1alpha1.ReasonCountsIncomplete, "the counts were not read past the end of the period yet")
		f.wait = lookAgain
		return f, nil
	}
	in, err := r.gather(ctx, s, v, from, to, now)
	if err != nil {
		return freezing{}, err
	}
	if slices.ContainsFunc(in.Objectives, func(o review.Objective) bool { return o.State == "" }) && now.Sub(r.readableSince(to)) < patience {
		f := notYet(v1alpha1.ReasonCountsIncomplete, "not every objective has a verdict yet")
		f.wait = lookAgain
		return f, nil
	}
	var ok bool
	if in.Themes, in.ThemesUnavailable, ok = r.themes(ctx, s, in.Period, from, to, now); !ok {
		f := notYet(v1alpha1.ReasonCommentsAwaited, "the comments of the period cannot be read yet: "+in.ThemesUnavailable)
		f.wait = lookAgain
		return f, nil
	}
	figures, err := review.Freeze(in)
	if figures == nil {
		return freezing{}, fmt.Errorf("freeze figures: %w", err)
	}
	if err != nil {
		ctrl.LoggerFrom(ctx).Info("Some objectives have no figures in this review", "problem", err.Error())
	}
	if v.Status.Digest, err = review.Digest(figures); err != nil {
		return freezing{}, err
	}
	v.Status.Figures = figures
	return verified(v), nil
}

func verified(v *v1alpha1.Review) freezing {
	if !review.Verify(v.Status.Figures, v.Status.Digest) {
		return freezing{
			status: metav1.ConditionFalse, reason: v1alpha1.ReasonDigestMismatch, message: "status.figures are not those that status.digest was made of",
		}
	}
	return freezing{status: metav1.ConditionTrue, reason: v1alpha1.ReasonFrozen, message: "status.figures are those of status.digest"}
}

// themes asks for the themes of the period's comments. While they cannot be read it returns why, and ok only once that has lasted
// for too long.
func (r *Reconciler) themes(ctx context.Context, s *scope, p v1alpha1.Period, from, to, now time.Time) (found []v1alpha1.Theme, why string, ok bool) {
	previous, err := review.Previous(p)
	if err != nil {
		return nil, err.Error(), true
	}
	before, _, err := review.Bounds(previous, s.location)
	if err != nil {
		return nil, err.Error(), true
	}
	read, err := r.Themes(ctx, s.program, themes.Window{Before: before, From: from, To: to})
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "The comments of a review's period could not be read")
		return nil, whyNot(err), now.Sub(r.readableSince(to)) >= patience
	}
	for _, t := range themes.Without(read, r.people(ctx, s.program.Namespace)) {
		theme := v1alpha1.Theme{Words: t.Words, Question: t.Question, Comments: t.Comments}
		if t.Before >= themes.Least {
			theme.PreviousComments = &t.Before
		}
		found = append(found, theme)
	}
	return found, "", true
}

// readableSince is since when all that belongs to a period that ended could have been read.
func (r *Reconciler) readableSince(to time.Time) time.Time {
	since := to.Add(settling)
	if acting := r.ActingSince(); acting.After(since) {
		return acting
	}
	return since
}

// whyNot words an error for the status: in few words that stay the same while the cause does, and without anything secret.
func whyNot(err error) string {
	var problem *operations.Problem
	switch {
	case errors.Is(err, themes.ErrUnavailable):
		return err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "reading them takes too long"
	case errors.As(err, &problem) && len(problem.Error()) <= 200:
		return problem.Error()
	}
	return "the operator's log says why"
}

// people are the names of persons that are known from teams: nobody is to find them among the themes.
func (r *Reconciler) people(ctx context.Context, namespace string) []string {
	var names []string
	for _, request := range r.Requests(ctx, &v1alpha1.TeamList{}, namespace) {
		t, ok := r.Teams(ctx, namespace)(request.Name)
		if ok && t.Spec.Level == v1alpha1.TeamPerson {
			names = append(names, t.Name, t.Spec.DisplayName)
			if t.Spec.Lead != nil {
				names = append(names, t.Spec.Lead.DisplayName)
			}
		}
	}
	return names
}
