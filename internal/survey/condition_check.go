package survey

import (
	"fmt"
	"slices"

	"github.com/google/cel-go/cel"
	celchecker "github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
)

// checkConditions returns what is wrong with the conditions of a survey's questions.
func checkConditions(questions []v1alpha1.Question) []Problem {
	var problems []Problem
	for i, q := range questions {
		if q.ShowWhen == "" {
			continue
		}
		if err := checkCondition(q.ShowWhen, questions, i); err != nil {
			problems = append(problems, Problem{v1alpha1.ReasonInvalidSpec, fmt.Sprintf("spec.survey.questions[%d].showWhen", i), err.Error()})
		}
	}
	return problems
}

// checkCondition checks the condition of the question at an index: it may use the answers before it, each as its type.
func checkCondition(text string, questions []v1alpha1.Question, index int) error {
	if len(text) > maxConditionSize {
		return fmt.Errorf("must have at most %d bytes", maxConditionSize)
	}
	env, err := typed(questions[:index])
	if err != nil {
		return fmt.Errorf("preparing CEL: %w", err)
	}
	parsed, refers, err := parseCondition(env, text)
	if err != nil {
		return err
	}
	if err := checkRefers(refers, questions, index); err != nil {
		return err
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return fmt.Errorf("does not fit the questions: %s", firstIssue(issues))
	}
	if !checked.OutputType().IsExactType(cel.BoolType) {
		return fmt.Errorf("must be true or false, not %s", cel.FormatCELType(checked.OutputType()))
	}
	if err := checkChoices(checked.NativeRep().Expr(), questions[:index]); err != nil {
		return err
	}
	cost, err := env.EstimateCost(checked, sizes{questions})
	if err != nil {
		return fmt.Errorf("its cost cannot be told: %s", oneLine(err))
	}
	if cost.Max > maxConditionCost {
		return fmt.Errorf("may cost %d, allowed is %d: use fewer nested macros and matches", cost.Max, maxConditionCost)
	}
	return nil
}

// checkRefers refuses questions that are not there, or not yet asked where the condition is judged.
func checkRefers(refers []string, questions []v1alpha1.Question, index int) error {
	var earlier []string
	for _, q := range questions[:index] {
		earlier = append(earlier, q.Name)
	}
	for _, name := range refers {
		if slices.Contains(earlier, name) {
			continue
		}
		allowed := "there is none: the first question is always asked"
		if len(earlier) > 0 {
			allowed = "allowed are " + list(earlier)
		}
		if slices.ContainsFunc(questions, func(q v1alpha1.Question) bool { return q.Name == name }) {
			return fmt.Errorf("question %q is not asked before this one, %s", name, allowed)
		}
		return fmt.Errorf("there is no question %q, %s", name, allowed)
	}
	return nil
}

// typed is the environment in which each answer has its question's type.
func typed(questions []v1alpha1.Question) (*cel.Env, error) {
	options := environment()
	for _, q := range questions {
		options = append(options, cel.Variable(variableOf(q.Name), typeOf(q.Type)))
	}
	return cel.NewEnv(options...)
}

func typeOf(t v1alpha1.QuestionType) *cel.Type {
	switch t {
	case v1alpha1.QuestionText, v1alpha1.QuestionSingleChoice:
		return cel.StringType
	case v1alpha1.QuestionMultipleChoice:
		return cel.ListType(cel.StringType)
	default:
		return cel.IntType
	}
}

// checkChoices refuses the comparison of a choice with a name that no choice has: it would never be true.
func checkChoices(root ast.Expr, questions []v1alpha1.Question) error {
	var found error
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || len(e.AsCall().Args()) != 2 || found != nil {
			return
		}
		args := e.AsCall().Args()
		switch e.AsCall().FunctionName() {
		case operators.Equals, operators.NotEquals, operators.In:
			found = checkChoice(args[0], args[1], questions)
			if found == nil {
				found = checkChoice(args[1], args[0], questions)
			}
		}
	}))
	return found
}

// checkChoice checks a name, or a list of names, that is held against an answer.
func checkChoice(answer, names ast.Expr, questions []v1alpha1.Question) error {
	if answer.Kind() != ast.IdentKind {
		return nil
	}
	i := slices.IndexFunc(questions, func(q v1alpha1.Question) bool { return variableOf(q.Name) == answer.AsIdent() })
	if i < 0 || len(questions[i].Choices) == 0 {
		return nil
	}
	against := []ast.Expr{names}
	if names.Kind() == ast.ListKind {
		against = names.AsList().Elements()
	}
	var allowed []string
	for _, c := range questions[i].Choices {
		allowed = append(allowed, c.Name)
	}
	for _, e := range against {
		if name, ok := literal(e); ok && !slices.Contains(allowed, name) {
			return fmt.Errorf("question %q has no choice %q, allowed are %s", questions[i].Name, name, list(allowed))
		}
	}
	return nil
}

// sizes tells the cost estimate how long answers can be.
type sizes struct{ questions []v1alpha1.Question }

// EstimateSize returns the size of an answer: characters of a text or choice's name, choices of a list.
func (s sizes) EstimateSize(node celchecker.AstNode) *celchecker.SizeEstimate {
	path := node.Path()
	if len(path) == 0 {
		return nil
	}
	for _, q := range s.questions {
		if path[0] != variableOf(q.Name) {
			continue
		}
		switch {
		case q.Type == v1alpha1.QuestionText:
			return &celchecker.SizeEstimate{Max: uint64(or(q.MaxLength, defaultTextMaxLength))}
		case q.Type == v1alpha1.QuestionMultipleChoice && len(path) == 1:
			return &celchecker.SizeEstimate{Max: uint64(len(q.Choices))}
		}
	}
	return &celchecker.SizeEstimate{Max: maxNameLength}
}

// EstimateCallCost leaves calls to CEL's own estimate.
func (sizes) EstimateCallCost(string, string, *celchecker.AstNode, []celchecker.AstNode) *celchecker.CallEstimate {
	return nil
}
