# The task list: `make help`. `make demo` and `make test` work on a fresh machine with Rust, a C compiler and make: PostgreSQL's
# programs are installed where they are missing, if the machine allows it. Arguments: make demo ARGS=--exit, make test ARGS=a_name.

ARGS ?=

# rustup's folder, for a shell that has not read its profile since Rust was installed; and the tools of scripts/need-tool.
export PATH := $(CURDIR)/target/tools/bin:$(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check lint fmt deny sqlx configuration openapi client api docs book check-docs bench image package fuzz chaos drill-failover check-chart check-console check-monitoring check-nextjs check-proxy check-release check-upgrade ci ci-fast need-cargo need-postgres

help: ## Print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '%-18s %s\n' "$$name" "$$text"; done

demo: need-cargo need-postgres ## Run the main path on real input; stays up until Ctrl-C (ARGS=--exit ends it after the run)
	@cargo run --locked -- demo $(ARGS)

test: need-cargo need-postgres ## Run the tests on a throw-away Postgres (ARGS=a_name for some of them)
	@scripts/run-tests $(ARGS)

check: need-cargo ## Check the format, clippy's lints and the quick lints, as CI does
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	@scripts/lint

lint: need-cargo ## Run the quick lints only: spelling, shell scripts, unused dependencies, the image's build context
	@scripts/lint

fmt: need-cargo ## Format the sources
	cargo fmt

deny: need-cargo ## Check licences, sources and known vulnerabilities of the dependencies
	@scripts/check-dependencies

sqlx: need-cargo need-postgres ## Prepare the checked SQL (.sqlx) after a change of a query or a migration (ARGS=--check compares)
	@scripts/sqlx-prepare $(ARGS)

configuration: need-cargo ## Write docs/configuration.md after a change of a setting
	@cargo run --locked --quiet -- configuration >target/configuration.md
	@mv target/configuration.md docs/configuration.md

openapi: need-cargo ## Write openapi.json after a change of the HTTP API
	@cargo run --locked --quiet -- openapi >target/openapi.json
	@mv target/openapi.json openapi.json

client: need-cargo need-postgres ## Write the TypeScript client's types and clients/http from openapi.json, and test the client against a service
	@scripts/http-collection
	@cd clients/typescript && npm ci --silent && npm run generate --silent
	@scripts/check-client

api: need-cargo need-postgres ## Call every operation of openapi.json with valid and invalid input (schemathesis)
	@scripts/check-api

check-console: need-cargo need-postgres ## Test the console in a browser; pictures are kept in target/console (ARGS=tests/console/FILE)
	@scripts/check-console $(ARGS)

docs: need-cargo ## Build the documentation of the crate; warnings are errors
	@RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked

book: need-cargo ## Build the documents as a website in target/book (mdBook)
	@scripts/need-tool mdbook
	@mdbook build

check-docs: need-cargo need-postgres ## Check the documents: their commands and outputs, links, named files and tests (ARGS=links for a part)
	@scripts/check-docs $(ARGS)

bench: need-cargo need-postgres ## Measure this machine and write benches/RESULTS.md, about an hour (ARGS=--short, ARGS='apply growth --rounds 3')
	@cargo bench --locked --bench measure $(if $(PROFILE),--profile $(PROFILE)) -- $(ARGS)

fuzz: need-cargo ## Run the fuzz targets (ARGS='600 verify' for ten minutes of one; docs/fuzzing.md)
	@scripts/fuzz $(ARGS)

chaos: need-cargo need-postgres ## Cause a hundred random faults under load (ARGS='SEED FAULTS')
	@scripts/chaos $(ARGS)

drill-failover: need-cargo need-postgres ## Kill the primary of a Patroni cluster under load, behind HAProxy and with several hosts
	@scripts/drill-failover

check-upgrade: need-cargo need-postgres ## Replace processes of the previous release by this one under load behind HAProxy, and back
	@scripts/check-upgrade $(ARGS)

check-monitoring: need-cargo need-postgres ## Check the Prometheus rules, and scrape the service with a real Prometheus (ARGS=SECONDS without a fault)
	@scripts/check-monitoring $(ARGS)

check-chart: need-cargo need-postgres ## Render and validate the Helm chart (ARGS=--write writes deploy/helm/rendered)
	@scripts/check-chart $(ARGS)

check-nextjs: need-cargo need-postgres ## Build the Next.js example, and run it beside a service
	@scripts/check-nextjs

check-release: need-cargo ## Pack the program as a release does and try the archive; check versions and workflows
	@scripts/check-release

check-proxy: need-cargo need-postgres ## Run Caddy and nginx as the documents configure them, in front of a service (root)
	@scripts/check-proxy

image: need-cargo ## Build the container images with docker, podman or buildah (ARGS=--local-bases needs no image registry)
	@scripts/build-image $(ARGS)

package: need-cargo ## Build the Debian package (ARGS='--binary FILE' for a program that is compiled already)
	@scripts/build-package $(ARGS)

ci: ## Run everything that must hold before a change lands
	@.ci/run

ci-fast: ## Run the fast part of it: format, lints, tests
	@.ci/run fast

need-cargo:
	@scripts/need-cargo

need-postgres:
	@scripts/need-postgres
