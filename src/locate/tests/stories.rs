//! Formats that spread over several lines, and what belongs together in them.

use super::story;
use expect_test::{Expect, expect};

#[allow(clippy::needless_pass_by_value, reason = "each call makes its own")]
fn check(log: &str, want: Expect) {
    want.assert_eq(&story(log));
}

#[test]
fn a_title_gets_the_place_of_a_later_line() {
    check(
        "error[E0308]: mismatched types\n --> src/main.rs:6:35\n  |\nnote: defined here\n --> src/lib.rs:1:2\n\nwarning: unused import\n --> src/parse.rs:1:5\nerror: could not compile `demo`",
        expect![[r#"
            1 ERROR src/main.rs:6:35 rustc g1 | mismatched types
            2 error src/main.rs:6:35 rustc-place g1
            5 place src/lib.rs:1:2 rustc-place g1
            7 WARNING src/parse.rs:1:5 rustc g2 | unused import
            8 warning src/parse.rs:1:5 rustc-place g2
        "#]],
    );
}

#[test]
fn positions_below_a_file() {
    check(
        "\n/p/src/app [old]/main.ts\n   1:10  error  'x' is defined  no-unused-vars\n   3:7   warning  no  x\n\n/p/src/broken.js\n  3:2  error  Parsing error: ',' expected\n\n✖ 10 problems",
        expect![[r#"
            2 place /p/src/app [old]/main.ts:1 heading g0
            3 ERROR /p/src/app [old]/main.ts:1:10 position g1 | 'x' is defined  no-unused-vars
            4 WARNING /p/src/app [old]/main.ts:3:7 position g2 | no  x
            6 place /p/src/broken.js:3 heading g0
            7 ERROR /p/src/broken.js:3:2 position g3 | Parsing error: ',' expected
        "#]],
    );
}

#[test]
fn an_uncaught_exception_of_node() {
    check(
        "/p/sum.js:2\n  return items.price;\n               ^\n\nTypeError: Cannot read properties of null (reading 'price')\n    at dep (/p/node_modules/x/a.js:1:1)\n    at /p/sum.js:2:45\n    at Array.reduce (<anonymous>)\n    at total (/p/index.js:2:16)\n    at listOnTimeout (node:internal/timers:581:17)\n\nNode.js v20.20.2",
        expect![[r#"
            1 place /p/sum.js:2 node-header g1
            5 ERROR /p/sum.js:2:45 exception g1 | TypeError: Cannot read properties of null (reading 'price')
            6 place /p/node_modules/x/a.js:1:1 js-frame g1
            7 place /p/sum.js:2:45 js-frame g1
            9 place /p/index.js:2:16 js-frame g1
        "#]],
    );
}

#[test]
fn an_exception_with_no_frame_of_the_project() {
    check(
        "/p/s.js:3\nfoo(\n    ^\n\nSyntaxError: missing ) after argument list\n    at wrapSafe (node:internal/modules/cjs/loader:1378:20)\n\nNode.js v20.20.2",
        expect![[r#"
            1 place /p/s.js:3 node-header g1
            5 ERROR /p/s.js:3 exception g1 | SyntaxError: missing ) after argument list
        "#]],
    );
}

#[test]
fn frames_of_a_library_alone_end_with_the_next_line() {
    check(
        "TypeError: a\n    at x (/p/node_modules/a.js:1:1)\nready\n    at f (/p/b.js:1:1)",
        expect![[r#"
        1 ERROR /p/node_modules/a.js:1:1 exception g1 | TypeError: a
        2 place /p/node_modules/a.js:1:1 js-frame g1
        3 ERROR /p/b.js:1:1 js-frame g2 | ready
        4 place /p/b.js:1:1 js-frame g2
    "#]],
    );
}

#[test]
fn a_cause_belongs_to_what_it_caused() {
    check(
        "query failed: Error: table too small\n    at query (/p/schema.js:7:11) {\n  [cause]: RangeError: cols\n      at query (/p/schema.js:7:49)\n}",
        expect![[r#"
            1 ERROR /p/schema.js:7:11 exception-inside g1 | Error: table too small
            2 place /p/schema.js:7:11 js-frame g1
            4 place /p/schema.js:7:49 js-frame g1
        "#]],
    );
}

#[test]
fn processes_that_talk_at_once_are_kept_apart() {
    check(
        "[web] TypeError: a\n[api] RangeError: b\n[web]     at f (/p/web.js:1:1)\n[api]     at g (/p/api.js:2:2)",
        expect![[r#"
            1 ERROR /p/web.js:1:1 exception g1 | TypeError: a
            2 ERROR /p/api.js:2:2 exception g2 | RangeError: b
            3 place /p/web.js:1:1 js-frame g1
            4 place /p/api.js:2:2 js-frame g2
        "#]],
    );
}

#[test]
fn a_traceback_ends_with_its_error() {
    check(
        "Traceback (most recent call last):\n  File \"/p/a.py\", line 10, in main\n    g()\n  File \"/v/site-packages/x.py\", line 3, in g\n    raise\nKeyError: 'prod'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"/p/b.py\", line 21, in <module>\n    main()\nValueError\nafterwards",
        expect![[r#"
            2 place /p/a.py:10 python-frame g1
            4 place /v/site-packages/x.py:3 python-frame g1
            6 ERROR /p/a.py:10 python g1 | KeyError: 'prod'
            11 place /p/b.py:21 python-frame g1
            13 error /p/b.py:21 python g1 | ValueError
        "#]],
    );
}

#[test]
fn pytest_long_and_short() {
    check(
        ">       rich.withdraw(250)\n\ntests/test_account.py:6: \n_ _ _ _ _\n\nE           ValueError: insufficient funds\n\nsrc/bank/account.py:7: ValueError\n____ test_b ____\ntests/test_account.py:12: in test_b\n    assert a\nE   AssertionError: money got lost\nE   assert 20 == 25",
        expect![[r#"
            3 place tests/test_account.py:6 pytest-caller g1
            8 ERROR src/bank/account.py:7 pytest g1 | ValueError: insufficient funds
            10 place tests/test_account.py:12 pytest-frame g2
            12 ERROR tests/test_account.py:12 pytest-said g2 | AssertionError: money got lost
        "#]],
    );
}

#[test]
fn esbuild_and_vite() {
    check(
        "✘ [ERROR] Could not resolve \"./missing\"\n\n    src/index.tsx:2:21:\n      2 │ import\n\n▲ [WARNING] odd\n\n    src/größe.json:3:7:\n[vite] Internal server error: Failed to resolve import \"./x\" from \"src/h.ts\". Does the file exist?\n  Plugin: vite:import-analysis\n  File: /p/src/h.ts:1:18\n[vite] Internal server error: Failed to resolve import \"./x\" from \"src/h.ts\". Does the file exist?\n  File: /p/src/h.ts:1:18",
        expect![[r#"
            1 ERROR src/index.tsx:2:21 esbuild g1 | Could not resolve "./missing"
            3 error src/index.tsx:2:21 esbuild-place g1
            6 WARNING src/größe.json:3:7 esbuild g2 | odd
            8 warning src/größe.json:3:7 esbuild-place g2
            9 ERROR /p/src/h.ts:1:18 vite-error g3 | Failed to resolve import "./x" from "src/h.ts". Does the file exist?
            11 error /p/src/h.ts:1:18 vite-file g3
            12 ERROR /p/src/h.ts:1:18 vite-error g3 | Failed to resolve import "./x" from "src/h.ts". Does the file exist?
            13 error /p/src/h.ts:1:18 vite-file g3
        "#]],
    );
}

#[test]
fn webpack() {
    check(
        "ERROR in ./src/lib/a.js 4:10\nModule parse failed: Unexpected token (4:10)\n @ ./src/index.js 1:0-32 5:12-13",
        expect![[r#"
            1 ERROR ./src/lib/a.js:4:10 webpack g1 | Module parse failed: Unexpected token (4:10)
            2 error ./src/lib/a.js:4:10 webpack-detail g1 | Module parse failed: Unexpected token
            3 place ./src/index.js:1:0 webpack-importer g1
        "#]],
    );
}

#[test]
fn jest_and_mocha() {
    check(
        "FAIL src/a.test.ts\n  ● Queue › pops in order\n\n    expect(received).toBe(expected)\n\n    > 8 | x\n\n      at Object.<anonymous> (src/a.test.ts:8:21)\n\n  ● Test suite failed to run\n\n    src/b.test.ts:4:28 - error TS2345: no\n\n  1) date\n       has the month:\n\n      AssertionError [ERR_ASSERTION]: Expected:\n\n4 !== 5\n\n      at Context.<anonymous> (test/date.js:9:12)",
        expect![[r#"
            2 ERROR src/a.test.ts:8:21 jest g1 | Queue › pops in order
            8 place src/a.test.ts:8:21 js-frame g1
            12 ERROR src/b.test.ts:4:28 tsc-pretty g2 | TS2345: no
            17 ERROR test/date.js:9:12 exception g3 | AssertionError [ERR_ASSERTION]: Expected:
            21 place test/date.js:9:12 js-frame g3
        "#]],
    );
}

#[test]
fn the_test_runner_of_node_tells_its_failures_twice() {
    check(
        "✖ clamp (3.4ms)\n  AssertionError [ERR_ASSERTION]: no\n      at TestContext.<anonymous> (file:///p/a.mjs:6:10)\n\n✖ failing tests:\n\ntest at a.mjs:5:1\n✖ clamp (3.4ms)\n  AssertionError [ERR_ASSERTION]: no\n      at TestContext.<anonymous> (file:///p/a.mjs:6:10)\n",
        expect![[r#"
            2 ERROR /p/a.mjs:6:10 exception g1 | AssertionError [ERR_ASSERTION]: no
            3 place /p/a.mjs:6:10 js-frame g1
            7 place a.mjs:5:1 node-test-repeat g0
            9 place /p/a.mjs:6:10 exception g2 | AssertionError [ERR_ASSERTION]: no
            10 place /p/a.mjs:6:10 js-frame g2
        "#]],
    );
    check(
        "not ok 1 - clamp\n  ---\n  location: '/p/a.mjs:5:1'\n  failureType: 'testCodeFailure'\n  stack: |-\n    TestContext.<anonymous> (file:///p/a.mjs:6:10)\n    Test.run (node:internal/test:1:2)\n  ...\nnot ok 2 - suite\n  ---\n  location: '/p/a.mjs:9:1'\n  failureType: 'subtestsFailed'\n",
        expect![[r#"
            1 ERROR /p/a.mjs:5:1 tap g1 | clamp
            3 place /p/a.mjs:5:1 tap-location g1
            6 place /p/a.mjs:6:10 tap-frame g1
            11 place /p/a.mjs:9:1 tap-location g2
        "#]],
    );
}

#[test]
fn a_panic_has_its_message_below() {
    check(
        "thread 'main' (7) panicked at src/ledger.rs:14:29:\nno such account\nstack backtrace:\n   0: core::option::expect\n             at /rustc/59/library/core/src/option.rs:971:21\n   5: demo::balance\n             at ./src/ledger.rs:14:29",
        expect![[r#"
            1 ERROR src/ledger.rs:14:29 rust-panic g1 | no such account
            7 place ./src/ledger.rs:14:29 rust-frame g1
        "#]],
    );
}

#[test]
fn c_with_what_included_it() {
    check(
        "In file included from src/main.c:2:\nsrc/vec.h:5:33: warning: no semicolon\nsrc/vec.h:6:25: note: expected\nsrc/main.c:6:21: error: expected ‘)’",
        expect![[r#"
            1 place src/main.c:2 c-included g1
            2 WARNING src/vec.h:5:33 c g1 | no semicolon
            3 place src/vec.h:6:25 c-note g1 | expected
            4 ERROR src/main.c:6:21 c g2 | expected ‘)’
        "#]],
    );
}

#[test]
fn tests_and_panics_of_go() {
    check(
        "--- FAIL: TestOrder (0.00s)\n    q_test.go:10: want 2\n    q_test.go:11: want 3\n--- FAIL: TestEmpty (0.00s)\npanic: index out of range [recovered]\n\tpanic: index out of range\n\ngoroutine 20 [running]:\ntesting.tRunner.func1.2({0x518a00, 0xc0})\n\t/usr/lib/go/src/testing/testing.go:1396 +0x24e\nm/q.(*Q).Pop(...)\n\t/p/q/q.go:8",
        expect![[r#"
            1 ERROR q_test.go:10 go-fail g1 | TestOrder
            2 error q_test.go:10 go-test g1 | want 2
            3 place q_test.go:11 go-test g1 | want 3
            5 ERROR /p/q/q.go:8 go-panic g2 | panic: index out of range [recovered]
            10 place /usr/lib/go/src/testing/testing.go:1396 go-frame g2
            12 place /p/q/q.go:8 go-frame g2
        "#]],
    );
}

#[test]
fn the_same_line_named_twice_is_one_error() {
    check(
        "a.sh: line 3: nope: command not found\na.sh: line 4: syntax error near `fi'\na.sh: line 4: `fi'",
        expect![[r#"
            1 ERROR a.sh:3 bash g1 | nope: command not found
            2 ERROR a.sh:4 bash g2 | syntax error near `fi'
            3 error a.sh:4 bash g2 | `fi'
        "#]],
    );
}

#[test]
fn causes_of_ruby_and_java() {
    check(
        "lib/cart.rb:12:in `total': bad line (Shop::Error)\n\tfrom bin/run.rb:5:in `main'\nlib/cart.rb:16:in `price': undefined method (NoMethodError)\n\tfrom lib/cart.rb:10:in `sum'\njava.lang.IllegalStateException: cannot load\n\tat com.acme.io.Loader.load(Loader.java:14)\nCaused by: java.lang.NumberFormatException: x\n\tat com.acme.io.Loader.load(Loader.java:12)\nException in thread \"main\" java.lang.ClassCastException: y\n\tat com.acme.Main.main(Main.java:15)",
        expect![[r#"
            1 ERROR lib/cart.rb:12 ruby-error g1 | bad line (Shop::Error)
            2 place bin/run.rb:5 ruby-from g1
            3 error lib/cart.rb:16 ruby-error g1 | undefined method (NoMethodError)
            4 place lib/cart.rb:10 ruby-from g1
            5 ERROR com/acme/io/Loader.java:14 exception g2 | java.lang.IllegalStateException: cannot load
            6 place com/acme/io/Loader.java:14 java-frame g2
            8 place com/acme/io/Loader.java:12 java-frame g2
            9 ERROR com/acme/Main.java:15 java g3 | java.lang.ClassCastException: y
            10 place com/acme/Main.java:15 java-frame g3
        "#]],
    );
}

#[test]
fn a_place_above_its_message() {
    check(
        "/app/src/A.svelte:1:24\nError: Type 'string' is not. (ts)\n\n./app/page.jsx:1:1\nModule not found: x\n\nFile \"bin/main.ml\", line 3, characters 10-15:\n3 | x\nError: Unbound value x\nfoo.f90:3:5:\n\n    3 | x\nError: Syntax error\nDockerfile:3\n-----\nERROR: failed to solve: no",
        expect![[r#"
            1 place /app/src/A.svelte:1:24 svelte-place g1
            2 ERROR /app/src/A.svelte:1:24 svelte-check g1 | Type 'string' is not.
            4 ERROR ./app/page.jsx:1:1 next-header g2 | Module not found: x
            7 place bin/main.ml:3:10 ocaml g3
            9 ERROR bin/main.ml:3:10 ocaml-message g3 | Unbound value x
            10 place foo.f90:3:5 fortran g4
            13 ERROR foo.f90:3:5 ocaml-message g4 | Syntax error
            14 place Dockerfile:3 docker g5
            16 ERROR Dockerfile:3 docker-solve g5 | failed to solve: no
        "#]],
    );
}

#[test]
fn tests_of_elixir_php_and_rspec() {
    check(
        "  1) test greets (FooTest)\n     test/foo_test.exs:5\n     Assertion with == failed\n     stacktrace:\n       test/foo_test.exs:6: (test)\n1) FooTest::testBar\nFailed asserting.\n\n/p/tests/FooTest.php:12\n     Failure/Error: expect(1).to eq 2\n     # ./spec/a_spec.rb:3:in `block'\nrspec ./spec/a_spec.rb:2 # Foo",
        expect![[r#"
            1 ERROR test/foo_test.exs:5 exunit g1 | test greets (FooTest)
            2 error test/foo_test.exs:5 exunit-place g1
            5 place test/foo_test.exs:6 elixir-frame g1
            6 ERROR /p/tests/FooTest.php:12 phpunit-title g2 | FooTest::testBar
            9 error /p/tests/FooTest.php:12 phpunit g2
            10 ERROR ./spec/a_spec.rb:3 rspec-failure g3 | expect(1).to eq 2
            11 place ./spec/a_spec.rb:3 rspec g3
            12 place ./spec/a_spec.rb:2 rspec-rerun g0 | Foo
        "#]],
    );
}

#[test]
fn an_exception_group_is_one_story() {
    check(
        "  + Exception Group Traceback (most recent call last):\n  |   File \"/p/c.py\", line 3, in f\n  | ExceptionGroup: two (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File \"/p/c.py\", line 9, in g\n    | ValueError: x\n    +------------------------------------",
        expect![[r#"
            2 place /p/c.py:3 python-frame g1
            3 ERROR /p/c.py:3 python g1 | ExceptionGroup: two (2 sub-exceptions)
            6 place /p/c.py:9 python-frame g1
            7 error /p/c.py:9 python g1 | ValueError: x
        "#]],
    );
}

#[test]
fn a_title_expires() {
    let log = format!("TypeError: old{}\n    at f (/p/a.js:1:1)", "\nsomething else".repeat(70));
    check(
        &log,
        expect![[r#"
        1 ERROR nowhere exception g1 | TypeError: old
        71 ERROR /p/a.js:1:1 js-frame g2 | something else
        72 place /p/a.js:1:1 js-frame g2
    "#]],
    );
}
