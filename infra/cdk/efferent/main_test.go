package efferent_test

import (
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

func TestMain(m *testing.M) {
	if _, err := exec.LookPath("node"); err != nil {
		fmt.Fprintln(os.Stderr, "these tests run the AWS CDK, which needs Node.js 20 or newer: install it, or put it on the PATH")
		os.Exit(1)
	}
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// There is one CDK behind all tests, and it does one thing at a time.
var cdk sync.Mutex

// call runs f in the CDK. What the CDK panics with, a failed assertion for
// one, fails the test.
func call(t *testing.T, f func()) {
	t.Helper()
	cdk.Lock()
	defer cdk.Unlock()
	defer func() {
		t.Helper()
		if found := recover(); found != nil {
			t.Fatal(found)
		}
	}()
	f()
}

// built is a directory of built functions: nothing but the beginning of an ELF
// file, which names the machine.
func built(t *testing.T, machine elf.Machine) string {
	t.Helper()
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT), Ehsize: 64,
	}
	program, err := binary.Append(nil, binary.LittleEndian, header)
	if err != nil {
		t.Fatal(err)
	}
	return builtOf(t, program)
}

func builtOf(t *testing.T, program []byte) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"deliver", "notify", "release", "replay", "audit", "checkpoint", "rotate", "fanout", "endpoints",
		"directory"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "bootstrap"), program, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// newApp is an app with the flags of cdk.json, by which what is deployed is made.
func newApp(t *testing.T) awscdk.App {
	t.Helper()
	context := deployed(t)
	return awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(t.TempDir()), Context: &context})
}

// deployed is the context of cdk.json.
func deployed(t *testing.T) object {
	t.Helper()
	var file struct{ Context object }
	b, err := os.ReadFile("../../../cdk.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	return file.Context
}

// synth makes a stack of props, of stand-ins for arm64 where props name none,
// and returns its template.
func synth(t *testing.T, props efferent.Props) template {
	t.Helper()
	if props.Lambdas == "" {
		props.Lambdas = built(t, elf.EM_AARCH64)
	}
	var made template
	call(t, func() {
		e, err := efferent.NewStack(newApp(t), "Efferent", props)
		if err != nil {
			t.Fatal(err)
		}
		made.assert = assertions.Template_FromStack(awscdk.Stack_Of(e.Construct), nil)
		made.json = *made.assert.ToJSON()
	})
	return made
}

// template is a synthesised one, for the CDK's assertions and for our own.
type template struct {
	assert assertions.Template
	json   map[string]any
}

type object = map[string]any

// of returns the properties of the resources of a type, by their short names.
func (m template) of(kind string) map[string]object {
	all := map[string]object{}
	for id, r := range m.json["Resources"].(object) {
		if r := r.(object); r["Type"] == kind {
			all[short(id)], _ = r["Properties"].(object)
		}
	}
	return all
}

// short is a logical id without the stack's part of it and without its hash.
func short(id string) string {
	return strings.TrimPrefix(id, "Efferent")[:len(strings.TrimPrefix(id, "Efferent"))-8]
}

// text puts a value with references into words: "WebhookQueue.Arn".
func text(value any) string {
	v, ok := value.(object)
	switch {
	case !ok:
		return fmt.Sprint(value)
	case v["Ref"] != nil:
		ref := v["Ref"].(string)
		if strings.HasPrefix(ref, "AWS::") {
			return ref
		}
		return short(ref)
	case v["Fn::GetAtt"] != nil:
		get := v["Fn::GetAtt"].([]any)
		return short(get[0].(string)) + "." + get[1].(string)
	case v["Fn::Join"] != nil:
		join := v["Fn::Join"].([]any)
		return strings.Join(texts(join[1]), join[0].(string))
	}
	return fmt.Sprint(value)
}

// texts is the text of a value, or of each of a list.
func texts(value any) (all []string) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, v := range list {
		all = append(all, text(v))
	}
	return all
}
