//! Files that list tasks and services: make, just, Taskfile, Procfile, compose.

use expect_test::expect;

use super::check;

#[test]
fn make() {
    let makefile = "\
# Everything a contributor types.
.DEFAULT_GOAL := help
CC ?= cc
OBJ = main.o util.o
URL = http://localhost:3000
export PATH := $(CURDIR)/bin:$(PATH)
include mk/*.mk missing.mk
-include $(DEPS)

.PHONY: help build test docs/site \\
        lint

help: ## list the targets
\t@sed -n 's/^x: y/p' Makefile
## build everything
build: $(OBJ)
build: CFLAGS += -g
test lint: build ## run the tests \\
  and the linter
\techo a; \\
not-a-target: x
docs/site: ; mkdocs build
bin/app: main.c
main.o: main.c
%.o: %.c
$(OBJ): config.h
clean::
\trm -f x
ifeq ($(OS),Linux)
install: build
else
install-mac: build
endif
_hidden:
define TEXT
inside: x
endef
a\\ b: x
deploy&: build
.SUFFIXES: .c
override define OTHER
inside2: x
endef
last:
";
    let files =
        [("Makefile", makefile), ("mk/dev.mk", "# dev\nserve: build\n\tx\n.PHONY: run.all\nrun.all:\n")];
    check(
        &files,
        expect![[r#"
             85 make help  Makefile:13  (bare help, "list the targets")
             88 make build  Makefile:16  (build, bare build, "build everything")
             88 make test  Makefile:18  (test, bare test, "run the tests and the linter")
             84 make lint  Makefile:18  (bare lint, "run the tests and the linter")
             84 make docs/site  Makefile:22  (bare docs/site)
             84 make clean  Makefile:27  (bare clean)
             84 make install  Makefile:30  (bare install)
             84 make install-mac  Makefile:32  (bare install-mac)
             84 make deploy  Makefile:39  (bare deploy)
             84 make last  Makefile:44  (bare last)
             92 make serve  mk/dev.mk:2  (run, background, bare serve)
             92 make run.all  mk/dev.mk:5  (run, bare run.all)
        "#]],
    );
    // make takes one of several.
    let files = [("GNUmakefile", "a:\n"), ("makefile", "b:\n"), ("Makefile", "c:\n")];
    check(
        &files,
        expect![[r#"
             85 make a  GNUmakefile:1  (bare a)
        "#]],
    );
    // An include that names itself ends.
    check(
        &[("Makefile", "include Makefile ./Makefile\na:\n")],
        expect![[r#"
             85 make a  Makefile:2  (bare a)
        "#]],
    );
}

#[test]
fn just() {
    let justfile = r#"#!/usr/bin/env just --justfile
set dotenv-load
version := "1: 2"
export KEY := 'x'
text := '''
inside: nothing
'''
alias b := build
import 'more.just'
import? "missing.just"
mod web
mod? docs 'site/docs.just'

# build it
build target="all: x" *flags: (check target)
  echo build

[private]
secret:
_hidden:
[doc('Runs the tests')]
[group('ci')]
@test +names:
  cargo test {{ names }}

# not for here
[windows]
clean:
[linux, macos]
clean:
  rm -f x
dev: build && test
run-all \
  a b:
"#;
    let files = [
        ("justfile", justfile),
        ("more.just", "lint:\n  x\nbuild:\n  twice\n"),
        ("web/mod.just", "serve port='80':\n"),
        ("site/docs.just", "build:\n"),
    ];
    check(
        &files,
        expect![[r#"
             93 just build  justfile:15  (build, bare build, "build it (target=\"all: x\" *flags)")
             92 just test  justfile:23  (test, bare test, "Runs the tests (+names)")
             88 just clean  justfile:30  (bare clean)
             96 just dev  justfile:32  (run, background, bare dev)
             96 just run-all  justfile:33  (run, bare run-all, "(a b)")
             88 just lint  more.just:1  (bare lint)
             96 just web::serve  web/mod.just:1  (run, background, bare web::serve, "(port='80')")
             92 just docs::build  site/docs.just:1  (build, bare docs::build)
        "#]],
    );
}

#[test]
fn procfile() {
    let files = [
        (
            "Procfile",
            "web: bundle exec puma -p $PORT\nworker: sidekiq # all: queues\nrelease: rake db:migrate\n",
        ),
        (
            "Procfile.dev",
            "# what bin/dev starts\nweb: bin/rails server\n\ncss: yarn build:css --watch\nbad line\nno:\n",
        ),
    ];
    check(
        &files,
        expect![[r#"
             98 procfile web = bin/rails server  Procfile.dev:2  (run, background, bare web)
             98 procfile css = yarn build:css --watch  Procfile.dev:4  (run, background, bare css)
             96 procfile worker = sidekiq # all: queues  Procfile:2  (run, background, bare worker)
             60 procfile release = rake db:migrate  Procfile:3  (bare release)
        "#]],
    );
}

#[test]
fn taskfile() {
    let taskfile = "\
version: '3'
includes:
  docs: ./docs
  lib:
    taskfile: ./lib/Taskfile.yml
    flatten: true
  hidden: { taskfile: ./lib, internal: true }
  remote: https://example.com/Taskfile.yml
  os: ./Taskfile_{{OS}}.yml
tasks:
  default:
    cmds: [task: build]
  build:
    desc: Build it
    deps: [gen]
  gen: { internal: true, cmds: [x] }
  dev: go run ./cmd/web
  'start:*': echo
  test:
    - go test ./...
";
    let files = [
        ("Taskfile.yml", taskfile),
        ("docs/Taskfile.yaml", "tasks:\n  serve: mkdocs serve\n"),
        ("lib/Taskfile.yml", "tasks:\n  lint: x\n"),
    ];
    check(
        &files,
        expect![[r#"
             88 task default  Taskfile.yml:11  (bare default)
             92 task build  Taskfile.yml:13  (build, bare build, "Build it")
             96 task dev  Taskfile.yml:17  (run, background, bare dev)
             92 task test  Taskfile.yml:19  (test, bare test)
             96 task docs:serve  docs/Taskfile.yaml:2  (run, background, bare docs:serve)
             88 task lint  lib/Taskfile.yml:2  (bare lint)
        "#]],
    );
    check(
        &[("Taskfile.yml", "tasks:\n  a: [\n b")],
        expect![[r#"
        problem Taskfile.yml:3: invalid indentation: correct the YAML there
    "#]],
    );
}

#[test]
fn compose() {
    let compose = "\
x-base: &base
  restart: always
services:
  web:
    <<: *base
    build: .
    ports: ['3000:3000']
  db:
    image: postgres:17
    profiles: [data]
  'my service': { image: x }
include:
  - other/compose.yaml
  - path: more.yaml
";
    let files = [
        ("docker-compose.yml", "services:\n  old:\n    image: y\n"),
        ("compose.yaml", compose),
        ("compose.override.yaml", "services:\n  web: { command: dev }\n  mail: { image: mailpit }\n"),
        ("other/compose.yaml", "services:\n  cache:\n    image: redis\n"),
    ];
    check(
        &files,
        expect![[r#"
             78 compose up = docker compose up  compose.yaml:1  (run, background)
             75 compose up web = docker compose up web  compose.yaml:4  (run, background, bare web)
             75 compose up db = docker compose up db  compose.yaml:8  (run, background, bare db, "postgres:17")
             75 compose up my service = docker compose up 'my service'  compose.yaml:11  (run, background, bare my service, "x")
             75 compose up cache = docker compose up cache  other/compose.yaml:2  (run, background, bare cache, "redis")
             75 compose up mail = docker compose up mail  compose.override.yaml:3  (run, background, bare mail, "mailpit")
        "#]],
    );
}
