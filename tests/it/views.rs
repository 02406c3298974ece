//! Searching, filtering, writing and looking back, in a real Neovim.

use crate::support::{nvim::Nvim, project::Project};

const DEV: &str = "brummer://logs/dev";

/// Prints thirty lines of which three are not the usual ones, a link, and an error on the standard error, and stays.
const SCRIPT: &str = r#"
printf 'ready at \033]8;;https://linked.test/x\033\\here\033]8;;\033\\ or https://plain.test/y.\n'
i=1
while [ $i -le 30 ]; do
  case $i in 10|20|30) echo "GET /items/$i" ;; *) echo "[hmr] update $i" ;; esac
  i=$((i + 1))
done
echo "src/a.ts(3,1): error TS2322: Type 'string' is not assignable." >&2
exec sleep 600
"#;

fn project() -> Project {
    let project = Project::with(&[("dev", "sh dev.sh"), ("api", "sh api.sh")]);
    project.write("api.sh", "echo an error is here\n");
    project.write("dev.sh", SCRIPT);
    project.write("src/a.ts", "1\n2\n3\n4\n");
    project
}

/// A Neovim in whose log all of `dev` stands.
fn started(project: &Project) -> Nvim {
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun dev");
    nvim.wait_line(DEV, "src/a.ts(3,1): error TS2322: Type 'string' is not assignable.");
    nvim.wait_line(DEV, "[hmr] update 29");
    nvim
}

fn wait_buffer(nvim: &Nvim, name: &str) {
    nvim.wait_until(name, |nvim| nvim.buffer() == name);
}

#[test]
fn a_filter_shows_what_passes_in_this_window_and_goes_back() {
    let project = project();
    let nvim = started(&project);
    nvim.keys("?GET .items.20<CR>");
    nvim.wait_until("the line", |nvim| nvim.text_at_cursor() == "GET /items/20");
    nvim.ex("Brummer filter -hmr stream:out /items/");
    wait_buffer(&nvim, "brummer://logs/dev?-hmr stream:out /items/");
    nvim.wait_until("what passes", |nvim| nvim.lines(&nvim.buffer()).len() == 3);
    nvim.wait_until("the cursor on its line", |nvim| nvim.text_at_cursor() == "GET /items/20");
    nvim.wait_screen("3 of ");
    nvim.keys("gg");
    nvim.ex("Brummer filter --off");
    wait_buffer(&nvim, DEV);
    nvim.wait_until("the same line", |nvim| nvim.text_at_cursor() == "GET /items/10");
    nvim.ex("Brummer filter errors");
    wait_buffer(&nvim, "brummer://logs/dev?errors");
    nvim.wait_until("the error alone", |nvim| {
        nvim.lines(&nvim.buffer()) == ["src/a.ts(3,1): error TS2322: Type 'string' is not assignable."]
    });
    nvim.ex("Brummer filter /a(b/");
    nvim.wait_said(&["filter: ", "character"]);
    assert_eq!(nvim.buffer(), "brummer://logs/dev?errors");
}

#[test]
fn a_search_goes_through_all_logs_and_leads_to_source_or_log() {
    let project = project();
    let nvim = started(&project);
    nvim.ex("BrummerRun api");
    nvim.wait_line("brummer://logs/api", "an error is here");
    nvim.ex("Brummer logs dev");
    nvim.exec(r"vim.fn.setreg('/', [[\v<(is not|is here)>]])");
    nvim.keys("g/");
    wait_buffer(&nvim, "brummer://search/1");
    nvim.wait_until("both hits", |nvim| nvim.lines("brummer://search/1").len() == 2);
    nvim.wait_screen("2 hits");
    nvim.keys("/TS2322<CR><CR>");
    nvim.wait_until("the source", |nvim| nvim.buffer().ends_with("src/a.ts") && nvim.position().0 == 3);
    nvim.ex("wincmd p");
    nvim.keys("/is here<CR><CR>");
    wait_buffer(&nvim, "brummer://logs/api");
    nvim.wait_until("the line in its log", |nvim| nvim.text_at_cursor() == "an error is here");
    nvim.ex("Brummer search /a(b/");
    nvim.wait_said(&["filter: ", "character"]);
}

#[test]
fn a_line_tells_all_of_itself_and_its_links_open() {
    let project = project();
    let nvim = started(&project);
    nvim.exec("vim.ui.open = function(url) _G.opened = url end");
    nvim.keys("?TS2322<CR>K");
    nvim.wait_screen(" · stderr · run 1 · line ");
    nvim.wait_screen("taken for: ");
    nvim.keys("q");
    nvim.keys("?ready at<CR>0fhgx");
    nvim.wait_until("the link", |nvim| nvim.lua("_G.opened") == "https://linked.test/x");
    nvim.keys("$gx");
    nvim.keys("0f:gx");
    nvim.wait_until("the address in the text", |nvim| nvim.lua("_G.opened") == "https://plain.test/y");
}

#[test]
fn a_log_is_written_whole_and_yanked_as_printed() {
    let project = project();
    let nvim = started(&project);
    nvim.ex("Brummer filter /items/");
    wait_buffer(&nvim, "brummer://logs/dev?/items/");
    nvim.wait_until("what passes", |nvim| nvim.lines(&nvim.buffer()).len() == 3);
    nvim.keys(":w out.log<CR>");
    nvim.wait_said(&["3 lines written to out.log"]);
    assert_eq!(project.read("out.log"), "GET /items/10\nGET /items/20\nGET /items/30\n");
    nvim.keys(":2w! out.log<CR>");
    nvim.wait_said(&["1 line written to out.log"]);
    assert_eq!(project.read("out.log"), "GET /items/20\n");
    nvim.keys(":w<CR>");
    nvim.wait_said(&["use :w FILE"]);
    nvim.keys("ggyG");
    assert_eq!(nvim.lua("vim.fn.getreg('\"')"), "GET /items/10\nGET /items/20\nGET /items/30\n");
    assert!(!nvim.is_blocked());
}

#[test]
fn the_log_of_the_session_before_is_shown_and_that_of_a_restored_one() {
    let project = project();
    let state = tempfile::tempdir().unwrap();
    let state = state.path().to_str().unwrap();
    let session = project.path("Session.vim");
    {
        let mut nvim = Nvim::at(project.root()).env("XDG_STATE_HOME", state).start();
        nvim.ex("BrummerRun dev");
        nvim.wait_line(DEV, "[hmr] update 29");
        nvim.wait_line(DEV, "src/a.ts(3,1): error TS2322: Type 'string' is not assignable.");
        nvim.ex(&format!("mksession {}", session.display()));
        nvim.keys(":qa!<CR>");
        nvim.wait_exit();
    }
    let nvim = Nvim::at(project.root()).env("XDG_STATE_HOME", state).start();
    nvim.ex(&format!("silent source {}", session.display()));
    nvim.wait_line(DEV, "[hmr] update 29");
    nvim.wait_screen("not running · r to run");
    nvim.ex("Brummer logs --previous dev");
    wait_buffer(&nvim, "brummer://logs/dev?session:previous");
    let at = nvim.wait_line(
        "brummer://logs/dev?session:previous",
        "src/a.ts(3,1): error TS2322: Type 'string' is not assignable.",
    );
    nvim.ex("write all.txt");
    nvim.wait_screen("written to all.txt");
    let all = std::fs::read_to_string(project.path("all.txt")).unwrap();
    assert!(all.lines().eq(nvim.lines("brummer://logs/dev?session:previous")));
    nvim.ex("Brummer filter hmr -1");
    wait_buffer(&nvim, "brummer://logs/dev?session:previous hmr -1");
    nvim.wait_line("brummer://logs/dev?session:previous hmr -1", "[hmr] update 29");
    nvim.ex("write some.txt");
    nvim.wait_screen("written to some.txt");
    let some = std::fs::read_to_string(project.path("some.txt")).unwrap();
    assert!(some.lines().eq(all.lines().filter(|line| line.contains("hmr") && !line.contains('1'))));
    nvim.ex("Brummer filter --off");
    wait_buffer(&nvim, "brummer://logs/dev?session:previous");
    nvim.keys(&format!("{at}G<CR>"));
    nvim.wait_until("the source", |nvim| nvim.buffer().ends_with("src/a.ts") && nvim.position().0 == 3);
    nvim.ex("Brummer search --previous /items.20/");
    wait_buffer(&nvim, "brummer://search/1");
    nvim.wait_until("the hit", |nvim| nvim.lines("brummer://search/1") == ["GET /items/20"]);
}
