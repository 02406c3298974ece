//! The files that make a directory a workspace, each read into patterns.
//!
//! The first of these says which directories are packages: `pnpm-workspace.yaml`, `workspaces` of `package.json` (npm,
//! Yarn, Bun), `workspace` of `deno.json`, `lerna.json`, `rush.json`. Nx adds the directories with a `project.json`, and
//! where nothing else says so, those that it takes by default. Turborepo has no packages of its own.

use std::path::{Path, PathBuf};

use super::{RUSH_FILE, WorkspaceKind, glob::Patterns};
use crate::{
    config::{PackageManagerName, Problem},
    project::{
        deno,
        document::{self, Node},
        package_json::{FILE_NAME, PackageJson},
    },
};

const NX_FILE: &str = "nx.json";
const TURBO_FILES: [&str; 2] = ["turbo.json", "turbo.jsonc"];

/// The file that describes a project to Nx.
pub(super) const NX_PROJECT: &str = "project.json";

/// What makes the workspace.
pub(in crate::project) struct Definition {
    pub(super) kind: WorkspaceKind,
    /// The lists of packages, one for each file that has one.
    pub(super) lists: Vec<List>,
}

/// Some of the packages.
pub(super) struct List {
    /// The file that says so, and the key in it.
    pub(super) file: PathBuf,
    pub(super) key: &'static str,
    pub(super) patterns: Patterns,
    /// A directory with one of these files is a package.
    pub(super) manifests: &'static [&'static str],
    /// Whether somebody wrote the patterns, and wants to hear of those that lead nowhere.
    pub(super) written: bool,
}

/// What the files in `root` say. `None` when it is no workspace.
pub(super) fn define(
    root: &Path,
    own: Option<&PackageJson>,
    manager: PackageManagerName,
    problems: &mut Vec<Problem>,
) -> Option<Definition> {
    let mut reader = Reader { root, problems };
    let lerna = reader.document("lerna.json");
    let rush = reader.document(RUSH_FILE);
    let nx = root.join(NX_FILE).is_file();
    let mut lists: Vec<_> = reader
        .pnpm()
        .or_else(|| reader.package_json(own?))
        .or_else(|| reader.deno())
        .or_else(|| reader.lerna(lerna.as_ref()?))
        .or_else(|| reader.rush(rush.as_ref()?))
        .into_iter()
        .collect();
    if nx {
        lists.extend(reader.nx(lists.is_empty()));
    }
    if lists.is_empty() {
        return None;
    }
    let kind = match () {
        () if rush.is_some() => WorkspaceKind::Rush,
        () if nx => WorkspaceKind::Nx,
        () if TURBO_FILES.iter().any(|file| root.join(file).is_file()) => WorkspaceKind::Turborepo,
        () if lerna.is_some() => WorkspaceKind::Lerna,
        () => WorkspaceKind::Manager(manager),
    };
    Some(Definition { kind, lists })
}

struct Reader<'a> {
    root: &'a Path,
    problems: &'a mut Vec<Problem>,
}

// === impl Definition ===

impl Definition {
    /// Whether a directory, relative to the root, is one of the packages.
    pub(in crate::project) fn has(&self, root: &Path, relative: &Path) -> bool {
        self.lists.iter().any(|list| {
            list.patterns.fit(relative)
                && list.manifests.iter().any(|file| root.join(relative).join(file).is_file())
        })
    }
}

// === impl Reader ===

impl Reader<'_> {
    fn document(&mut self, name: &str) -> Option<Node> {
        document::read(&self.root.join(name)).unwrap_or_else(|problem| {
            self.problems.push(problem);
            None
        })
    }

    /// `pnpm-workspace.yaml` without packages holds settings only.
    fn pnpm(&mut self) -> Option<List> {
        const FILE: &str = "pnpm-workspace.yaml";
        let settings = self.document(FILE)?;
        let field = settings.get("packages")?;
        let written = self.strings(FILE, "packages", &field.node);
        self.list(FILE, "packages", &written)
    }

    fn package_json(&mut self, own: &PackageJson) -> Option<List> {
        self.list(FILE_NAME, "workspaces", own.workspaces.as_ref()?)
    }

    /// A list, or an object that has one as `members`.
    fn deno(&mut self) -> Option<List> {
        let name = deno::FILES.into_iter().find(|name| self.root.join(name).is_file())?;
        // Its errors are told by whoever reads its tasks.
        let settings = document::read(&self.root.join(name)).ok().flatten()?;
        let field = settings.get("workspace")?;
        let members = field.node.get("members").map_or(&field.node, |members| &members.node);
        let written = self.strings(name, "workspace", members);
        let list = self.list(name, "workspace", &written)?;
        Some(List { manifests: &["deno.json", "deno.jsonc", FILE_NAME], ..list })
    }

    /// Without `packages`, Lerna takes those of the package manager, which have been looked for before, else `packages/*`.
    fn lerna(&mut self, settings: &Node) -> Option<List> {
        const FILE: &str = "lerna.json";
        match settings.get("packages") {
            Some(field) => {
                let written = self.strings(FILE, "packages", &field.node);
                self.list(FILE, "packages", &written)
            }
            None => self.list(FILE, "packages", &[("packages/*".to_owned(), settings.line)]),
        }
    }

    fn rush(&mut self, settings: &Node) -> Option<List> {
        let projects = settings.get("projects")?.node.list()?.iter();
        let folders = projects.filter_map(|project| {
            let folder = &project.get("projectFolder")?.node;
            Some((folder.text()?.to_owned(), folder.line))
        });
        let patterns = Patterns::literal(&folders.collect::<Vec<_>>());
        Some(List {
            file: self.root.join(RUSH_FILE),
            key: "projects",
            patterns,
            manifests: &[FILE_NAME],
            written: true,
        })
    }

    /// Everything with a `project.json`. With nothing else to say what a package is, also what older versions list in
    /// `workspace.json`, else the usual places.
    fn nx(&mut self, alone: bool) -> Vec<List> {
        let list = |file: &str, patterns: Patterns, manifests| List {
            file: self.root.join(file),
            key: "projects",
            patterns,
            manifests,
            written: false,
        };
        let patterns = |texts: &[&str]| {
            let texts: Vec<_> = texts.iter().map(|text| ((*text).to_owned(), 1)).collect();
            Patterns::new(&texts).0
        };
        // What builds leave behind repeats the sources.
        let built = ["**", "!**/dist/**", "!**/build/**", "!**/tmp/**", "!**/coverage/**"];
        let mut lists = vec![list(NX_FILE, patterns(&built), &[NX_PROJECT])];
        if !alone {
            return lists;
        }
        let older = document::read(&self.root.join("workspace.json")).ok().flatten();
        let older: Vec<_> = older
            .as_ref()
            .and_then(|older| older.get("projects"))
            .map_or(&[][..], |projects| projects.node.members())
            .iter()
            .filter_map(|project| {
                let root = project.node.get("root").map_or(&project.node, |root| &root.node);
                Some((root.text()?.to_owned(), root.line))
            })
            .collect();
        lists.push(if older.is_empty() {
            list(NX_FILE, patterns(&["apps/*", "libs/*", "packages/*"]), &[FILE_NAME])
        } else {
            list("workspace.json", Patterns::literal(&older), &[FILE_NAME, NX_PROJECT])
        });
        lists
    }

    fn list(&mut self, name: &str, key: &'static str, written: &[(String, usize)]) -> Option<List> {
        let file = self.root.join(name);
        let (patterns, bad) = Patterns::new(written);
        self.problems.extend(bad.into_iter().map(|(line, message)| Problem::new(&file, line, key, message)));
        (!patterns.is_empty()).then_some(List { file, key, patterns, manifests: &[FILE_NAME], written: true })
    }

    /// The strings of a list; what is none is told.
    fn strings(&mut self, name: &str, key: &str, node: &Node) -> Vec<(String, usize)> {
        let file = self.root.join(name);
        let mut tell = |node: &Node, wanted: &str| {
            let message = format!("must {wanted}, not {}; it is ignored", node.kind());
            self.problems.push(Problem::new(&file, node.line, key, message));
        };
        let Some(list) = node.list() else {
            tell(node, "be a list of directories");
            return Vec::new();
        };
        let mut strings = Vec::new();
        for element in list {
            match element.text() {
                Some(text) => strings.push((text.to_owned(), element.line)),
                None => tell(element, "hold strings"),
            }
        }
        strings
    }
}
