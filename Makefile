# Everything that CI runs, and a developer too. `make help` lists it.

GO            ?= go
GOFMT         := $(shell $(GO) env GOROOT)/bin/gofmt
VAULT_VERSION := 1.21.0
IMAGE         ?= rehearse:dev
VAULT_IMAGE   := rehearse-vault:$(VAULT_VERSION)-postgresql
VAULT_PLUGIN  := .cache/vault-plugins/postgresql-database-plugin
PLUGIN_LABEL  := dev.rehearse.vault.postgresql-database-plugin

# The race detector needs cgo, and cgo a C compiler: Go says 0 where there is none.
RACE := $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do printf '%-22s %s\n' "$$name" "$$what"; done

.PHONY: build
build: ## build bin/rehearse, static
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/rehearse ./cmd/rehearse

.PHONY: run
run: build ## the first rehearsal: a healthy rotation of a JWT signing key
	bin/rehearse run

.PHONY: test
test: check ## all that needs Go only; what needs an engine or Vault is skipped, and says so
	@test -n "$(RACE)" || echo "no C compiler: testing without the race detector"
	$(GO) test $(RACE) ./...

.PHONY: test-busy
test-busy: ## tests that rehearse nothing in real time, beside two loops a core, so that none depends on a quick machine; SHARD=1/12 a twelfth of the packages
	GO=$(GO) RACE=$(RACE) .ci/busy $(SHARD)

.PHONY: check
check: ## formatting, vet and staticcheck
	@unformatted="$$($(GOFMT) -l cmd fakes harness reports scenarios .ci)" || exit 1; \
		test -z "$$unformatted" || { echo "run gofmt on:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

# SHARD=1/2 rehearses one half of them. One more begins only while the machine has room.
SHARD ?= 1/1
LOAD_SHARDS ?= 1
.PHONY: scenarios
scenarios: build ## rehearse every built-in scenario against what it expects, in processes; SHARD=1/2: one half; LOAD_SHARDS=4: with a load that four share
	bin/rehearse test --runtime process --load-shards $(LOAD_SHARDS) --shard $(SHARD) scenarios

.PHONY: test-containers
test-containers: build database-image ## the same in containers; fails where no engine answers
	REHEARSE_REQUIRE_DOCKER=1 $(GO) test $(RACE) -count=1 ./harness/runtime/...
	REHEARSE_REQUIRE_DOCKER=1 bin/rehearse test --runtime docker --shard $(SHARD) scenarios

.PHONY: test-vault
test-vault: build vault ## hold the embedded store against a real Vault, and rehearse with that
	REHEARSE_REQUIRE_VAULT=1 $(GO) test $(RACE) -count=1 ./harness/store/...
	bin/rehearse run --runtime process --store vault --ui plain --yes jwt-signing-key/healthy
	REHEARSE_REQUIRE_VAULT=1 bin/rehearse test --runtime process database-password/vault-static-role

.PHONY: test-vault-audit
test-vault-audit: build vault ## rehearse with a Vault that is named, whose audit device says that no run asked for anything but its own
	GO=$(GO) .ci/audited $(SHARD)

.PHONY: test-vault-containers
test-vault-containers: build vault-image database-image ## rehearse with a real Vault in a container
	bin/rehearse run --runtime docker --store vault --ui plain --yes jwt-signing-key/healthy
	REHEARSE_REQUIRE_VAULT=1 bin/rehearse test --runtime docker database-password/vault-static-role

.PHONY: bench
bench: ## the load path against bare vegeta, in turns; fails where it is slower or memory grows; the report of a big run; the history of a day
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 20m ./harness/load
	$(GO) test -run '^$$' -bench . ./reports
	$(GO) test -run '^$$$$' -bench ADay -benchtime 1x ./harness/history

# The seeds of the targets are ordinary tests; these two vary them.
.PHONY: fuzz
fuzz: ## vary what is read from outside (run folders, pages, compose files, durations) for a minute
	GO=$(GO) .ci/fuzz 60

FUZZ_SECONDS ?= 28800
.PHONY: fuzz-long
fuzz-long: ## the same for eight hours, or FUZZ_SECONDS=...
	GO=$(GO) .ci/fuzz $(FUZZ_SECONDS)

# Both are replayed by seed: see `go test ./harness/accuracy -args -help`.
SIMULATED ?= 10000
.PHONY: accuracy
accuracy: ## verdicts and culprits held against the truth, in SIMULATED rehearsals; and against themselves, changed in what does not matter
	cd harness/accuracy && $(GO) test -count=1 -timeout 120m -run 'TestSimulated$$|TestMetamorphic$$' -args -simulated $(SIMULATED) -pairs $$(($(SIMULATED) / 10))

REAL ?= 200
.PHONY: accuracy-real
accuracy-real: ## the same in REAL real ones, three at a time; broken off, it goes on where it was
	cd harness/accuracy && $(GO) test -count=1 -timeout 60m -run 'TestReal$$' -args -real $(REAL) -results $(CURDIR)/.cache/accuracy-real.jsonl

# FIRST=$(date +%j) takes others, with other seeds, from day to day.
EACH  ?= 5
FIRST ?= 1
.PHONY: reality
reality: build ## simulate EACH scenarios of every family and rehearse them for real: the figures of both, and where they are apart
	cd harness/accuracy && $(GO) test -count=1 -timeout 120m -run 'TestReality$$' -args -reality $(EACH) -first-seed $(FIRST) -binary $(CURDIR)/bin/rehearse

SHARE ?= 100
.PHONY: campaign
campaign: build ## kill, interrupt, starve, stop and mislead the built binary; SHARE percent of an hour at most
	.ci/campaign bin/rehearse $(SHARE)

# TURN=$(date +%j) takes the tenth whose turn it is. What was rehearsed with this
# very binary is not rehearsed again.
TIMES ?= 3
TURN  ?= -1
.PHONY: cases
cases: build ## rehearse cases with a known right answer; TIMES each, a tenth of them by TURN
	cd harness/accuracy && $(GO) test -count=1 -timeout 300m -run 'TestCases$$' -args -cases $(TIMES) -turn $(TURN) -containers=$(if $(CONTAINERS),true,false) \
		-binary $(CURDIR)/bin/rehearse -cases-out $(CURDIR)/.cache/cases

.PHONY: test-shop
test-shop: build ## rehearse a shop whose four services know of no rehearsal, known good and known bad; some four minutes
	cd harness/accuracy && $(GO) test -count=1 -timeout 30m -run 'TestCases$$' -args -cases 1 -only shop- -binary $(CURDIR)/bin/rehearse -cases-out $(CURDIR)/.cache/cases

# All libraries and trials at the same time: they mostly wait. Needs an engine.
.PHONY: matrix
matrix: debian-image $(addprefix .cache/peers/,oauth2-proxy kube-authenticator step-ca) ## measure what JWT verifiers do in a rotation, and write the table anew (some 15 minutes)
	cd harness/matrix && $(GO) test -count=1 -v -timeout 40m -run 'TestMeasure$$' . -args -measure 11m

.PHONY: image
image: build ## an image of the binary, for docker-compose.yml
	mkdir -p .cache/image
	cp bin/rehearse .ci/Dockerfile .cache/image/
	docker build -t $(IMAGE) .cache/image

# The services of docker-compose.yml, with the durations of their libraries
# divided by 90, and a Vault that guards nothing.
COMPOSE     ?= $(shell command -v docker-compose || echo docker compose) -p rehearse-explore
explore     := REHEARSE_IMAGE=$(IMAGE) VAULT_IMAGE=$(VAULT_IMAGE) EXPLORE_SPEED=90 EXPLORE_REFRESH=500ms
.PHONY: attach-up
attach-up: image vault-image ## bring up the services of docker-compose.yml, for scenarios/attached
	$(explore) $(COMPOSE) up -d

.PHONY: attach-down
attach-down: ## take them down again
	$(explore) $(COMPOSE) down -v

.PHONY: test-attach
test-attach: attach-up ## rehearse them where they run: one that passes, known-bad ones, the way back
	REHEARSE_STORE_TOKEN=explore bin/rehearse test --yes $(filter-out %/runbook.yaml,$(wildcard scenarios/attached/*.yaml)); \
		status=$$?; test $$status = 0 || $(explore) $(COMPOSE) logs --tail=50; $(explore) $(COMPOSE) down -v; exit $$status

.PHONY: test-attach-own
test-attach-own: build .cache/peers/nats ## rotate small systems that are not ours where they run: known good and known bad of each; some eight minutes, SHARD=1/2 half of them
	SHARD=$(SHARD) LOAD_SHARDS=$(LOAD_SHARDS) scenarios/attached/testdata/rehearse.sh bin/rehearse

# Issuers, a verifier and a broker that are not ours, each of a module of its own, at the version
# that its go.mod has: zitadel/oidc takes half a minute to build, NATS one and a half, oauth2-proxy three, Ory
# Hydra and SPIRE some ten each. None is linked into rehearse.
peers := $(addprefix .cache/peers/,zitadel oauth2-proxy hydra spire spire-oidc)
.PHONY: issuers
issuers: build vault kubernetes $(peers) ## measure what issuers do in a rotation, rehearse each, and write the table anew (some 15 minutes)
	cd harness/matrix && flock /tmp/rehearse-attached.lock $(GO) test -count=1 -v -timeout 60m -run 'TestIssuers$$' . -args -issuers 3m -rehearse $(CURDIR)/bin/rehearse

# Those that take no time to build: known good and known bad of each. RabbitMQ is Debian's.
.PHONY: test-issuers
test-issuers: build vault .cache/peers/zitadel .cache/peers/oauth2-proxy ## rehearse issuers that are not ours, and RabbitMQ as a verifier, known good and known bad; some five minutes, SHARD=1/3 a third of them
	SHARD=$(SHARD) LOAD_SHARDS=$(LOAD_SHARDS) scenarios/attached/testdata/rehearse.sh bin/rehearse ../issuers/vault-identity ../issuers/vault-transit ../issuers/zitadel ../issuers/rabbitmq

.cache/peers/%: .ci/peers/%/go.mod .ci/peers/%/go.sum
	mkdir -p $(@D)
	cd .ci/peers/$* && $(GO) build -trimpath -ldflags "-s -w" -tags sqlite,json1 -o ../../../$@.part $(or $(program.$*),.)
	mv $@.part $@
program.hydra := github.com/ory/hydra/v2
program.nats := github.com/nats-io/nats-server/v2
program.oauth2-proxy := github.com/oauth2-proxy/oauth2-proxy/v7
program.spire := github.com/spiffe/spire/cmd/spire-server
.cache/peers/zitadel: .ci/peers/zitadel/main.go
.cache/peers/kube-authenticator: .ci/peers/kube-authenticator/main.go
.cache/peers/step-ca: .ci/peers/step-ca/main.go
.cache/peers/spire-oidc: .cache/peers/spire
	cd .ci/peers/spire && $(GO) build -trimpath -ldflags "-s -w" -o ../../../$@.part github.com/spiffe/spire/support/oidc-discovery-provider
	mv $@.part $@

# HashiCorp's own server, built from its published module (BUSL 1.1): a test
# dependency that is never linked into rehearse. Cold it takes some ten minutes
# on two cores.
.PHONY: vault
vault: .cache/vault $(VAULT_PLUGIN) ## build a real Vault into .cache, for tests
.cache/vault: .ci/vault/go.mod .ci/vault/go.sum .ci/vault/main.go
	mkdir -p .cache
	cd .ci/vault && CGO_ENABLED=0 $(GO) build -tags minimal -trimpath -ldflags "-s -w" -o ../../.cache/vault.part .
	mv .cache/vault.part $@

# The minimal build has the engine of databases, and none of its plugins.
$(VAULT_PLUGIN): .ci/vault/go.mod .ci/vault/go.sum
	mkdir -p $(@D)
	cd .ci/vault && CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o ../../.cache/vault-plugin.part \
		github.com/hashicorp/vault/plugins/database/postgresql/postgresql-database-plugin
	mv .cache/vault-plugin.part $@

.PHONY: vault-image
vault-image: vault ## an image of that Vault, where no registry has one
	docker image inspect $(VAULT_IMAGE) >/dev/null 2>&1 || { \
		mkdir -p .cache/vault-image/tmp .cache/vault-image/plugins && ln -f .cache/vault .cache/vault-image/vault && \
		ln -f $(VAULT_PLUGIN) .cache/vault-image/plugins/ && cp .ci/vault/Dockerfile .cache/vault-image/ && \
		docker build -t $(VAULT_IMAGE) --label "$(PLUGIN_LABEL)=$$(sha256sum <$(VAULT_PLUGIN) | cut -d' ' -f1)" .cache/vault-image; }

# A Kubernetes of one machine, a test dependency too: cold it takes 2,100 seconds of
# processor time. K8S_DIR is where it lies, K8S_NAME and K8S_NET tell two of them apart.
K8S_DIR ?= $(CURDIR)/.cache/kubernetes
cluster := K8S_DIR=$(K8S_DIR) .ci/kubernetes/cluster
.PHONY: kubernetes
kubernetes: $(K8S_DIR)/bin/k8snode ## build a real Kubernetes into .cache, for tests
$(K8S_DIR)/bin/k8snode: .ci/kubernetes/src/go.mod .ci/kubernetes/src/go.sum $(wildcard .ci/kubernetes/src/*.go)
	$(cluster) build

NODES ?= 1
.PHONY: kubernetes-up
kubernetes-up: kubernetes ## bring up that cluster, with NODES=1 or 2; as root
	$(cluster) up $(NODES)

.PHONY: kubernetes-down
kubernetes-down: ## take it down again, with nothing left of it
	$(cluster) down

.PHONY: test-kubernetes
test-kubernetes: build kubernetes ## all that needs a cluster, with one that is brought up for it; as root
	K8S_DIR=$(K8S_DIR) GO=$(GO) .ci/kubernetes/test

# Healthy and known bad of each family, and what a cluster alone
# does with a secret; not what is late by a kubelet's own pace, which is sixty times as
# fast here. The machine must have room: without it they are inconclusive.
IN_CLUSTER ?= jwt-signing-key/healthy jwt-signing-key/stale-cache api-key/healthy api-key/missed-consumer webhook-secret/healthy webhook-secret/one-secret \
	database-password/healthy database-password/missed-consumer \
	webhook-secret/secret-volume api-key/secret-volume api-key/secret-volume-sub-path api-key/config-map \
	api-key/secret-env api-key/secret-env-not-rolled-out api-key/written-back api-key/written-back-source-changed \
	api-key/rollout-stuck api-key/rollout-stuck-resumed api-key/rollout-no-image api-key/rollout-no-node api-key/rollout-early api-key/rollout-early-again jwt-signing-key/crashed-consumer
.PHONY: test-kubernetes-scenarios
test-kubernetes-scenarios: build kubernetes database-image ## rehearse the scenarios IN_CLUSTER with services in a cluster that is brought up for it; as root
	K8S_DIR=$(K8S_DIR) DATABASE_IMAGE=$(DATABASE_IMAGE) SHARD=$(SHARD) .ci/kubernetes/scenarios $(IN_CLUSTER)

.PHONY: kubernetes-delays
kubernetes-delays: kubernetes ## measure how long kubelets take to bring a change, and write the table anew; ten minutes, as root
	K8S_DIR=$(K8S_DIR) GO=$(GO) .ci/kubernetes/delays

# Images of programs that Debian packages, for services that are not ours.
DEBIAN_IMAGE := debian:bookworm-slim
.PHONY: debian-image
debian-image: ## Debian's base image: the engine's, the registry's, else made from its packages (as root, some 90 s)
	docker image inspect $(DEBIAN_IMAGE) >/dev/null 2>&1 || docker pull -q $(DEBIAN_IMAGE) || { \
		mkdir -p .cache && rm -rf .cache/debian && \
		debootstrap --variant=minbase bookworm .cache/debian >.cache/debian.log && \
		tar -C .cache/debian -c . | docker import - $(DEBIAN_IMAGE) && rm -rf .cache/debian; }

DATABASE_IMAGE := rehearse-databases:bookworm-3
.PHONY: database-image
database-image: debian-image ## an image of MariaDB, PostgreSQL and Redis, where no registry has them
	docker image inspect $(DATABASE_IMAGE) >/dev/null 2>&1 || docker build -q -t $(DATABASE_IMAGE) - <.ci/databases.Dockerfile

# As the linker has written it into the binary itself: every module with its version
# and its sum, the version of Go, and how it was built.
.PHONY: sbom
sbom: build ## what the binary is made of: bin/rehearse.sbom.txt
	$(GO) version -m bin/rehearse > bin/rehearse.sbom.txt

.PHONY: vulncheck
vulncheck: ## known vulnerabilities in what is called, where their database answers
	GO=$(GO) .ci/vulncheck

.PHONY: clean
clean: ## remove what was built
	rm -rf bin .cache
