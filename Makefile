# Everything a contributor types. The work is done by the scripts in tools/, which can also be run alone.

.DEFAULT_GOAL := help
.PHONY: help build try test test-long bench nvim clean-tools

DIR ?=

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

build: ## build the host (release)
	@sh tools/need cargo
	cargo build --release --locked

try: ## open the sample project, or DIR=~/my/app, with the plugin loaded (headless without a terminal)
	@DIR="$(DIR)" sh tools/try

test: ## format, lints, core build, unit, integration, Lua specs, help tags
	@sh tools/test

test-long: ## the same with the long forms
	@RUN_SLOW_TESTS=1 sh tools/test

bench: ## measure; prints a table
	@sh tools/need cargo npm node python3
	@NVIM_BIN="$$(sh tools/nvim)" && export NVIM_BIN && cargo bench --locked --bench bench

nvim: ## find or install Neovim and print its path
	@sh tools/need python3
	@sh tools/nvim

clean-tools: ## remove what was unpacked into .tools (downloads stay in the cache)
	rm -rf .tools
