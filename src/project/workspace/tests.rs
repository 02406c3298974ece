//! Workspaces of every kind in a temporary directory.

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use crate::{
    config::{self, Config},
    event::ProcessInfo,
    project::{PathLookup, Project, ProjectError, find_root, load},
};

/// A repository. Its root is `repo`; the managers in `bin` are empty files.
struct Repo(TempDir);

impl Repo {
    fn new(files: &[(&str, &str)]) -> Self {
        let repo = Self(TempDir::new().unwrap());
        fs::create_dir_all(repo.at(".git")).unwrap();
        for (file, text) in files {
            repo.write(file, text);
        }
        repo
    }

    fn write(&self, file: &str, text: &str) {
        fs::create_dir_all(self.at(file).parent().unwrap()).unwrap();
        fs::write(self.at(file), text).unwrap();
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join("repo").join(path)
    }

    fn load(&self) -> Project {
        load(&self.0.path().join("repo"), &Config::default())
    }

    fn labels(&self) -> String {
        self.load().scripts.iter().map(crate::project::Script::label).collect::<Vec<_>>().join(" ")
    }

    fn problems(&self) -> Vec<String> {
        let project = self.load();
        project.problems.iter().map(|problem| problem.within(&project.root)).collect()
    }

    fn run(&self, name: &str, from: &str) -> Result<ProcessInfo, ProjectError> {
        let bin = self.0.path().join("bin");
        fs::create_dir_all(&bin).unwrap();
        for name in ["npm", "pnpm", "yarn", "bun", "deno", "nx", "turbo"] {
            let program = bin.join(name);
            fs::write(&program, "").unwrap();
            fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        self.load().seen_from(&self.at(from)).command(name, &[], &PathLookup::new(bin.as_os_str()))
    }

    /// Where a name leads: `PACKAGE/SCRIPT: ARGV in CWD`.
    fn leads(&self, name: &str, from: &str) -> String {
        let info = match self.run(name, from) {
            Ok(info) => info,
            Err(error) => return error.to_string(),
        };
        let root = self.0.path().join("repo");
        let cwd = info.cwd.strip_prefix(&root).unwrap().display().to_string();
        let argv = info.argv.join(" ").replace(&self.0.path().join("bin/").display().to_string(), "");
        format!("{}: {argv} in ./{cwd}", info.label())
    }
}

fn package(name: &str, scripts: &[&str]) -> String {
    let scripts: serde_json::Map<_, _> =
        scripts.iter().map(|script| ((*script).to_owned(), "x".into())).collect();
    serde_json::to_string_pretty(&serde_json::json!({ "name": name, "scripts": scripts })).unwrap()
}

/// A pnpm workspace with a web and an api, and a package that is none of its.
fn shop() -> Repo {
    Repo::new(&[
        ("package.json", &package("shop", &["dev", "lint"])),
        ("pnpm-workspace.yaml", "packages:\n  - 'packages/*' # all\n  - \"!packages/old\"\n"),
        ("packages/web/package.json", &package("@shop/web", &["dev", "storybook"])),
        ("packages/web/src/main.ts", ""),
        ("packages/api/package.json", &package("@shop/api", &["dev", "a b"])),
        ("packages/old/package.json", &package("old", &["dev"])),
        ("examples/one/package.json", &package("one", &["dev"])),
    ])
}

// === every kind ===

#[test]
fn pnpm_takes_its_own_file_and_each_script_knows_its_place() {
    let repo = shop();
    let project = repo.load();
    assert_eq!(project.workspace.unwrap().to_string(), "pnpm");
    assert_eq!(repo.problems(), Vec::<String>::new());
    assert_eq!(repo.labels(), "dev lint api/dev api/a b web/dev web/storybook");
    let script = project.script("web/storybook").unwrap();
    assert_eq!((script.file.clone(), script.line), (repo.at("packages/web/package.json"), 5));
    assert_eq!((script.cwd.clone(), script.kind), (repo.at("packages/web"), "pnpm"));
    let json = project.to_json();
    assert_eq!(json["packages"][1]["name"], "web");
    assert_eq!(json["workspace"], "pnpm");
}

#[test]
fn npm_yarn_and_bun_take_the_field_of_package_json() {
    let list = r#"{ "workspaces": ["packages/*", "!packages/b"] }"#;
    let object = r#"{ "workspaces": { "packages": ["packages/**"], "nohoist": ["x"] } }"#;
    for (lock, manager) in [("package-lock.json", "npm"), ("yarn.lock", "yarn"), ("bun.lock", "bun")] {
        let repo = Repo::new(&[
            ("package.json", list),
            (lock, ""),
            ("packages/a/package.json", &package("a", &["dev"])),
            ("packages/b/package.json", &package("b", &["dev"])),
            ("packages/b/c/package.json", &package("c", &["dev"])),
            ("packages/b/node_modules/d/package.json", &package("d", &["dev"])),
        ]);
        assert_eq!(repo.load().workspace.unwrap().to_string(), manager);
        assert_eq!(repo.labels(), "a/dev");
        assert_eq!(repo.leads("a/dev", ""), format!("a/dev: {manager} run dev in ./packages/a"));
        repo.write("package.json", object);
        assert_eq!(repo.labels(), "a/dev b/dev c/dev");
    }
    let nothing = Repo::new(&[("package.json", r#"{ "workspaces": { "nohoist": ["x"] } }"#)]);
    assert_eq!(nothing.load().workspace, None);
}

#[test]
fn lerna_rush_and_deno_have_their_own_files() {
    let packages = [
        ("packages/a/package.json", package("a", &["dev"])),
        ("apps/b/package.json", package("b", &["dev"])),
    ];
    let repo = |file: &str, text: &str| {
        let repo = Repo::new(&[(file, text)]);
        packages.iter().for_each(|(file, text)| repo.write(file, text));
        let project = repo.load();
        let kind = project.workspace.map(|kind| kind.to_string()).unwrap_or_default();
        format!("{kind} {}: {}", project.manager, repo.labels())
    };
    assert_eq!(repo("lerna.json", r#"{ "packages": ["apps/*"] }"#), "Lerna npm: b/dev");
    assert_eq!(repo("lerna.json", r#"{ "npmClient": "npm" }"#), "Lerna npm: a/dev");
    let rush = r#"/* Rush writes
        comments */
    {
      "pnpmVersion": "9.1.0", // ours
      "projects": [
        { "packageName": "b", "projectFolder": "apps/b", },
      ],
    }"#;
    assert_eq!(repo("rush.json", rush), "Rush pnpm: b/dev");
    assert_eq!(
        repo("deno.jsonc", r#"{ "workspace": ["./apps/b"], "tasks": { "start": "deno run x" } }"#),
        "deno deno: start b/dev"
    );
}

#[test]
fn nx_adds_projects_and_their_targets() {
    let repo = Repo::new(&[
        ("package.json", r#"{ "name": "org", "scripts": { "start": "x" } }"#),
        ("nx.json", "{ // settings\n}"),
        (
            "apps/web/project.json",
            "{\n  \"name\": \"shop-web\",\n  // where\n  \"targets\": {\n    \"serve\": { \"continuous\": true },\n    \"build\": {}\n  }\n}",
        ),
        ("apps/dist/web/project.json", "{}"),
        (
            "libs/ui/package.json",
            r#"{ "name": "@org/ui", "scripts": { "build": "x" }, "nx": { "targets": { "build": {}, "docs": {} } } }"#,
        ),
        ("deep/er/tool/project.json", r#"{ "targets": { "gen": {} } }"#),
    ]);
    assert_eq!(repo.load().workspace.unwrap().to_string(), "Nx");
    assert_eq!(repo.problems(), Vec::<String>::new());
    assert_eq!(repo.labels(), "start shop-web/serve shop-web/build tool/gen ui/build ui/docs");
    assert_eq!(repo.leads("shop-web/serve", ""), "shop-web/serve: nx run shop-web:serve in ./");
    assert_eq!(repo.leads("ui/docs", ""), "ui/docs: nx run @org/ui:docs in ./");
    let project = repo.load();
    let serve = project.script("shop-web/serve").unwrap();
    assert_eq!((serve.line, serve.kind, serve.background), (5, "nx", true));
    repo.write("workspace.json", r#"{ "projects": { "t": "deep/er/tool", "w": { "root": "apps/web" } } }"#);
    assert_eq!(
        repo.labels(),
        "start shop-web/serve shop-web/build tool/gen",
        "the older list is the whole list"
    );
}

#[test]
fn turborepo_has_tasks_of_the_root() {
    let repo = shop();
    repo.write(
        "turbo.json",
        "{\n  // tasks\n  \"tasks\": {\n    \"build\": {},\n    \"dev\": { \"persistent\": true },\n    \"web#build\": {},\n    \"//#lint\": {}\n  }\n}",
    );
    let project = repo.load();
    assert_eq!(project.workspace.unwrap().to_string(), "Turborepo");
    assert!(repo.labels().starts_with("dev lint turbo build turbo dev api/dev"), "{}", repo.labels());
    assert_eq!(repo.leads("turbo dev", ""), "turbo dev: turbo run dev in ./");
    let dev = project.script("turbo dev").unwrap();
    assert_eq!((dev.line, dev.background), (5, true));
    // What is installed with the project comes before what is on PATH.
    repo.write("node_modules/.bin/turbo", "");
    fs::set_permissions(
        repo.at("node_modules/.bin/turbo"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    assert!(repo.leads("turbo dev", "").contains("node_modules/.bin/turbo run dev"));
    repo.write("turbo.json", "{ \"pipeline\": { \"build\": {} ");
    assert_eq!(repo.problems(), ["turbo.json:1: unterminated object: correct the JSON there"]);
}

#[test]
fn electron_wails_and_deno_offer_what_they_run() {
    let repo = Repo::new(&[
        (
            "package.json",
            "{\n  \"scripts\": { \"dev\": \"x\" },\n  \"devDependencies\": {\n    \"electron\": \"^1\"\n  }\n}",
        ),
        ("wails.json", "{}"),
        (
            "deno.json",
            r#"{ "tasks": { "dev": "deno run a.ts", "check": { "command": "deno lint", "description": "Looks" }, "all": { "dependencies": ["dev", "check"] }, "bad": 1 } }"#,
        ),
    ]);
    assert_eq!(repo.labels(), "dev deno task dev check all electron . wails dev wails build");
    assert_eq!(repo.leads("check", ""), "check: deno task check in ./");
    assert_eq!(repo.leads("deno task dev", ""), "deno task dev: deno task dev in ./");
    let project = repo.load();
    assert_eq!(project.script("electron .").unwrap().line, 4);
    assert_eq!(project.script("all").unwrap().command, "dev && check");
    assert_eq!(repo.problems(), ["deno.json:1: tasks.bad: must be a string, not a number; it is left out"]);
}

// === names ===

#[test]
fn what_is_nearest_is_meant_first() {
    let repo = shop();
    let web = "web/dev: pnpm run dev in ./packages/web";
    assert_eq!(repo.leads("dev", ""), "dev: pnpm run dev in ./");
    assert_eq!(repo.leads("dev", "packages/web/src/main.ts"), web);
    for name in ["web/dev", "@shop/web/dev", "packages/web/dev"] {
        assert_eq!(repo.leads(name, ""), web);
        assert_eq!(repo.leads(name, "packages/api"), web);
    }
    assert_eq!(repo.leads("lint", "packages/web"), "lint: pnpm run lint in ./");
    assert_eq!(
        repo.leads("storybook", "packages/api"),
        "web/storybook: pnpm run storybook in ./packages/web"
    );
    assert_eq!(
        repo.leads("web/a b", ""),
        "no script \"web/a b\" in package.json, packages/api/package.json or packages/web/package.json (dev, lint, api/dev, api/a b, web/dev, 1 more)"
    );
    assert_eq!(repo.load().seen_from(&repo.at("packages/web/src")).here.as_deref(), Some("web"));
    assert_eq!(repo.load().seen_from(&repo.at("examples/one")).here, None);
}

#[test]
fn a_name_that_several_packages_have_is_asked_back() {
    let repo = shop();
    repo.write("package.json", &package("shop", &["lint"]));
    assert_eq!(repo.leads("dev", ""), "\"dev\" could be api/dev, web/dev: say which");
    assert_eq!(repo.leads("dev", "packages/api"), "api/dev: pnpm run dev in ./packages/api");
}

#[test]
fn packages_are_called_by_as_little_as_tells_them_apart() {
    let repo = Repo::new(&[
        ("package.json", r#"{ "workspaces": ["a/*", "b/*"] }"#),
        ("a/ui/package.json", &package("@one/ui", &["s"])),
        ("b/ui/package.json", &package("@two/ui", &["s"])),
        ("a/x/package.json", &package("same", &["s"])),
        ("b/x/package.json", &package("same", &["s"])),
        ("b/plain/package.json", "{\n  \"scripts\": { \"s\": \"x\" }\n}"),
    ]);
    assert_eq!(repo.labels(), "@one/ui/s a/x/s plain/s @two/ui/s b/x/s");
    assert_eq!(
        repo.problems(),
        [
            "b/x/package.json:2: name: \"same\" is the name of a/x too; here each is called by its path",
            "b/plain/package.json:1: name: is missing; here the package is called plain",
        ]
    );
    assert_eq!(repo.leads("a/ui/s", ""), "@one/ui/s: npm run s in ./a/ui");
    assert_eq!(repo.leads("ui/s", ""), "\"ui/s\" could be @one/ui/s, @two/ui/s: say which");
}

#[test]
fn scripts_called_like_anything_work() {
    let repo = shop();
    repo.write("packages/web/package.json", &package("web", &["stop", "a#b", "größe", "build/prod", " "]));
    for name in ["stop", "a#b", "größe", "build/prod", " "] {
        let found = repo.run(&format!("web/{name}"), "").unwrap();
        assert_eq!((found.package.as_deref(), found.name.as_str()), (Some("web"), name));
    }
}

#[test]
fn settings_reach_the_script_of_a_package() {
    let repo = shop();
    repo.write(
        ".brum.toml",
        "[scripts.\"web/dev\"]\nenv = { PORT = '1' }\n[scripts.\"api/extra\"]\ncommand = 'x'\n",
    );
    let root = repo.0.path().join("repo");
    let loaded = config::load(&root, None, &|_| None);
    assert_eq!(loaded.problems, []);
    let project = load(&root, &loaded.config);
    let web = project.script("web/dev").unwrap();
    assert_eq!((web.cwd.clone(), web.env[0].name.as_str()), (repo.at("packages/web"), "PORT"));
    assert_eq!(project.script("dev").unwrap().env, []);
    assert_eq!(project.script("api/extra").unwrap().cwd, repo.at("packages/api"));
}

// === what is wrong ===

#[test]
fn a_broken_package_is_told_and_the_rest_works() {
    let repo = shop();
    repo.write("pnpm-workspace.yaml", "packages:\n  - packages/*\n  - lib/**\n  - 5\n  - 'x/[a'\n");
    repo.write(
        "packages/api/package.json",
        "{\n  \"name\": \"api\",\n  \"scripts\": {\n    \"dev\": \"x\"\n",
    );
    repo.write("packages/old/package.json", "{\n  \"scripts\": {\n    \"dev\": 5 } }");
    assert_eq!(repo.labels(), "dev lint web/dev web/storybook");
    assert_eq!(
        repo.problems(),
        [
            "pnpm-workspace.yaml:4: packages: must hold strings, not a number; it is ignored",
            "pnpm-workspace.yaml:5: packages: unclosed character class; missing ']'",
            "pnpm-workspace.yaml:3: packages: \"lib/**\" leads to no directory with a package.json",
            "packages/api/package.json:5: the file ends too early: close what is open",
            "packages/old/package.json:3: scripts.dev: must be a string, not a number; it is left out",
            "packages/old/package.json:1: name: is missing; here the package is called old",
        ]
    );
    repo.write("pnpm-workspace.yaml", "packages: [\n");
    assert_eq!(repo.load().workspace, None);
    assert!(repo.problems()[0].starts_with("pnpm-workspace.yaml:2: "), "{:?}", repo.problems());
    repo.write("pnpm-workspace.yaml", "onlyBuiltDependencies: []\n");
    assert_eq!((repo.load().workspace, repo.problems()), (None, vec![]));
}

// === roots ===

#[test]
fn the_root_of_a_package_is_its_workspace() {
    let repo = shop();
    let root = repo.0.path().join("repo");
    let find = |from: &str| find_root(&repo.at(from));
    assert_eq!(find("packages/web"), Some(root.clone()));
    assert_eq!(find("packages/web/src/main.ts"), Some(root.clone()));
    assert_eq!(find("packages/web/node_modules/vite/index.js"), Some(root.clone()));
    assert_eq!(find("packages/old/x"), Some(repo.at("packages/old")), "what is left out is no part of it");
    assert_eq!(find("examples/one"), Some(repo.at("examples/one")));
    repo.write("packages/api/.brum.toml", "");
    assert_eq!(
        find("packages/api/src"),
        Some(repo.at("packages/api")),
        "settings of its own make it its own"
    );
    repo.write("packages/web/.git", "gitdir: elsewhere");
    assert_eq!(find("packages/web"), Some(repo.at("packages/web")), "another repository begins there");
}

#[test]
fn a_thousand_packages_are_all_there() {
    let repo = Repo::new(&[
        ("package.json", r#"{ "workspaces": ["packages/*"], "scripts": { "dev": "x" } }"#),
        ("pnpm-lock.yaml", ""),
    ]);
    for n in 0..1_000 {
        repo.write(
            &format!("packages/p{n}/package.json"),
            &package(&format!("@org/p{n}"), &["dev", "build", "test", "lint"]),
        );
    }
    let project = repo.load();
    assert_eq!((project.packages.len(), project.scripts.len()), (1_000, 4_001));
    assert_eq!(repo.problems(), Vec::<String>::new());
    assert_eq!(project.script("p777/build").unwrap().cwd, repo.at("packages/p777"));
    assert_eq!(find_root(&repo.at("packages/p9/src/x")), Some(repo.0.path().join("repo")));
}
