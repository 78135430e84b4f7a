# Everything a developer runs. 'make' alone lists the targets.
#
# Nothing but Go, make and git is needed to start: what else a target wants (a C compiler for the race detector, promtool,
# PostgreSQL, the Kubernetes control plane, linters) it installs or builds, once per machine, and says so.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# SQLite's code, translated from C, is not instrumented: the detector would watch its memory cells, seven times as slowly.
# The same goes for the C library below it.
RACEFLAGS := -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false
# Most tests that take long wait for an API server or a disk: so three packages run at a time on two cores.
PACKAGES := $(shell echo $$(( $$(nproc) * 3 / 2 )))
# How much each fuzz test does under 'make fuzz' and 'make test': inputs (3000x) or a time (5m).
FUZZTIME ?= 3000x
# More flags for go test: make test TESTFLAGS=-count=1
TESTFLAGS ?=
# ONCE=1 lets the demo end after its table.
ONCE ?=
# short or update, see 'make chaos'.
CHAOS ?=
# Flags of the benches, such as -run SQLite (see go run ./test/perf/intake -h), and how many runs 'make bench-calibrate' takes.
BENCHFLAGS ?=
RUNS ?= 5
# The image that 'make deploy' runs and 'make image' builds.
IMG ?= cx-operator:$(VERSION)
# What 'make image' builds for, and the folder it writes to.
PLATFORMS ?= linux/amd64,linux/arm64
DIST ?= dist
# Targets for a cluster of your own use your kubectl and its current context.
KUBECTL ?= kubectl

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
MODULE := github.com/cx-operator/cx-operator
LDFLAGS := -s -w -X $(MODULE)/internal/version.Version=$(VERSION)

# The version comes from git describe, above; Go's own stamp would fail in a checkout of another user's.
export GOFLAGS ?= -buildvcs=false

# Where pinned programs stand. Asking builds what is missing, so a recipe asks when it runs, in an assignment of its own,
# which ends the recipe where the build fails.
kube_assets = $$(go run ./hack/build kube)
tool = $$(go run ./hack/build tools $(1))/$(1)

# All benches with the flags $(1), one after the other.
define bench_all
mkdir -p bin; assets=$(kube_assets); export KUBEBUILDER_ASSETS=$$assets; \
	for bench in intake evaluate operator page; do go run ./test/perf/$$bench $(1); done
endef

say = @printf '\n==> %s\n' "$(1)"

##@ Start here

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z][a-z-]*:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Run the airport's program on a real API server until Ctrl-C. ONCE=1 ends after the table, CLUSTER=1 uses yours.
	@assets=$(if $(CLUSTER),,$(kube_assets)); \
	go build -o bin/demo ./hack/demo; \
	KUBEBUILDER_ASSETS=$$assets ONCE=$(ONCE) exec bin/demo

.PHONY: test
test: cc kube helm postgres prometheus browser vet test-go fuzz rules ## Run all tests, installing and building what they need. The one command to know.
	$(call say,All tests passed.)

##@ Develop

.PHONY: e2e
e2e: node-tools helm postgres chromium e2e-image ## Install the operator on a real node that is started on this machine, and see it work. Needs root and Linux.
	$(call say,End-to-end tests on a real node)
	@$(e2e_image) go test -tags e2e -p 1 -count 1 -timeout 30m $(TESTFLAGS) ./test/e2e/...

.PHONY: chaos
chaos: node-tools helm postgres e2e-image ## Break on purpose what programs run on, and count answers. CHAOS=short is for CI, CHAOS=update keeps the table in docs/reliability.md.
	$(call say,Faults on a real node)
	@rm -f bin/e2e/chaos.txt; status=0; \
	$(e2e_image) go test -tags e2e -count 1 -timeout 60m $(TESTFLAGS) ./test/chaos -out=$(CURDIR)/bin/e2e/chaos.txt \
	  $(if $(filter short,$(CHAOS)),-short-form) $(if $(filter update,$(CHAOS)),-update) || status=$$?; \
	if [ -e bin/e2e/chaos.txt ]; then cat bin/e2e/chaos.txt; fi; exit $$status

# The image that tests on a node run, and where they find it.
e2e_image = CX_E2E_IMAGE=cx-operator:e2e CX_E2E_ARCHIVE=$(CURDIR)/bin/e2e/image/cx-operator.oci.tar

.PHONY: e2e-image
e2e-image: # For this machine only.
	@$(MAKE) --no-print-directory image IMG=cx-operator:e2e DIST=bin/e2e/image PLATFORMS=linux/$$(go env GOARCH)

.PHONY: node
node: node-tools helm ## Run one real node with the operator's image until Ctrl-C, for your own tries. Needs root and Linux.
	@$(MAKE) --no-print-directory image IMG=cx-operator:node DIST=bin/node-image PLATFORMS=linux/$$(go env GOARCH)
	@go build -o bin/node-up ./hack/node/up; exec bin/node-up -load bin/node-image/cx-operator.oci.tar

.PHONY: test-unit
test-unit: postgres ## Run the tests that need no cluster: fast, no race detector.
	@go list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... | grep -v -e '$(MODULE)/test/testenv' -e '^$(MODULE)/test/browser ' | cut -d' ' -f1 | \
	  xargs go test $(TESTFLAGS)

.PHONY: fuzz
fuzz: ## Run every fuzz test for FUZZTIME (3000x: inputs; or a time, 5m).
	$(call say,Fuzz tests)
	@hack/fuzz.sh $(FUZZTIME)

.PHONY: rules
rules: ## Check the Prometheus rules and run their unit tests with promtool.
	$(call say,Prometheus rules)
	@hack/rules.sh

.PHONY: monitoring
monitoring: kube postgres prometheus ## Deliver the alerts through a real Prometheus and Alertmanager, and ask every query of the dashboards.
	$(call say,Alerts and dashboards)
	@assets=$(kube_assets); KUBEBUILDER_ASSETS=$$assets go test -count 1 $(TESTFLAGS) ./config/prometheus ./hack/dashboards ./test/monitoring/...

.PHONY: chart
chart: kube helm ## Check the Helm chart: what it renders, refuses, and what a real API server says of it.
	$(call say,Helm chart)
	@assets=$(kube_assets); KUBEBUILDER_ASSETS=$$assets go test $(TESTFLAGS) ./hack/chart ./test/chart

.PHONY: size
size: postgres ## Measure what answers take on disk, for docs/sizing.md.
	@go run ./hack/size

.PHONY: gitops
gitops: kube ## Check how Argo CD, Flux and kubectl diff see the operator's kinds. Argo CD's code takes 4 minutes to compile, once.
	$(call say,GitOps)
	@assets=$(kube_assets); KUBEBUILDER_ASSETS=$$assets go test $(TESTFLAGS) ./test/gitops
	@cd test/gitops/health && go test $(TESTFLAGS) ./...

.PHONY: lint
lint: ## Run golangci-lint with the Kubernetes API linter.
	$(call say,Linting)
	@lint=$(call tool,golangci-lint); "$$lint" run ./...; "$$lint" run --build-tags e2e ./test/e2e/... ./test/chaos/...; \
	for module in hack/image hack/monitoring test/gitops/health; do (cd $$module && "$$lint" run ./...); done

.PHONY: fmt
fmt: ## Format the Go code as the linter wants it.
	@lint=$(call tool,golangci-lint); "$$lint" fmt ./...

.PHONY: generate
generate: ## Regenerate deep copies, CRDs, RBAC, Prometheus files and reference pages from their sources.
	$(call say,Generating)
	@controller_gen=$(call tool,controller-gen); \
	"$$controller_gen" object paths=./api/...; \
	"$$controller_gen" crd paths=./api/... output:crd:dir=config/crd/bases; \
	"$$controller_gen" rbac:roleName=cx-operator-manager paths=./controllers/... output:rbac:dir=config/rbac
	@mkdir -p docs; crd_ref_docs=$(call tool,crd-ref-docs); \
	"$$crd_ref_docs" --source-path api --config hack/tools/crd-ref-docs.yaml --renderer markdown --output-path docs/api.md \
	  --log-level ERROR
	@meta=k8s.io/apimachinery/pkg; go tool -modfile=hack/openapi/go.mod openapi-gen --go-header-file /dev/null -r /dev/null \
	  --output-dir internal/feedback/openapi --output-pkg $(MODULE)/internal/feedback/openapi --output-file zz_generated.openapi.go \
	  --output-model-name-file zz_generated.model_name.go \
	  --readonly-pkg $$meta/apis/meta/v1 --readonly-pkg $$meta/runtime --readonly-pkg $$meta/version \
	  ./api/feedback/v1alpha1 $$meta/apis/meta/v1 $$meta/runtime $$meta/version
	@go run ./hack/docs
	@go run ./hack/docs
	@go run ./hack/dashboards
	@go run ./hack/chart

.PHONY: simulate
simulate: ## Replay a year of judging, plans and escalation: who is accused falsely, and how soon falls are found.
	$(call say,A simulated year)
	@go run ./hack/simulate $(SIMULATE)

.PHONY: tidy
tidy: ## Bring go.mod and go.sum of the modules in line with the code.
	$(call say,go mod tidy)
	@for module in . hack/crds hack/helm hack/image hack/kube hack/monitoring hack/openapi hack/tools test/gitops/health; do (cd $$module && go mod tidy); done

.PHONY: verify
verify: tidy generate ## Regenerate and fail where the tree is then not what is committed.
	@changed=$$(git status --porcelain); \
	if [ -n "$$changed" ]; then \
	  git --no-pager diff; \
	  echo "verify: the tree is not what is committed. Run 'make tidy generate' and commit what it changes:"; \
	  echo "$$changed"; \
	  exit 1; \
	fi

.PHONY: vulncheck
vulncheck: ## Ask the Go vulnerability database about the dependencies. Needs the internet.
	@govulncheck=$(call tool,govulncheck); "$$govulncheck" ./...

.PHONY: build
build: ## Build bin/cx-operator.
	CGO_ENABLED=0 go build -trimpath -ldflags "$(LDFLAGS)" -o bin/cx-operator .

.PHONY: plugin
plugin: ## Build bin/kubectl-cx, the plugin "kubectl cx", with its completion beside it.
	CGO_ENABLED=0 go build -trimpath -ldflags "$(LDFLAGS)" -o bin/kubectl-cx ./cmd/kubectl-cx
	@install -m 755 cmd/kubectl-cx/kubectl_complete-cx bin/kubectl_complete-cx
	@echo "Put bin/kubectl-cx and bin/kubectl_complete-cx into a folder of your PATH, then: kubectl cx status"

.PHONY: clean
clean: ## Remove what was built and run in this checkout. The caches in your home folder stay.
	rm -rf bin dist coverage .demo

##@ Performance

# Figures are ratios to what is measured beside them, and counts; docs/performance.md says what they mean.
.PHONY: bench-intake
bench-intake: postgres ## How near taking answers is to a bare handler and to the database alone. Takes long.
	@go run ./test/perf/intake $(BENCHFLAGS)

.PHONY: bench-evaluate
bench-evaluate: kube postgres ## What judging costs at 10 thousand to 100 million answers, and how soon an answer counts. Takes long.
	@assets=$(kube_assets); KUBEBUILDER_ASSETS=$$assets go run ./test/perf/evaluate $(BENCHFLAGS)

.PHONY: bench-operator
bench-operator: kube ## How near the operator is to a bare client on a real API server, at 10,000 programs. Takes long.
	@assets=$(kube_assets); KUBEBUILDER_ASSETS=$$assets go run ./test/perf/operator $(BENCHFLAGS)

.PHONY: bench-page
bench-page: chromium ## How near the page is to an empty one in Chromium, and what rendering it costs.
	@go run ./test/perf/page $(BENCHFLAGS)

.PHONY: bench-counts
bench-counts: kube postgres chromium ## Check what can be counted exactly, such as requests and allocations, against test/perf/ranges.json.
	$(call say,Counts of the benches)
	@$(call bench_all,-counts) | tee bin/bench-counts.txt; go run ./test/perf/check bin/bench-counts.txt

.PHONY: bench-check
bench-check: kube postgres chromium ## Run all benches at small sizes and check every figure against test/perf/ranges.json.
	$(call say,All benches, at small sizes)
	@$(call bench_all,-short) | tee bin/bench.txt; go run ./test/perf/check bin/bench.txt

.PHONY: bench-calibrate
bench-calibrate: kube postgres chromium ## Make test/perf/ranges.json anew from RUNS runs of all benches. Leave the machine alone meanwhile.
	@for run in $$(seq $(RUNS)); do \
	  printf '\n==> Run %s of $(RUNS)\n' $$run; \
	  $(call bench_all,-counts) | tee bin/bench-counts-$$run.txt; \
	  $(call bench_all,-short) | tee bin/bench-$$run.txt; \
	done; \
	go run ./test/perf/check -calibrate $$(seq -f bin/bench-counts-%g.txt $(RUNS)) $$(seq -f bin/bench-%g.txt $(RUNS))

.PHONY: scaling
scaling: ## Show how far which engine carries, from one machine to internet scale: the arithmetic of docs/scaling.md.
	@go run ./hack/scaling $(BENCHFLAGS)

##@ Steps of 'make test', and what they need

.PHONY: vet
vet: ## Run go vet.
	$(call say,go vet)
	@go vet ./...

.PHONY: test-go
test-go: ## Run all Go tests with the race detector, against a real API server.
	$(call say,Go tests)
	@assets=$(kube_assets); KUBEBUILDER_ASSETS=$$assets go test -race $(RACEFLAGS) -p $(PACKAGES) -timeout 25m $(TESTFLAGS) ./...
	@cd hack/image && go test $(TESTFLAGS) ./...
	@cd hack/monitoring && go test $(TESTFLAGS) ./...
	@cd test/gitops/health && go test $(TESTFLAGS) ./...

.PHONY: kube
kube: ## Build etcd, kube-apiserver, kube-controller-manager and kubectl. Once per machine.
	$(call say,Kubernetes control plane)
	@go run ./hack/build kube

.PHONY: node-tools
node-tools: ## Build the programs of a Kubernetes node, and install containerd and what it needs. Once per machine.
	$(call say,Kubernetes node)
	@hack/node/packages.sh
	@go run ./hack/build node

.PHONY: postgres
postgres: ## Install the programs of a PostgreSQL server, which starts none. Once per machine.
	$(call say,PostgreSQL)
	@hack/postgres.sh

.PHONY: helm
helm: ## Build helm and kubeconform. Once per machine.
	$(call say,Helm)
	@go run ./hack/build helm

.PHONY: prometheus
prometheus: ## Bring Prometheus and amtool in, and build Alertmanager. Starts none. Once per machine.
	$(call say,Prometheus)
	@for program in prometheus promtool alertmanager amtool scrapeconfig; do hack/prometheus.sh $$program; done

.PHONY: tools
tools: ## Build the pinned generators and linters. Once per machine.
	$(call say,Tools)
	@go run ./hack/build tools

# What the browser tests inject into pages, as the lock file says.
test/browser/node_modules/.package-lock.json: test/browser/package-lock.json
	@cd test/browser && npm ci --no-audit --no-fund --ignore-scripts
	@touch $@

.PHONY: browser
browser: chromium test/browser/node_modules/.package-lock.json ## Install Chromium and axe-core for the tests in a real browser.

.PHONY: chromium
chromium: # Any of the names under which the tests look for it.
	@command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null || hack/apt.sh install chromium
	@command -v npm >/dev/null || hack/apt.sh install npm

.PHONY: cc
cc: # The race detector is C.
	@command -v "$$(go env CC)" >/dev/null || hack/apt.sh install gcc libc6-dev

##@ A cluster of your own

.PHONY: install
install: ## Install the CRDs into the cluster that kubectl points to.
	$(KUBECTL) apply --server-side -f config/crd/bases

.PHONY: uninstall
uninstall: ## Remove the CRDs, and with them every program, touchpoint, plan, team and store.
	$(KUBECTL) delete --ignore-not-found -f config/crd/bases

.PHONY: image
image: ## Build the image IMG for PLATFORMS as dist/cx-operator.oci.tar, without Docker, and its bills of materials.
	@cd hack/image && go run . -root ../.. -out ../../$(DIST) -image '$(IMG)' -version '$(VERSION)' -platforms '$(PLATFORMS)'

.PHONY: push
push: ## The same, and push it to the registry that IMG begins with, as docker login or podman login allow.
	@cd hack/image && go run . -root ../.. -out ../../$(DIST) -image '$(IMG)' -version '$(VERSION)' -platforms '$(PLATFORMS)' -push

.PHONY: image-check
image-check: image ## Build the image again from a new clone with an empty build cache: every byte must be the same.
	@hack/image/check.sh '$(DIST)' '$(IMG)' '$(VERSION)' '$(PLATFORMS)'

.PHONY: deploy
deploy: ## Install the CRDs and the operator, with the image IMG.
	@mkdir -p bin/deploy
	@img='$(IMG)'; { printf 'resources: [../../config/default]\nimages:\n- name: cx-operator\n  newName: %s\n  newTag: "%s"\n' \
	  "$${img%:*}" "$${img##*:}"; sed -n '/^replacements:/,$$p' config/default/kustomization.yaml; } > bin/deploy/kustomization.yaml
	@kustomize=$(call tool,kustomize); "$$kustomize" build bin/deploy | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: ## Remove the operator and the CRDs.
	@kustomize=$(call tool,kustomize); "$$kustomize" build config/default | $(KUBECTL) delete --ignore-not-found -f -
