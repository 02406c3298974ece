# Everything a contributor types. The work is done by the scripts in tools/, which can also be run alone.

.DEFAULT_GOAL := help
.PHONY: help build try test test-long stress soak tsan bench bench-against nvim clean-tools

DIR ?=
REV ?=
ROWS ?=

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

build: ## build the host (release)
	@sh tools/need cargo
	cargo build --release --locked

try: ## open the sample project, or DIR=~/my/app, with the plugin loaded (headless without a terminal)
	@DIR="$(DIR)" sh tools/try

test: ## format, lints, core build, unit, integration, Lua specs, help tags, stress, ThreadSanitizer (short)
	@sh tools/test

test-long: ## the same with the long forms: five minutes of soak, the whole load under ThreadSanitizer
	@RUN_SLOW_TESTS=1 sh tools/test

stress: ## the core under load and at its limits, with the look-out for deadlocks
	@sh tools/test stress

soak: ## everything at once for a while: memory, tasks and files stay bounded
	@sh tools/test soak

tsan: ## the same load under ThreadSanitizer (three minutes from a cold build)
	@sh tools/test tsan

bench: ## measure; prints tables, or only those named: ROWS="logs rollout"
	@sh tools/need cargo npm node python3
	@NVIM_BIN="$$(sh tools/nvim)" && export NVIM_BIN && cargo bench --locked --bench bench -- $(ROWS)

bench-against: ## compare the core rows with another revision: REV=main
	@sh tools/need cargo python3
	@python3 tools/bench-against "$(REV)"

nvim: ## find or install Neovim and print its path
	@sh tools/need python3
	@sh tools/nvim

clean-tools: ## remove what was unpacked into .tools (downloads stay in the cache)
	rm -rf .tools
