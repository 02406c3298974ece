//! Recipes of a justfile, of what it imports and of its modules. Left out are private ones, and those of other systems.

use std::path::{Path, PathBuf};

use super::finder::{self, Finder};

const FILES: [&str; 4] = ["justfile", "Justfile", "JUSTFILE", ".justfile"];
/// How many files imports and modules may lead to.
const MAX_FILES: usize = 50;

/// A recipe as written.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Recipe {
    name: String,
    line: usize,
    parameters: String,
    doc: Option<String>,
}

/// What one file says.
#[derive(Default, Debug)]
struct Justfile {
    recipes: Vec<Recipe>,
    imports: Vec<String>,
    /// Names of modules, and their files where they are given.
    modules: Vec<(String, Option<String>)>,
}

/// Attributes of the next recipe.
#[derive(Default)]
struct Attributes {
    private: bool,
    doc: Option<String>,
    /// Systems it is for; none is all.
    systems: Vec<String>,
}

pub(super) fn find(finder: &mut Finder<'_>) {
    let Some(file) = finder.first(&FILES) else { return };
    let mut waiting = vec![(file, String::new())];
    let mut seen = 0;
    let mut first = true;
    while let Some((file, module)) = waiting.pop() {
        if seen >= MAX_FILES {
            break;
        }
        seen += 1;
        let text = finder.text(&file).unwrap_or_default();
        let justfile = parse(&text);
        for recipe in justfile.recipes {
            let name = format!("{module}{}", recipe.name);
            let mut script = finder.task("just", (&file, recipe.line), 88, &["just"], &name);
            script.description = match (recipe.doc, recipe.parameters.as_str()) {
                (doc, "") => doc,
                (Some(doc), parameters) => Some(format!("{doc} ({parameters})")),
                (None, parameters) => Some(format!("({parameters})")),
            };
            // What `just` alone runs.
            script.priority += u8::from(std::mem::take(&mut first));
            finder.push(script);
        }
        let directory = file.parent().unwrap_or(finder.root).to_owned();
        let imports = justfile.imports.iter().map(|name| (directory.join(name), module.clone()));
        let modules = justfile.modules.iter().filter_map(|(name, file)| {
            Some((module_file(&directory, name, file.as_deref())?, format!("{module}{name}::")))
        });
        let next: Vec<_> = imports.chain(modules).collect();
        waiting.extend(next.into_iter().rev());
    }
}

fn module_file(directory: &Path, name: &str, given: Option<&str>) -> Option<PathBuf> {
    let places = match given {
        Some(path) => vec![directory.join(path), directory.join(path).join("justfile")],
        None => vec![
            directory.join(format!("{name}.just")),
            directory.join(name).join("mod.just"),
            directory.join(name).join("justfile"),
            directory.join(name).join(".justfile"),
        ],
    };
    places.into_iter().find(|place| place.is_file())
}

fn parse(text: &str) -> Justfile {
    let mut justfile = Justfile::default();
    let mut attributes = Attributes::default();
    let mut comment: Option<String> = None;
    // The quotes that end a text of several lines.
    let mut quote: Option<&str> = None;
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if let Some(end) = quote {
            quote = (!line.contains(end)).then_some(end);
            continue;
        }
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let mut whole = line.trim_end().to_owned();
        while whole.ends_with('\\') {
            whole.pop();
            let Some((_, next)) = lines.next() else { break };
            whole.push_str(next.trim());
        }
        quote = ["'''", "\"\"\"", "```"].into_iter().find(|mark| whole.matches(mark).count() % 2 == 1);
        if let Some(text) = whole.strip_prefix('#') {
            comment = finder::short(text);
        } else if whole.starts_with('[') {
            attributes.read(&whole);
        } else {
            justfile.line(&whole, index + 1, std::mem::take(&mut attributes), comment.take());
        }
    }
    justfile
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// The text in quotes at the beginning of `text`.
fn quoted(text: &str) -> Option<String> {
    let text = text.trim_start();
    let mark = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    Some(text[1..].split(mark).next()?.to_owned())
}

// === impl Attributes ===

impl Attributes {
    /// `[private, group('x')]`; several lines of them add up.
    fn read(&mut self, line: &str) {
        let inner = line.trim_start_matches('[').trim_end_matches(']');
        if let Some(at) = inner.find("doc(") {
            self.doc = quoted(&inner[at + 4..]);
        }
        for word in inner.split([',', '(', ')']).map(str::trim) {
            match word {
                "private" => self.private = true,
                "linux" | "macos" | "unix" | "windows" | "openbsd" | "freebsd" | "netbsd" | "dragonfly"
                | "android" => self.systems.push(word.to_owned()),
                _ => {}
            }
        }
    }

    fn is_for_this_system(&self) -> bool {
        let here = |system: &String| system == "unix" || system == std::env::consts::OS;
        self.systems.is_empty() || self.systems.iter().any(here)
    }
}

// === impl Justfile ===

impl Justfile {
    fn line(&mut self, line: &str, number: usize, attributes: Attributes, comment: Option<String>) {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("import" | "import?"), Some(_)) => {
                let rest = line.trim_start_matches("import").trim_start_matches('?');
                self.imports.extend(quoted(rest).filter(|_| !line.contains(":=")));
                return;
            }
            (Some("mod" | "mod?"), Some(name)) if is_name(name) && !line.contains(':') => {
                let rest = line.split_once(name).map_or("", |(_, rest)| rest);
                self.modules.push((name.to_owned(), quoted(rest)));
                return;
            }
            (Some("set" | "export" | "unexport" | "alias"), _) => return,
            _ => {}
        }
        let Some((head, parameters)) = header(line) else { return };
        let private = attributes.private || head.starts_with('_');
        let known = self.recipes.iter().any(|recipe| recipe.name == head);
        if private || known || !attributes.is_for_this_system() || self.recipes.len() > finder::MAX_SCRIPTS {
            return;
        }
        let doc = attributes.doc.or(comment);
        self.recipes.push(Recipe { name: head.to_owned(), line: number, parameters, doc });
    }
}

/// The name and the parameters of a line that begins a recipe.
fn header(line: &str) -> Option<(&str, String)> {
    let line = line.strip_prefix('@').unwrap_or(line);
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if !is_name(name) {
        return None;
    }
    // The colon after the parameters, whose defaults may hold colons in quotes.
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (Some(mark), _) if c == mark => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, ':') if rest[at + 1..].starts_with('=') => return None,
            (None, ':') => return Some((name, rest[..at].trim().to_owned())),
            _ => {}
        }
    }
    None
}
