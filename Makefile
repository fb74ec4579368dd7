# Data directory and addresses of `make run`; number of simulated machines of `make bench`.
VAR       ?= ./var
HTTP_ADDR ?= 127.0.0.1:8080
GRPC_ADDR ?= 127.0.0.1:8443
FLEET     ?= 1500

# Tools, by version.
PROTOC_GEN_GO_VERSION      = v1.36.12
PROTOC_GEN_GO_GRPC_VERSION = v1.6.2
GOLANGCI_LINT_VERSION      = v2.13.2
NFPM_VERSION               = v2.45.2
CYCLONEDX_GOMOD_VERSION    = v1.10.0
GOVULNCHECK_VERSION        = v1.9.0

PROTOC_GEN_GO      = bin/tools/protoc-gen-go-$(PROTOC_GEN_GO_VERSION)
PROTOC_GEN_GO_GRPC = bin/tools/protoc-gen-go-grpc-$(PROTOC_GEN_GO_GRPC_VERSION)
NFPM               = bin/tools/nfpm-$(NFPM_VERSION)
CYCLONEDX_GOMOD    = bin/tools/cyclonedx-gomod-$(CYCLONEDX_GOMOD_VERSION)
GOVULNCHECK        = bin/tools/govulncheck-$(GOVULNCHECK_VERSION)
GOLANGCI_LINT     ?= bin/tools/golangci-lint-$(GOLANGCI_LINT_VERSION)

# git refuses a checkout that belongs to another user. These variables make it accept this one, also
# when the go command calls git for the version.
export GIT_CONFIG_COUNT   := 1
export GIT_CONFIG_KEY_0   := safe.directory
export GIT_CONFIG_VALUE_0 := $(CURDIR)

# Tests and programs use the same flags, so that packages are compiled only once. Without the tag
# grpcnotrace every program contains golang.org/x/net/trace, which is unused and has 0.8 MB.
export CGO_ENABLED ?= 0
export GOFLAGS := $(GOFLAGS) -trimpath -tags=grpcnotrace

GO_BUILD = go build -ldflags '-s -w'

AGENT_PLATFORMS = linux/amd64 linux/arm64 windows/amd64 windows/arm64 darwin/amd64 darwin/arm64

.DEFAULT_GOAL := help

.PHONY: help
help: ## show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: postgresql build ## start a collector, enroll this machine and print its inventory
	@exec bin/muster-collector demo --var '$(VAR)' --http-addr '$(HTTP_ADDR)' --grpc-addr '$(GRPC_ADDR)' --agent bin/muster-agent

.PHONY: test
test: postgresql ## run all tests, for instance with CGO_ENABLED=1 TESTFLAGS=-race
	go test -timeout 15m $(TESTFLAGS) ./...

# The packages in which several goroutines share data.
CONCURRENT = ./agent/link ./agent/state ./api ./collector/... ./internal/ingest ./internal/pki ./internal/postgres ./internal/store/db

.PHONY: race
race: export CGO_ENABLED = 1
race: postgresql ## run the tests of the concurrent packages with the race detector; needs a C compiler
	@if ! command -v "$$(go env CC)" >/dev/null; then echo "skipped: the race detector needs a C compiler ($$(go env CC))"; exit 0; fi; \
		set -x; go test -race -timeout 15m $(CONCURRENT)

.PHONY: bench
bench: postgresql build ## measure with FLEET machines; PARTS=collector,resolvers runs only these parts
	go run ./internal/bench --fleet $(FLEET) --agent bin/muster-agent $(if $(PARTS),--parts $(PARTS)) $(BENCHFLAGS)

# Each target runs alone with one worker, so that its speed does not depend on the others.
FUZZTIME ?= 5m

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME
	@grep -rn --include='*_test.go' -o '^func Fuzz[A-Za-z0-9_]*' . | sort | while IFS=: read -r file _ name; do \
		name=$${name#func }; echo "==> $$name in $$(dirname $$file)"; \
		go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -parallel 1 "./$$(dirname $$file)" || exit 1; \
	done

.PHONY: lint
lint: $(GOLANGCI_LINT) ## run the linters
	$(GOLANGCI_LINT) run ./...

# The result without the database of vulnerabilities is no failure: not every machine can reach it.
.PHONY: vulncheck
vulncheck: $(GOVULNCHECK) ## look for known vulnerabilities in the code that the programs call
	@output="$$($(GOVULNCHECK) ./... 2>&1)" && status=0 || status=$$?; printf '%s\n' "$$output"; \
	case "$$output" in *"fetching vulnerabilities"*) echo "skipped: the database of vulnerabilities cannot be reached"; exit 0;; esac; \
	exit $$status

.PHONY: generate
generate: generate-proto generate-openapi ## regenerate the generated code

.PHONY: generate-proto
generate-proto: $(PROTOC_GEN_GO) $(PROTOC_GEN_GO_GRPC)
	cd proto && protoc \
		--plugin=protoc-gen-go='$(CURDIR)/$(PROTOC_GEN_GO)' --go_out=. --go_opt=paths=source_relative \
		--plugin=protoc-gen-go-grpc='$(CURDIR)/$(PROTOC_GEN_GO_GRPC)' --go-grpc_out=. --go-grpc_opt=paths=source_relative \
		muster/inventory/v1/*.proto

# It needs generate-proto, because the collector is built from that output.
.PHONY: generate-openapi
generate-openapi: generate-proto
	$(GO_BUILD) -o bin/muster-collector ./collector
	bin/muster-collector openapi > bin/openapi.yaml
	mv bin/openapi.yaml api/openapi.yaml

GENERATED = 'proto/*.pb.go' api/openapi.yaml

.PHONY: verify
verify: generate ## check that generated files, formatting and go.mod are up to date
	git diff --exit-code -- $(GENERATED)
	@new="$$(git ls-files --others --exclude-standard -- $(GENERATED))"; test -z "$$new" || { echo "not committed: $$new"; exit 1; }
	go mod tidy -diff
	@bad="$$(gofmt -l .)"; test -z "$$bad" || { echo "not formatted: $$bad"; exit 1; }

.PHONY: build
build: ## build both programs into ./bin
	$(GO_BUILD) -o bin/muster-agent ./agent
	$(GO_BUILD) -o bin/muster-collector ./collector

.PHONY: build-all
build-all: build ## build both programs, and the agent for all its systems
	@set -e; for platform in $(AGENT_PLATFORMS); do \
		GOOS=$${platform%/*}; GOARCH=$${platform#*/}; export GOOS GOARCH; \
		[ $$GOOS = windows ] && suffix=.exe || suffix=; \
		echo "building for $$platform"; \
		$(GO_BUILD) -o bin/$$GOOS-$$GOARCH/muster-agent$$suffix ./agent; \
	done

# nfpm builds the packages for Linux.
.PHONY: package
package: build $(if $(filter-out msi pkg,$(or $(FORMATS),deb)),$(NFPM)) $(CYCLONEDX_GOMOD) ## build the packages into bin/packages; FORMATS=deb builds only these
	NFPM='$(NFPM)' SBOM='$(CYCLONEDX_GOMOD)' installers/package.sh

.PHONY: test-windows
test-windows: postgresql build ## test the MSI under Wine, which it installs from Debian, as root
	installers/test-windows.sh

.PHONY: test-linux
test-linux: ## test the deb packages in a booted Debian; needs root, and installs what it needs
	$(MAKE) package FORMATS=deb ARCHES="$$(go env GOARCH)"
	installers/test-linux.sh

.PHONY: clean
clean: ## remove the build output; the data under VAR stays
	rm -rf bin

.PHONY: postgresql
postgresql:
	@.ci/postgresql

# The file names of tools contain their versions, so that a new version is a new target.
bin/tools/protoc-gen-go-v%:
	GOBIN='$(CURDIR)/$(@D)' go install google.golang.org/protobuf/cmd/protoc-gen-go@v$* && mv $(@D)/protoc-gen-go $@

bin/tools/protoc-gen-go-grpc-v%:
	GOBIN='$(CURDIR)/$(@D)' go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v$* && mv $(@D)/protoc-gen-go-grpc $@

bin/tools/golangci-lint-v%:
	GOBIN='$(CURDIR)/$(@D)' go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$* && mv $(@D)/golangci-lint $@

bin/tools/nfpm-v%:
	GOBIN='$(CURDIR)/$(@D)' go install github.com/goreleaser/nfpm/v2/cmd/nfpm@v$* && mv $(@D)/nfpm $@

bin/tools/govulncheck-v%:
	GOBIN='$(CURDIR)/$(@D)' go install golang.org/x/vuln/cmd/govulncheck@v$* && mv $(@D)/govulncheck $@

bin/tools/cyclonedx-gomod-v%:
	GOBIN='$(CURDIR)/$(@D)' go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v$* && mv $(@D)/cyclonedx-gomod $@
