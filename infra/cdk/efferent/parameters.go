package efferent

import (
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// parameter is one of the template's: what is chosen when it is deployed. What it
// may be CloudFormation checks, as New does for props. Its name is that of the
// context for the CDK, beginning with a capital.
type parameter struct {
	name, says string
	// otherwise is its default: a string, an int or, where there is none, nil.
	otherwise any
	// pattern is what a text must match, and must says that in words; oneOf is what
	// it must be one of, and least and most what a number must be between.
	pattern, must string
	oneOf         []string
	least, most   int
	// conditional is whether anything asks if it is another than by default.
	conditional bool
	// places are where it goes, and put does what is more than that.
	places []place
	put    func(*Efferent)
}

// group is parameters under a heading of the console's form.
type group struct {
	title      string
	parameters []parameter
}

// place is a property of what was made under an id, such as MemorySize of
// DeliverFunction. The value goes there as it is, or as a part of form, which has
// it as ${}.
type place struct{ id, property, form string }

// at are places that take a value as it is.
func at(property string, ids ...string) (all []place) {
	for _, id := range ids {
		all = append(all, place{id: id, property: property})
	}
	return all
}

// env are the variables of functions.
func env(variable, form string, functions ...string) (all []place) {
	for _, f := range functions {
		all = append(all, place{f + "Function", "Environment.Variables." + variable, form})
	}
	return all
}

// addParameters makes the parameters, and puts them where they go.
func addParameters(e *Efferent, stack awscdk.Stack) {
	mapping := map[string]*map[string]any{}
	for _, text := range concurrencies {
		n, _ := strconv.Atoi(text)
		mapping[text] = &map[string]any{"is": n}
	}
	awscdk.NewCfnMapping(stack, jsii.String(numbers), &awscdk.CfnMappingProps{Mapping: &mapping})
	form := []any{}
	for _, g := range groups() {
		names := []string{}
		for _, p := range g.parameters {
			p.add(stack)
			for _, place := range p.places {
				resource(e, place.id).AddPropertyOverride(jsii.String(place.property), p.value(place.form))
			}
			if p.put != nil {
				p.put(e)
			}
			names = append(names, p.name)
		}
		form = append(form, map[string]any{"Label": map[string]any{"default": g.title}, "Parameters": names})
	}
	stack.TemplateOptions().SetMetadata(&map[string]any{"AWS::CloudFormation::Interface": map[string]any{"ParameterGroups": form}})
}

// resource is what CloudFormation makes of the construct of that id.
func resource(e *Efferent, id string) awscdk.CfnResource {
	return e.Construct.Node().FindChild(jsii.String(id)).Node().DefaultChild().(awscdk.CfnResource)
}

// asNumber is the form of a place that takes a number only, of a parameter that is
// one of several texts.
const asNumber = "number"

// numbers is the map of the template that has the numbers.
const numbers = "Numbers"

// value is what stands for the parameter, in a form.
func (p parameter) value(form string) map[string]any {
	switch ref := map[string]any{"Ref": p.name}; form {
	case "":
		return ref
	case asNumber:
		return map[string]any{"Fn::FindInMap": []any{numbers, ref, "is"}}
	}
	return map[string]any{"Fn::Sub": strings.ReplaceAll(form, "${}", "${"+p.name+"}")}
}

// add makes the parameter.
func (p parameter) add(stack awscdk.Stack) {
	props := &awscdk.CfnParameterProps{Description: jsii.String(p.says), Default: p.otherwise}
	switch {
	case p.most != 0:
		props.Type, props.MinValue, props.MaxValue = jsii.String("Number"), jsii.Number(p.least), jsii.Number(p.most)
	case p.oneOf != nil:
		props.AllowedValues = jsii.Strings(p.oneOf...)
	default:
		props.AllowedPattern, props.ConstraintDescription = jsii.String(p.pattern), jsii.String("must be "+p.must)
	}
	awscdk.NewCfnParameter(stack, jsii.String(p.name), props)
	if p.conditional {
		awscdk.NewCfnCondition(stack, jsii.String(p.name+isGiven), &awscdk.CfnConditionProps{
			Expression: awscdk.Fn_ConditionNot(awscdk.Fn_ConditionEquals(ref(p.name), p.otherwise))})
	}
}

// when is the condition that a parameter is not what it is by default.
func when(e *Efferent, parameter string) awscdk.CfnCondition {
	return awscdk.Stack_Of(e.Construct).Node().FindChild(jsii.String(parameter + isGiven)).(awscdk.CfnCondition)
}
