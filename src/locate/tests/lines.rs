//! Lines that tell by themselves what they are; and lines that must never be taken for a place.

use super::{findings, shown};

fn check(table: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (line, want) in table {
        let got = findings(line);
        let got = got.iter().map(shown).collect::<Vec<_>>().join("; ");
        if got != *want {
            wrong.push_str(&format!("\n  {line}\n    want {want}\n    got  {got}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn typescript() {
    check(&[
        ("src/bad.ts(1,7): error TS2322: Type 'string' is not assignable.", "ERROR src/bad.ts:1:7 tsc"),
        (
            "src/bad.ts:1:7 - error TS2322: Type 'string' is not assignable.",
            "ERROR src/bad.ts:1:7 tsc-pretty",
        ),
        ("app/[slug]/(group)/page.tsx(8,31): error TS2345: no", "ERROR app/[slug]/(group)/page.tsx:8:31 tsc"),
        ("app/with space/año.ts(6,16): error TS2339: no", "ERROR app/with space/año.ts:6:16 tsc"),
        ("     2  app/with space/util.ts:6", "place app/with space/util.ts:6 tsc-summary"),
        ("Found 1 error in src/a.ts:3", "place src/a.ts:3 tsc-summary"),
        ("src/bad.ts(1,7): error TS2322: with a return\r", "ERROR src/bad.ts:1:7 tsc"),
        (
            "src/app/a.component.html:3:4 - error NG8001: 'x' is not known",
            "ERROR src/app/a.component.html:3:4 tsc-pretty",
        ),
        ("[tsl] ERROR in /app/src/a.ts(3,5)", "ERROR /app/src/a.ts:3:5 ts-loader"),
    ]);
}

#[test]
fn linters_of_javascript() {
    check(&[
        (
            "/p/eslint.js: line 2, col 10, Error - 'x' is defined. (no-unused-vars)",
            "ERROR /p/eslint.js:2:10 eslint-compact",
        ),
        (
            "/p/eslint.js: line 2, col 10, Warning - 'x' is defined. (x)",
            "WARNING /p/eslint.js:2:10 eslint-compact",
        ),
        (
            "/p/a.js:2:10: 'x' is defined but never used. [Error/no-unused-vars]",
            "ERROR /p/a.js:2:10 eslint-unix",
        ),
        ("src/bad.ts:1:7 lint/correctness/noUnusedVariables  FIXABLE  ━━━", "ERROR src/bad.ts:1:7 biome"),
        ("[error] src/bad file.ts: SyntaxError: ',' expected. (1:29)", "ERROR src/bad file.ts:1:29 prettier"),
        ("[warn] src/ugly.js", "WARNING src/ugly.js prettier-file"),
    ]);
}

#[test]
fn bundlers() {
    check(&[
        ("  File: /p/src/main.ts:1:18", "place /p/src/main.ts:1:18 vite-file"),
        (
            "7:59:24 AM [vite] Internal server error: /p/[id]/App.tsx: Expected <p>. (9:20)",
            "ERROR /p/[id]/App.tsx:9:20 vite",
        ),
        (
            "[vite] (client) Pre-transform error: /p/App.tsx: Expected <p>. (9:20)",
            "ERROR /p/App.tsx:9:20 vite",
        ),
        ("SyntaxError: /p/src/x.js: Unexpected token (3:5)", "ERROR /p/src/x.js:3:5 vite"),
        ("src/syn.js (1:10): Unexpected token", "ERROR src/syn.js:1:10 rollup"),
        ("ERROR in ./src/w.js 1:0-31", "ERROR ./src/w.js:1:0 webpack"),
        ("ERROR in ./src/w.js:1:0", "ERROR ./src/w.js:1:0 webpack"),
        (" ⨯ app/rt/page.tsx (2:9) @ deep", "ERROR app/rt/page.tsx:2:9 next"),
        (
            "NameError: variable @x is undefined in /p/main.less on line 4, column 10:",
            "ERROR /p/main.less:4:10 less",
        ),
        ("CssSyntaxError: /p/a.css:3:5: Unknown word", "ERROR /p/a.css:3:5 postcss"),
        (
            "[vite]: Rollup failed to resolve import \"x\" from \"/p/src/main.ts\".",
            "ERROR /p/src/main.ts rollup-import",
        ),
        ("  src/a.scss 1:12  root stylesheet", "place src/a.scss:1:12 sass"),
    ]);
}

#[test]
fn frames_of_javascript() {
    check(&[
        ("    at boom (/p/a.js:1:24)", "place /p/a.js:1:24 js-frame"),
        ("    at boom (/p/a.js:1:24)\r", "place /p/a.js:1:24 js-frame"),
        ("    at /p/a dir/[x]/a.js:2:18", "place /p/a dir/[x]/a.js:2:18 js-frame"),
        ("    at async file:///x/chunks%20b/node.js:35904:15", "place /x/chunks b/node.js:35904:15 js-frame"),
        (
            "    at eval (eval at <anonymous> (/p/ev.js:1:1), <anonymous>:1:1)",
            "place /p/ev.js:1:1 js-eval-frame",
        ),
        ("    at Object.<anonymous> [as x] (/p/a.js:1:2)", "place /p/a.js:1:2 js-frame"),
        ("    at query (/p/schema.js:7:11) {", "place /p/schema.js:7:11 js-frame"),
        ("    at /boom (/p/lib/routes.js:5:22)", "place /p/lib/routes.js:5:22 js-frame"),
        ("    at new Foo (/p/lib/(group)/routes.js:5:22)", "place /p/lib/(group)/routes.js:5:22 js-frame"),
        ("      at Object.toBe (a.test.js:2:15)", "place a.test.js:2:15 js-frame"),
        (
            "    at Page (webpack-internal:///(rsc)/./app/page.tsx:10:11)",
            "place ./app/page.tsx:10:11 js-frame",
        ),
        (" ❯ helper a.test.ts:8:26", "place a.test.ts:8:26 vitest-frame"),
        (" ❯ a.test.ts:3:15", "place a.test.ts:3:15 vitest-frame"),
        ("/p/a.js:1", "place /p/a.js:1 node-header"),
        ("    at listOnTimeout (node:internal/timers:581:17)", ""),
        ("    at node:internal/main/run_main_module:28:49", ""),
        ("    at Array.reduce (<anonymous>)", ""),
        ("    at async Promise.all (index 0)", ""),
    ]);
}

#[test]
fn python() {
    check(&[
        ("  File \"/p/a b.py\", line 2, in g", "place /p/a b.py:2 python-frame"),
        ("  | File \"/p/c.py\", line 3, in f", "place /p/c.py:3 python-frame"),
        ("  File \"<frozen runpy>\", line 88, in _run_code", ""),
        ("/p/c.py:2: DeprecationWarning: old", "WARNING /p/c.py:2 python-warning"),
        ("test_a.py:4: AssertionError", "ERROR test_a.py:4 pytest"),
        ("test_a.py:6: in test_b", "place test_a.py:6 pytest-frame"),
        ("bad.py:3: error: Incompatible return value  [return-value]", "ERROR bad.py:3 gnu"),
        ("bad.py:3:12: error: Incompatible return value  [return-value]", "ERROR bad.py:3:12 gnu"),
        ("bad.py:3:12: note: Revealed type is str", "place bad.py:3:12 gnu"),
        ("bad.py:1:8: F401 [*] `os` imported but unused", "ERROR bad.py:1:8 flake8"),
        ("bad.py:1:0: C0114: Missing module docstring (x)", "ERROR bad.py:1:0 pylint"),
        ("  /p/bad.py:3:12 - error: Type \"int\" is not", "ERROR /p/bad.py:3:12 pyright"),
        ("  /p/bad.py:3:12 - warning: Type \"int\" is not", "WARNING /p/bad.py:3:12 pyright"),
        ("error: cannot parse: s.py:1:6", "ERROR s.py:1:6 black"),
    ]);
}

#[test]
fn rust() {
    check(&[
        ("a.rs:1:26: error[E0308]: mismatched types", "ERROR a.rs:1:26 rustc-short"),
        ("a.rs:1:26: warning: unused", "WARNING a.rs:1:26 rustc-short"),
        ("thread 't::a' (1711) panicked at src/lib.rs:2:38:", "ERROR src/lib.rs:2:38 rust-panic"),
        ("thread 'main' panicked at 'msg', src/main.rs:2:5", "ERROR src/main.rs:2:5 rust-panic-old"),
        ("             at ./tests/end to end.rs:2:38", "place ./tests/end to end.rs:2:38 rust-frame"),
        ("             at /rustc/5980/library/core/src/option.rs:971:21", ""),
        (" --> /rustc/5980/library/core/src/option.rs:971:21", ""),
        ("error: could not compile `demo` (bin \"demo\") due to 6 previous errors", ""),
    ]);
}

#[test]
fn c_family() {
    check(&[
        ("src/with space/a.c:5:16: error: ‘MAX’ undeclared", "ERROR src/with space/a.c:5:16 c"),
        ("a.c:5:16: fatal error: x.h: No such file", "ERROR a.c:5:16 c"),
        ("a.c:5:16: warning: unused [-Wunused]", "WARNING a.c:5:16 c"),
        ("a.h:6:25: note: expected", "place a.h:6:25 c-note"),
        ("In file included from src/main.c:2:", "place src/main.c:2 c-included"),
        ("/p/l.c:2: undefined reference to `g'", "ERROR /p/l.c:2 ld"),
        ("/usr/bin/ld: /p/a.c:5: undefined reference to `helper'", "ERROR /p/a.c:5 ld"),
        ("CMake Error at CMakeLists.txt:19 (hurz):", "ERROR CMakeLists.txt:19 cmake"),
        ("gram/calc.y:7.7-12: error: symbol", "ERROR gram/calc.y:7:7 gnu-range"),
        ("main.zig:3:20: error: expected type 'u32'", "ERROR main.zig:3:20 gnu-bytes"),
        ("/x/Sources/main.swift:3:14: error: cannot convert", "ERROR /x/Sources/main.swift:3:14 gnu"),
        ("A.java:1: error: ';' expected", "ERROR A.java:1 gnu"),
    ]);
}

#[test]
fn go() {
    check(&[
        ("./main.go:13:14: undefined: foo", "ERROR ./main.go:13:14 go"),
        ("vet: ./main.go:13:14: undefined: foo", "ERROR ./main.go:13:14 go"),
        ("    a_test.go:3: bad 1", "place a_test.go:3 go-test"),
        ("\t/home/u/x/main.go:2 +0x1d", "place /home/u/x/main.go:2 go-frame"),
    ]);
}

#[test]
fn other_families() {
    check(&[
        (
            "C:\\x\\N.cs(229,30): warning CS0618: 'Q' is obsolete [C:\\x\\S.csproj]",
            "WARNING C:\\x\\N.cs:229:30 msbuild",
        ),
        ("   at App.Main() in /src/App/Program.cs:line 12", "place /src/App/Program.cs:12 dotnet-frame"),
        ("/p/src/main.nim(5, 16) Error: type mismatch: got 'int'", "ERROR /p/src/main.nim:5:16 nim"),
        ("[ERROR] /u/hello.java:[651,96] ';' expected", "ERROR /u/hello.java:651:96 maven"),
        ("e: /src/Test.kt: (34, 15): foo: bar", "ERROR /src/Test.kt:34:15 kotlin"),
        ("e: file:///src/Test.kt:34:15 foo", "ERROR /src/Test.kt:34:15 kotlin"),
        ("\tat com.acme.io.Loader.load(Loader.java:14)", "place com/acme/io/Loader.java:14 java-frame"),
        ("\tat app//com.acme.Main.main(Main.java:15)", "place com/acme/Main.java:15 java-frame"),
        ("\tat java.base/java.lang.Thread.run(Thread.java:840)", ""),
        ("a.rb:2:in `f': undefined method `x' (NameError)", "ERROR a.rb:2 ruby-error"),
        ("\tfrom a.rb:4:in `main'", "place a.rb:4 ruby-from"),
        ("     # ./spec/a_spec.rb:3:in `block'", "place ./spec/a_spec.rb:3 rspec"),
        ("lib/a.rb:3:5: C: Layout/IndentationWidth: Use 2", "ERROR lib/a.rb:3:5 rubocop"),
        ("PHP Parse error:  syntax error, unexpected in src/a.php on line 4", "ERROR src/a.php:4 php"),
        ("#0 /app/a.php(12): f()", "place /app/a.php:12 php-frame"),
        ("src/srv.erl:2:2: function nope/0 undefined", "ERROR src/srv.erl:2:2 erlang"),
        ("src/srv.erl:5:5: Warning: variable 'Y' is unused", "WARNING src/srv.erl:5:5 erlang-warning"),
        ("    └─ lib/foo.ex:12:5: Foo.bar/1", "place lib/foo.ex:12:5 elixir-place"),
        ("** (CompileError) lib/foo.ex:12: undefined", "ERROR lib/foo.ex:12 elixir"),
        ("scripts/bad one.sh: line 4: unbound variable", "ERROR scripts/bad one.sh:4 bash"),
        ("deep trouble at bin/run.pl line 5.", "ERROR bin/run.pl:5 perl"),
        ("a.sh: 2: foo_cmd: not found", "ERROR a.sh:2 dash"),
        ("gawk: scripts/sum.awk:2: fatal: no", "ERROR scripts/sum.awk:2 awk"),
        ("E5113: Error while calling lua chunk: e.lua:1: boom", "ERROR e.lua:1 lua"),
        ("foo/widget.yml:1:81: [warning] line too long", "WARNING foo/widget.yml:1:81 parsable"),
        (
            "2026/11/23 07:03:31 [emerg] 1649#1649: unknown directive in /p/n.conf:2",
            "ERROR /p/n.conf:2 nginx",
        ),
        ("make: *** [Makefile:2: all] Error 1", "place Makefile:2 make"),
        ("  on main.tf line 2, in resource \"x\":", "place main.tf:2 terraform"),
    ]);
}

#[test]
fn a_path_with_a_number_anywhere() {
    check(&[
        ("see src/a.ts:3:14 for more", "place src/a.ts:3:14 path"),
        ("(src/a.ts:3)", "place src/a.ts:3 path"),
        ("thing in lib/x.rb(12,4) happened", "place lib/x.rb:12:4 path"),
        ("caller=server/main.rs:8 msg=hello", "place server/main.rs:8 path"),
        ("at app/[slug]/(group)/page.tsx:8:31,", "place app/[slug]/(group)/page.tsx:8:31 path"),
        ("lib/форматы/post.ts:2", "place lib/форматы/post.ts:2 path"),
        ("src/a.ts:3:text glued", "place src/a.ts:3 path"),
    ]);
}

#[test]
fn prefixes_are_set_aside_and_spans_keep_their_place() {
    for prefix in [
        "[web] ",
        "[0] ",
        "web:dev: ",
        "app-1  | ",
        "web_1  | ",
        "apps/web dev: ",
        "@scope/pkg:build: ",
        "2024-11-02T23:59:07.123456Z ",
        "[10:20:30] ",
        "10:20:30 web.1  | ",
        "2024-11-02 10:20:30,123 ",
        "7:59:24 PM ",
        "[web] 10:20:30 ",
        "│ ",
    ] {
        let line = format!("{prefix}src/bad.ts(1,7): error TS2322: no");
        let found = findings(&line);
        assert_eq!(found.len(), 1, "{line}");
        assert_eq!(shown(&found[0]), "ERROR src/bad.ts:1:7 tsc", "{line}");
        let (from, to) = found[0].place.as_ref().unwrap().span;
        assert_eq!(&line[from..to], "src/bad.ts(1,7", "{line}");
    }
}

#[test]
fn what_only_looks_like_a_place() {
    for line in [
        "  ➜  Local:   http://localhost:5199/",
        "Uvicorn running on http://127.0.0.1:8077 (Press CTRL+C to quit)",
        "GET http://localhost:3000/src/App.tsx:5:3 200",
        "http://localhost:5173/src/App.tsx?t=1647602434195:50:19",
        "listening on 0.0.0.0:3000",
        "listening on [::1]:3000",
        "connect fe80::1:2:3 failed",
        "redis.example.com:6379 refused",
        "postgres.db:5432 is up",
        "web.local:8080",
        "07:03:31 ready",
        "rows: 10:20:30",
        "10:15:00 AM [vite] hmr update /src/App.tsx",
        "0 errors",
        "Found 2 errors in 1 file",
        "a@1.2.3 installed",
        "Version 5.6.3",
        "sha256:0123456789abcdef",
        "{\"level\":30,\"time\":1647602434195,\"line\":12,\"file\":\"src/a.ts\"}",
        "npm ERR! src/a.ts:3:4 failed",
        "npm error code 1",
        "npm warn Unknown user config \"nodedir\".",
        "dist/assets/index-nEXMS8tI.js  0.73 kB │ gzip: 0.41 kB",
        "image: node:20.1",
        "ratio 3:2 (4:1)",
        "C:\\Users\\x",
        "foo::bar:12:3",
        "look at the line 3.",
        "syntax error at line 3, column 5.",
        "[api] web on http://localhost:4001 at 09:00:01",
        "src/a.ts:99999999999",
        "src/a.ts:0:0",
        "x.zz:1",
        "INFO:     127.0.0.1:41030 - \"GET /sum?a=2&b=0 HTTP/1.1\" 500 Internal Server Error",
        "error: Recipe `x` failed",
        "Tests:       2 failed, 2 total",
        "src/index.ts",
    ] {
        let places: Vec<_> = findings(line).into_iter().filter(|finding| finding.place.is_some()).collect();
        assert!(places.is_empty(), "{line}\n  {places:?}");
    }
}
