package survey

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

const (
	// answersVariable is what a condition calls the answers.
	answersVariable = "answers"
	// maxConditionCost bounds what a condition costs to evaluate, in CEL's units of about one simple step. The dearest
	// that people write, several matches() on a long text, is some thousands.
	maxConditionCost = 100_000
	// maxConditionSize is the longest condition that is compiled, in bytes: 500 characters, as the API allows.
	maxConditionSize = 4 * 500
	// firstNewID is above the ids of all nodes of a parsed condition, of which none is that long.
	firstNewID = 1 << 32
)

// Condition says whether a question is asked: a CEL expression over the answers to earlier questions. It is written as its
// text, and may be shared between goroutines.
type Condition struct {
	text    string
	refers  []string
	program cel.Program
}

// ParseCondition compiles a condition. It checks all that needs no questions: the syntax, and that answers are only used
// in a way that names a question. CheckProgram checks the rest.
func ParseCondition(text string) (*Condition, error) {
	env, err := untyped()
	if err != nil {
		return nil, fmt.Errorf("preparing CEL: %w", err)
	}
	parsed, refers, err := parseCondition(env, text)
	if err != nil {
		return nil, err
	}
	program, err := env.Program(parsed, cel.CostLimit(2*maxConditionCost))
	if err != nil {
		return nil, fmt.Errorf("cannot be compiled: %s", oneLine(err))
	}
	return &Condition{text: text, refers: refers, program: program}, nil
}

// Refers returns the names of the questions that the condition depends on, each once, in alphabetical order.
func (c *Condition) Refers() []string { return c.refers }

// String returns the expression.
func (c *Condition) String() string { return c.text }

// MarshalText returns the expression.
func (c *Condition) MarshalText() ([]byte, error) { return []byte(c.text), nil }

// UnmarshalText compiles an expression.
func (c *Condition) UnmarshalText(text []byte) error {
	parsed, err := ParseCondition(string(text))
	if err != nil {
		return fmt.Errorf("showWhen: %w", err)
	}
	*c = *parsed
	return nil
}

// Equal says whether both are the same expression.
func (c *Condition) Equal(other *Condition) bool {
	if c == nil || other == nil {
		return c == other
	}
	return c.text == other.text
}

// Holds says whether the condition is true for the answers: int64, string or []string by question. What cannot be told,
// because an answer is absent, is not true.
func (c *Condition) Holds(answers map[string]any) bool {
	variables := make(map[string]any, len(answers)+1)
	for name, value := range answers {
		variables[variableOf(name)] = value
	}
	variables[answersVariable] = answers
	value, _, err := c.program.Eval(variables)
	return err == nil && value == types.True
}

// variableOf is the variable that stands for the answer to a question. Names have no dot, so that none is made twice.
func variableOf(question string) string { return answersVariable + "." + question }

// untyped is the environment without questions, for evaluation: what CheckProgram took has the right types.
var untyped = sync.OnceValues(func() (*cel.Env, error) { return cel.NewEnv(environment()...) })

// environment has CEL's standard library and macros, none of which knows the clock or the world.
func environment() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Variable(answersVariable, cel.MapType(cel.StringType, cel.DynType)),
		cel.ParserExpressionSizeLimit(maxConditionSize),
		cel.ParserRecursionLimit(50),
	}
}

// parseCondition parses an expression and puts a variable of its own in the place of each answer, so that each has its type
// however its name is written: answers.x and answers['x'] become the variable "answers.x", has(answers.x) becomes
// 'x' in answers.
func parseCondition(env *cel.Env, text string) (*cel.Ast, []string, error) {
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		return nil, nil, fmt.Errorf("is no CEL expression: %s", firstIssue(issues))
	}
	r := rewriter{factory: ast.NewExprFactory()}
	root := parsed.NativeRep().Expr()
	ast.PostOrderVisit(root, ast.NewExprVisitor(r.visit))
	ast.PostOrderVisit(root, ast.NewExprVisitor(r.verify))
	if r.err == nil && r.seen > r.tested {
		r.err = errNamesNoQuestion
	}
	if r.err != nil {
		return nil, nil, r.err
	}
	slices.Sort(r.refers)
	return parsed, slices.Compact(r.refers), nil
}

var errNamesNoQuestion = errors.New("answers must name a question: write answers.NAME, answers['NAME'], has(answers.NAME) or 'NAME' in answers")

// rewriter works over one expression.
type rewriter struct {
	factory ast.ExprFactory
	refers  []string
	tested  int // idents "answers" that stand where they may
	seen    int // all idents "answers"
	err     error
}

// visit puts variables in the places of answers.
func (r *rewriter) visit(e ast.Expr) {
	switch e.Kind() {
	case ast.SelectKind:
		sel := e.AsSelect()
		if !isAnswers(sel.Operand()) {
			return
		}
		r.refers = append(r.refers, sel.FieldName())
		if !sel.IsTestOnly() {
			e.SetKindCase(r.factory.NewIdent(e.ID(), variableOf(sel.FieldName())))
			return
		}
		key := r.factory.NewLiteral(firstNewID+e.ID(), types.String(sel.FieldName()))
		e.SetKindCase(r.factory.NewCall(e.ID(), operators.In, key, sel.Operand()))
	case ast.CallKind:
		call := e.AsCall()
		if call.FunctionName() != operators.Index || len(call.Args()) != 2 || !isAnswers(call.Args()[0]) {
			return
		}
		if name, ok := literal(call.Args()[1]); ok {
			r.refers = append(r.refers, name)
			e.SetKindCase(r.factory.NewIdent(e.ID(), variableOf(name)))
		}
	}
}

// verify finds uses of answers that name no question.
func (r *rewriter) verify(e ast.Expr) {
	switch e.Kind() {
	case ast.IdentKind:
		if isAnswers(e) {
			r.seen++
		}
	case ast.CallKind:
		call := e.AsCall()
		if call.FunctionName() != operators.In || len(call.Args()) != 2 || !isAnswers(call.Args()[1]) {
			break
		}
		if name, ok := literal(call.Args()[0]); ok {
			r.tested++
			r.refers = append(r.refers, name)
		}
	case ast.ComprehensionKind:
		if c := e.AsComprehension(); c.IterVar() == answersVariable || c.IterVar2() == answersVariable {
			r.err = fmt.Errorf("a macro's variable must not be named %s", answersVariable)
		}
	}
}

func isAnswers(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == answersVariable }

// literal returns the string that an expression is written as.
func literal(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

// firstIssue words what CEL found first, without the source that it repeats.
func firstIssue(issues *cel.Issues) string {
	found := issues.Errors()
	if len(found) == 0 {
		return oneLine(issues.Err())
	}
	return fmt.Sprintf("%s (at character %d)", oneLine(errors.New(found[0].Message)), found[0].Location.Column()+1)
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
