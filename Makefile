# What people do with Tipoff. `make` alone lists it.

GO ?= go
FUZZTIME ?= 10s

.PHONY: help build run test test-live fuzz schemathesis bench evaluate chaos screenshots services lint man
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/tipoff
	$(GO) build -o bin/tipoff ./cmd/tipoff

man: build ## Write the manual page, bin/tipoff.1
	bin/tipoff man > bin/tipoff.1

run: build ## Run everything here, on the embedded broker and SQLite, with a simulated sportsbook; opens the console
	KAFKA_BOOTSTRAP_SERVERS= DATABASE_URL= SQLALCHEMY_DATABASE_URI= bin/tipoff run --demo

# Tests wait for brokers, groups and processes far more than they compute: four of a
# package run at a time.
test: ## Run the tests; real services are used where TIPOFF_TEST_... name them
	$(GO) test -timeout 20m -parallel 4 ./...
	$(GO) -C chaos test -timeout 10m ./...

test-live: ## Run the black-box tests against a running Tipoff: make test-live URL=http://host:5000
	@test -n "$(URL)" || { echo "usage: make test-live URL=http://host:5000 [KEY=its API key]"; exit 2; }
	TIPOFF_TEST_URL=$(URL) TIPOFF_TEST_KEY=$(KEY) $(GO) test -count=1 -run '^TestLive$$' -v ./cmd/tipoff

fuzz: ## Fuzz every decoder, codec and parser, for FUZZTIME (10s) each
	@for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "== $$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s -parallel 1 $$package || exit 1; \
		done; \
	done

schemathesis: ## Compare a running Tipoff with its description: make schemathesis URL=http://host:5000
	@test -n "$(URL)" || { echo "usage: make schemathesis URL=http://host:5000 [KEY=its API key]"; exit 2; }
	deploy/local/schemathesis.sh "$(URL)" $(KEY)

bench: build ## Measure ratios against limits and peers, into bench/results.json: make bench [ROW=lookup]
	bin/tipoff bench $(ROW)

LOGS ?= ../shared/data
evaluate: build ## Measure recommendations on recorded logs, into docs/quality.md: make evaluate LOGS=folder [EVERY=1]
	bin/tipoff evaluate --every $(or $(EVERY),0) --json bin/quality.json --report docs/quality.md --plot docs/quality $(LOGS)/*.ndjson.gz

chaos: build ## Kill and cut off everything, CHAOS_ROUNDS times, and check that nothing is lost or counts twice
	$(GO) -C chaos run .

screenshots: build ## Take the pictures of docs/pictures in Chromium, of a demonstration that is started for it
	$(GO) -C chaos run ./pictures ../bin/tipoff ../docs/pictures

services: ## Start Apache Kafka and MySQL 8 on this machine, without Docker
	deploy/local/services.sh up
	@deploy/local/services.sh env

lint: ## gofmt, go vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) -C chaos vet ./...
	$(GO) -C chaos tool staticcheck ./...
