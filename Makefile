# Everything that is done with this repository. `make help` lists it.

GOTESTFLAGS ?=
BENCHFLAGS ?=
FUZZTIME ?= 20s
LAMBDAS := $(notdir $(wildcard lambdas/*))
GOARCH_LAMBDA ?= arm64
LAMBDAS_DIR ?= build/lambdas
# The version that is built, as Git's tags say. Without Git: STAMP=v1.2.3
STAMP ?= $(shell internal/version/stamp)
LDFLAGS = -X 'github.com/efferent/efferent/internal/version.stamp=$(STAMP)'

.DEFAULT_GOAL := help
.PHONY: help build test test-python test-dynamodb test-smtp test-mail docs-picture test-api e2e e2e-clients e2e-java e2e-localstack conformance conformance-localstack lint lint-template fuzz test-docs mutants bench bench-memory lambdas dist clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build the efferent command into build/
	go build -ldflags="$(LDFLAGS)" -o build/efferent ./cmd/efferent

test: lint ## Run all tests that need nothing but Go, and Node for those of the CDK
	# Most of the time of cmd/efferent's tests is spent waiting, so more than one a core may wait.
	go test -timeout 30m -parallel 12 $(GOTESTFLAGS) $$(go list ./... | grep -v /infra/)
	# Without the race detector: jsii's own runtime has a race at its end.
	JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=1 go test -timeout 30m $(filter-out -race,$(GOTESTFLAGS)) ./infra/...
	# A module of its own: nothing else links Compose's library.
	cd e2e/compose && go test $(GOTESTFLAGS) ./...

# What is tracked, and what is about to be.
FILES = git ls-files -z --cached --others --exclude-standard --deduplicate

lint: ## Check formatting, the length of lines, the size of files, go vet and staticcheck
	@unformatted=$$($(FILES) '*.go' | xargs -0 gofmt -l); \
	  test -z "$$unformatted" || { echo "not gofmt-ed: $$unformatted"; exit 1; }
	@long=$$($(FILES) '*.go' ':!*testdata/*' | LC_ALL=C.UTF-8 xargs -0 grep -snHE '^.{141,}' | cut -d: -f1,2); \
	  test -z "$$long" || { echo "lines of more than 140 characters:"; echo "$$long"; exit 1; }
	@large=$$($(FILES) | xargs -0 sh -c 'find "$$@" -maxdepth 0 -type f -size +1000000c' find); \
	  test -z "$$large" || { echo "files of more than 1 MB: $$large"; exit 1; }
	go vet -tags e2e,java,smtp,mail,localstack,dynamodb,checkers ./...
	go tool staticcheck -tags e2e,java,smtp,mail,localstack,dynamodb,checkers ./...

lint-template: build/checkers-venv ## Check the synthesised templates with cfn-lint and checkov (cdk-nag is a part of make test)
	JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=1 CHECKERS=$(CURDIR)/build/checkers-venv/bin \
	  go test $(GOTESTFLAGS) -tags checkers -run TestCheckers ./infra/cdk/efferent

AWS_CLI_V2 ?= /usr/bin/aws

test-python: build build/python-venv ## Test efferent dev with boto3, both AWS CLIs and Python's Standard Webhooks library
	@$(AWS_CLI_V2) --version | grep -q aws-cli/2 || { echo "AWS CLI v2 is not at $(AWS_CLI_V2): apt-get install awscli, or set AWS_CLI_V2"; exit 1; }
	EFFERENT=build/efferent AWS_CLI_V1=build/python-venv/bin/aws AWS_CLI_V2=$(AWS_CLI_V2) \
	  build/python-venv/bin/python -m unittest -v e2e/python/test_*.py

test-dynamodb: build/moto-venv build/ministack-venv ## Test the DynamoDB stores on moto's and MiniStack's DynamoDB, the S3 store on MiniStack's S3
	MOTO_SERVER=$(CURDIR)/build/moto-venv/bin/moto_server MINISTACK=$(CURDIR)/build/ministack-venv/bin/ministack \
	  go test -timeout 20m $(GOTESTFLAGS) -tags dynamodb ./internal/aws/dynamodb ./internal/aws/s3

test-smtp: build/smtp-venv ## Send emails to a real SMTP server (aiosmtpd) with TLS and passwords
	SMTP_PYTHON=$(CURDIR)/build/smtp-venv/bin/python go test $(GOTESTFLAGS) -tags smtp -timeout 20m ./e2e/smtp

test-mail: build ## Send emails to a real Postfix that greylists, and look at them in Dovecot; and bursts to providers with limits (as root; apt-get install postfix postgrey dovecot-imapd)
	EFFERENT=$(CURDIR)/build/efferent PYTHON=python3 go test $(GOTESTFLAGS) -tags mail -timeout 20m -v ./e2e/mail

docs-picture: build ## Make the picture of an HTML mail anew (as test-mail, and apt-get install chromium)
	EFFERENT=$(CURDIR)/build/efferent PYTHON=python3 PICTURE=$(CURDIR)/docs/images/email.png go test -count=1 -tags mail -run TestPicture -v ./e2e/mail

test-api: build/openapi-venv ## Have schemathesis try the HTTP API by its OpenAPI document, and lint that
	build/openapi-venv/bin/openapi-spec-validator schemas/openapi.json
	SCHEMATHESIS=$(CURDIR)/build/openapi-venv/bin/schemathesis go test -count=1 $(GOTESTFLAGS) -tags e2e -timeout 20m -v ./e2e/openapi

e2e: test-dynamodb test-smtp e2e-clients build/ministack-venv node_modules ## Deploy with the real CDK to MiniStack (or AWS_ENDPOINT_URL) and send real traffic
	$(MAKE) --no-print-directory dist DIST=build/e2e-dist DIST_PLATFORMS=
	MINISTACK=$(CURDIR)/build/ministack-venv/bin/ministack DIST=$(CURDIR)/build/e2e-dist AWS_CLI_V2=$(AWS_CLI_V2) \
	  go test $(GOTESTFLAGS) -tags e2e -timeout 40m -v ./e2e/deployed
	MINISTACK=$(CURDIR)/build/ministack-venv/bin/ministack go test $(GOTESTFLAGS) -tags e2e -run MiniStack -v ./cmd/efferent/worker

e2e-clients: build build/clients-venv e2e/clients/node/node_modules ## Run the tests of Celery, dramatiq-sqs, sqs-consumer and gocloud on efferent dev (or AWS_ENDPOINT_URL)
	EFFERENT=$(CURDIR)/build/efferent PYTHON=$(CURDIR)/build/clients-venv/bin/python \
	  go test $(GOTESTFLAGS) -tags e2e -timeout 20m -parallel 8 -v ./e2e/clients

e2e-java: build build/ministack-venv ## Run the tests of the Java SDK's JMS library, extended client and batch manager so (needs a JDK and Maven: apt-get install maven)
	EFFERENT=$(CURDIR)/build/efferent MINISTACK=$(CURDIR)/build/ministack-venv/bin/ministack \
	  go test $(GOTESTFLAGS) -tags java -timeout 20m -v -run Java ./e2e/clients ./e2e/docs

e2e-localstack: build/localstack-venv build/clients-venv e2e/clients/node/node_modules ## Run efferent worker on LocalStack's queues
	LOCALSTACK_PYTHON=$(CURDIR)/build/localstack-venv/bin/python PYTHON=$(CURDIR)/build/clients-venv/bin/python \
	  go test $(GOTESTFLAGS) -tags localstack -timeout 20m -run LocalStack -v ./cmd/efferent/worker ./e2e/docs
	LOCALSTACK_PYTHON=$(CURDIR)/build/localstack-venv/bin/python go test $(GOTESTFLAGS) -tags e2e -timeout 20m -run TestCommands/docs/worker.md -v ./e2e/docs

conformance: ## Check our SQS endpoint (or AWS_ENDPOINT_URL) against what AWS documents
	go test $(GOTESTFLAGS) -count=1 -timeout 20m ./e2e/conformance

conformance-localstack: build/localstack-venv ## Check LocalStack so, but for what it is known to fail
	LOCALSTACK_PYTHON=$(CURDIR)/build/localstack-venv/bin/python go test $(GOTESTFLAGS) -count=1 -timeout 20m -parallel 8 \
	  ./e2e/conformance -known-failures localstack-known-failures.txt

build/%-venv: e2e/%/requirements.txt
	python3 -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

node_modules: package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

e2e/clients/node/node_modules: e2e/clients/node/package-lock.json
	cd e2e/clients/node && npm ci --no-audit --no-fund
	@touch $@

fuzz: ## Fuzz whatever parses outside input, FUZZTIME (20s) each
	@grep -rlE '^func Fuzz' --include=*_test.go . | xargs -n1 dirname | sort -u | while read -r dir; do \
	  grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$dir/*_test.go | cut -c6- | while read -r name; do \
	    go test -run='^$$' -fuzz="^$$name\$$" -fuzztime=$(FUZZTIME) $$dir || exit 1; done || exit 1; done

test-docs: build/clients-venv build/ministack-venv e2e/clients/node/node_modules ## Run what README and docs/ show, as a reader would (needs AWS CLI v2, Python and Node)
	PYTHON=$(CURDIR)/build/clients-venv/bin/python MINISTACK=$(CURDIR)/build/ministack-venv/bin/ministack \
	  go test $(GOTESTFLAGS) -tags e2e -timeout 20m -v ./e2e/docs

mutants: ## Break the code on purpose, in one place at a time: a test must fail. MUTANTS=regexp picks some
	go run ./e2e/mutants -run "$(MUTANTS)"

bench: build build/goaws build/localstack-venv ## Measure: webhooks and notifications beside bare loops, queues beside GoAWS and LocalStack, what endpoints that hang cost the others, the Lambda's start, dead letters, the ledger, what it costs
	go build -o build/bench ./bench
	build/bench $(BENCHFLAGS)
	build/bench queues -goaws build/goaws -localstack build/localstack-venv/bin/python
	build/bench isolation
	build/bench starts
	build/bench deadletters
	build/bench notifications
	build/bench ledger
	build/bench cost

bench-memory: build ## Measure what a million queued messages take of efferent dev: memory, a start, the file (some minutes)
	go build -o build/bench ./bench
	build/bench memory

build/goaws: bench/goaws/main.go bench/goaws/go.mod
	cd bench/goaws && go build -o $(CURDIR)/build/goaws .

lambdas: ## Build the Lambda functions into build/lambdas/<name>/bootstrap
	@for name in $(LAMBDAS); do \
	  echo "$(LAMBDAS_DIR)/$$name/bootstrap ($(GOARCH_LAMBDA))"; \
	  CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH_LAMBDA) go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags="-s -w $(LDFLAGS)" \
	    -o $(LAMBDAS_DIR)/$$name/bootstrap ./lambdas/$$name || exit 1; done
	@echo $(firstword $(STAMP)) >$(LAMBDAS_DIR)/version

# The systems that the command is published for. DIST_PLATFORMS= for none.
DIST_PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64
DIST ?= build/dist
DIST_PROGRAMS ?= build/dist-programs

dist: ## Make what is published of a version into build/dist: functions, the command, the template for all, checksums
	rm -rf $(DIST_PROGRAMS)
	@for arch in arm64 amd64; do $(MAKE) --no-print-directory lambdas GOARCH_LAMBDA=$$arch LAMBDAS_DIR=$(DIST_PROGRAMS)/functions/$$arch; done
	@for platform in $(DIST_PLATFORMS); do \
	  os=$${platform%/*} arch=$${platform#*/}; test $$os = windows && exe=.exe || exe=; \
	  echo "$(DIST_PROGRAMS)/commands/$${os}_$$arch/efferent$$exe"; \
	  CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -trimpath -buildvcs=false -ldflags="-s -w $(LDFLAGS)" \
	    -o $(DIST_PROGRAMS)/commands/$${os}_$$arch/efferent$$exe ./cmd/efferent || exit 1; done
	JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=1 go run ./infra/dist -stamp "$(STAMP)" -built $(DIST_PROGRAMS) -out $(DIST)

clean: ## Remove what was built
	rm -rf build
