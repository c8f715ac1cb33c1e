package efferent

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// code is that of a function, and what it was built for.
func (p Props) code(scope constructs.Construct, name string, wanted awslambda.Architecture) (
	awslambda.Code, awslambda.Architecture, error,
) {
	if p.Code == nil {
		return builtFunction(p.Lambdas, name, wanted)
	}
	code, arch := p.Code(scope, name)
	return code, arch, nil
}

// builtVersion is what `make lambdas` says that it built, "" if it does not.
func builtVersion(lambdas string) string {
	b, err := os.ReadFile(filepath.Join(lambdas, "version"))
	if err != nil {
		return "" // built by somebody else
	}
	return strings.TrimSpace(string(b))
}

// builtFunction is the code of a built function and the architecture that it
// was built for, which must be wanted unless that is nil.
func builtFunction(lambdas, name string, wanted awslambda.Architecture) (awslambda.Code, awslambda.Architecture, error) {
	dir := filepath.Join(lambdas, name)
	machine, err := builtFor(filepath.Join(dir, "bootstrap"))
	if err != nil {
		return nil, nil, err
	}
	arch := awslambda.Architecture_ARM_64()
	if machine == elf.EM_X86_64 {
		arch = awslambda.Architecture_X86_64()
	}
	if wanted != nil && *wanted.Name() != *arch.Name() {
		return nil, nil, fmt.Errorf("%s is built for %s, and Architecture is %s: run make lambdas with GOARCH_LAMBDA=arm64 or amd64",
			dir, *arch.Name(), *wanted.Name())
	}
	return awslambda.Code_FromAsset(jsii.String(dir), nil), arch, nil
}

// builtFor reads what a Linux program runs on, of what Lambda offers.
func builtFor(path string) (elf.Machine, error) {
	f, err := elf.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("%s is not there: run make lambdas, or name the directory of the built functions", path)
	case err != nil:
		return 0, fmt.Errorf("%s is no Linux program: run make lambdas: %w", path, err)
	}
	defer f.Close()
	if f.Machine != elf.EM_AARCH64 && f.Machine != elf.EM_X86_64 {
		return 0, fmt.Errorf("%s is built for %s: Lambda runs arm64 and amd64", path, f.Machine)
	}
	return f.Machine, nil
}
