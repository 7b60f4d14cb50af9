# The commands that a newcomer needs. `make demo` and `make test` work on a fresh machine: what they need of PostgreSQL
# they bring themselves, where they may. Arguments go along: make demo ARGS=--exit, make test ARGS='--test it a_name'.

ARGS ?=

# rustup's folder, for a shell that has not read its profile since Rust was installed.
export PATH := $(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check sqlx need-cargo need-postgres

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '%-12s %s\n' "$$name" "$$text"; done

demo: need-cargo need-postgres ## the main job on real input, from nothing; stays up until Ctrl-C (ARGS=--exit ends by itself)
	@cargo run --locked -- demo $(ARGS)

test: need-cargo need-postgres ## every test, each on a database of its own in one private cluster
	@scripts/run-tests $(ARGS)

check: need-cargo ## format and lints, as CI sees them
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings

sqlx: need-cargo need-postgres ## prepare the checked SQL anew (after a change of a query or a migration)
	@scripts/sqlx-prepare $(ARGS)

need-cargo:
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust ($(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml) or newer) from https://rustup.rs" >&2; exit 1; }

need-postgres:
	@scripts/need-postgres
