package render

import (
	"bytes"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"regexp"
	"strconv"
	"strings"
	texttemplate "text/template"
	"text/template/parse"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/template"
)

// engine is a part that can be rendered once.
type engine interface {
	Execute(w io.Writer, data any) error
}

// noMissing has a member that an object has not be an error.
const noMissing = "missingkey=error"

// compile makes an engine of a part's source. It is made anew for each rendering: that
// has a budget of its own, and it takes little beside sending what is rendered.
func compile(part template.Part, source string, b *budget) (engine, error) {
	tree, err := parsed(part, source)
	if err != nil {
		return nil, err
	}
	if part == template.HTML {
		t, err := htmltemplate.New(string(part)).Option(noMissing).Funcs(functions(b)).AddParseTree(string(part), tree)
		return t, err
	}
	may := functions(b)
	if part == template.Blocks {
		may[quoteName], may[valueName] = marked(b.quote), marked(b.value)
	}
	t, err := texttemplate.New(string(part)).Option(noMissing).Funcs(may).AddParseTree(string(part), tree)
	return t, err
}

// parsed is a source as a tree, in shape.
func parsed(part template.Part, source string) (*parse.Tree, error) {
	trees, err := parse.Parse(string(part), source, "", "", authors)
	if err != nil {
		return nil, parseFault(part, err)
	}
	tree := trees[string(part)]
	fault := func(node parse.Node, format string, args ...any) error {
		line := 1 + strings.Count(source[:node.Position()], "\n")
		return &Fault{part, line, message.Shorten(fmt.Sprintf(format, args...), maxProblem)}
	}
	s := &shape{json: isJSON(part), fault: fault}
	if err := s.list(tree.Root, 0); err != nil {
		return nil, err
	}
	switch {
	case len(trees) > 1:
		return nil, fault(tree.Root, noOthers)
	case bool(s.place):
		return nil, fault(tree.Root, "ends inside a JSON string")
	}
	return tree, nil
}

// check looks at a part without data: html/template finds out where it can't tell what
// HTML it is in when it begins to render only.
func check(part template.Part, source string) error {
	e, err := compile(part, source, newBudget())
	if err != nil || part != template.HTML {
		return err
	}
	var bad *htmltemplate.Error
	if err := e.Execute(&output{left: 0}, map[string]any{}); errors.As(err, &bad) {
		return faultOf(part, err)
	}
	return nil
}

const (
	maxProblem = 300 // bytes
	noOthers   = "{{template}}, {{define}} and {{block}} can't be used: a part is one template"
)

var (
	// What text/template/parse says of a line: "template: body:3: unexpected …".
	ofParsing = regexp.MustCompile(`(?s)^template: [a-z]+:(\d+):(?:\d+:)? (.*)$`)
	// And text/template when it runs: "template: body:3:5: executing "body" at <.a.b>: …".
	ofRunning = regexp.MustCompile(`(?s)^template: [a-z]+:(\d+):\d+: executing "[a-z]+" at <(.*)>: (.*)$`)
	noField   = regexp.MustCompile(`^map has no entry for key "(.*)"$`)
	ofNull    = regexp.MustCompile(`^(?:nil data; no entry for key "(.*)"|nil pointer evaluating .*\.([^.]*))$`)
	ofOther   = regexp.MustCompile(`^can't evaluate field (\S+) in type .*$`)
)

func parseFault(part template.Part, err error) error {
	if m := ofParsing.FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[1])
		return &Fault{part, line, message.Shorten(m[2], maxProblem)}
	}
	return &Fault{Part: part, Problem: message.Shorten(err.Error(), maxProblem)}
}

// faultOf says what is wrong where a part can't be rendered, without any of the data.
func faultOf(part template.Part, err error) error {
	var bad *htmltemplate.Error
	if errors.As(err, &bad) {
		line := bad.Line
		if m := regexp.MustCompile(`^html/template:[a-z]+:(\d+):`).FindStringSubmatch(bad.Error()); m != nil {
			line, _ = strconv.Atoi(m[1])
		}
		return &Fault{part, line, message.Shorten("can't be made safe: "+bad.Description, maxProblem)}
	}
	m := ofRunning.FindStringSubmatch(err.Error())
	var told valueError
	switch {
	case errors.Is(err, errSteps):
		return &Fault{Part: part, Problem: errSteps.Error()}
	case errors.Is(err, errOutput):
		return &Fault{Part: part, Problem: errOutput.Error()}
	case m == nil:
		return &Fault{Part: part, Problem: "can't be rendered"}
	case errors.As(err, &told):
		m[3] = string(told)
		if !strings.HasPrefix(m[2], "_") { // ours name the expression themselves
			m[3] = message.Shorten(m[2], maxNamed) + ": " + m[3]
		}
	default:
		m[3] = inWords(m[2], m[3])
	}
	line, _ := strconv.Atoi(m[1])
	return &Fault{part, line, message.Shorten(m[3], maxProblem)}
}

// inWords is what text/template says of an expression, without Go's types and any
// value.
func inWords(expression, problem string) string {
	expression = message.Shorten(expression, maxNamed)
	switch {
	case noField.MatchString(problem):
		return missing(expression, noField.FindStringSubmatch(problem)[1])
	case ofNull.MatchString(problem):
		m := ofNull.FindStringSubmatch(problem)
		return fmt.Sprintf("%s: what should have %q is null", expression, m[1]+m[2])
	case ofOther.MatchString(problem):
		return fmt.Sprintf("%s: what should have %q is no object", expression, ofOther.FindStringSubmatch(problem)[1])
	case strings.HasPrefix(problem, "range can't iterate over"):
		return expression + ": is no array or object, and can't be gone through"
	case strings.HasPrefix(problem, "wrong number of args"):
		return expression + ": " + problem
	case strings.HasPrefix(problem, "error calling"), strings.HasPrefix(problem, "wrong type"), strings.HasPrefix(problem, "invalid value"):
		return expression + ": a function is given what it does not take"
	}
	return expression + ": can't be rendered"
}

func missing(expression, key string) string {
	if expression == "."+key {
		return "the field " + expression + " is missing in the data"
	}
	return fmt.Sprintf("the field %q of %s is missing in the data", key, expression)
}

// execute renders, and takes what the engine does not expect for a fault.
func execute(part template.Part, e engine, data any) (text string, err error) {
	defer func() {
		if recover() != nil {
			err = &Fault{Part: part, Problem: "can't be rendered"}
		}
	}()
	out := &output{left: mostOutput}
	if err := e.Execute(out, data); err != nil {
		return "", faultOf(part, err)
	}
	return string(bytes.ToValidUTF8([]byte(out.String()), []byte("\uFFFD"))), nil
}
