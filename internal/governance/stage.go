package governance

import "github.com/cx-operator/cx-operator/api/v1alpha1"

// stage says how far a program has come, empty where that is not known.
func stage(s Situation) v1alpha1.LifecycleStage {
	switch {
	case !judged(s) && s.Answered == nil:
		return ""
	case !judged(s) && !*s.Answered:
		return v1alpha1.LifecycleDesign // a plan does not act on answers that there are none of
	case improved(s.Plans):
		return v1alpha1.LifecycleRealize
	case worked(s.Plans):
		return v1alpha1.LifecycleTransform
	case judged(s):
		return v1alpha1.LifecycleUnderstand
	}
	return v1alpha1.LifecycleListen
}

func improved(plans []v1alpha1.ActionPlan) bool {
	for i := range plans {
		if e := plans[i].Status.Effect; e != nil && e.Verdict == v1alpha1.EffectImproved {
			return true
		}
	}
	return false
}

// worked says whether a plan is in progress or completed.
func worked(plans []v1alpha1.ActionPlan) bool {
	for i := range plans {
		if state := plans[i].Spec.State; state == v1alpha1.WorkInProgress || state == v1alpha1.WorkComplete {
			return true
		}
	}
	return false
}

// judged says whether there is a verdict on an objective of the program or of a touchpoint.
func judged(s Situation) bool {
	if hasVerdict(s.Program.Status.Objectives, s.Program.Status.Breaches, s.MinimumResponses) {
		return true
	}
	for i := range s.Touchpoints {
		if status := &s.Touchpoints[i].Status; hasVerdict(status.Objectives, status.Breaches, s.MinimumResponses) {
			return true
		}
	}
	return false
}

// hasVerdict takes what is Stale for a verdict where it rests on enough answers, since it was one before.
func hasVerdict(objectives []v1alpha1.ObjectiveStatus, breaches []v1alpha1.Breach, least int64) bool {
	for _, o := range objectives {
		switch o.State {
		case v1alpha1.StateMet, v1alpha1.StateOnTrack, v1alpha1.StateAtRisk, v1alpha1.StateMissed:
			return true
		case v1alpha1.StateStale:
			if o.Lower != "" && o.ReleasedResponses >= least {
				return true
			}
		case v1alpha1.StateInsufficientData:
		}
	}
	for _, b := range breaches {
		if b.Type == v1alpha1.BreachObjectiveMissed {
			return true
		}
	}
	return false
}
