//! JSON with comments and YAML, read into one tree whose parts know their line.

use std::path::Path;

use jsonc_parser::{
    CollectOptions, ParseOptions,
    ast::{ObjectPropName, Value as Json},
    parse_to_ast,
};
use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

use super::bounded::{self, Refused};
use crate::config::Problem;

/// A file larger than this is something else than what somebody wrote.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// YAML nested deeper than this is refused: it is read recursively.
const MAX_DEPTH: usize = 200;

/// A value and where it begins.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Node {
    /// Its line, from 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What a value is. Numbers keep their text.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    Object(Vec<Member>),
    List(Vec<Node>),
    Text(String),
    Number(String),
    Boolean(bool),
    Null,
}

/// A member of an object.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// The line of its name.
    pub(super) line: usize,
    pub(super) node: Node,
}

/// Where reading a text failed, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Bad {
    pub(super) line: usize,
    pub(super) message: String,
}

/// Reads a file as YAML when its name says so, else as JSON with comments. `None` when there is none; a problem when it
/// cannot be used.
pub(super) fn read(file: &Path) -> Result<Option<Node>, Problem> {
    let bad = |line, message: String| Problem::new(file, line, "", message);
    let bytes = match bounded::read(file, MAX_BYTES) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(Refused::NotAFile) => return Err(bad(0, "is no regular file".to_owned())),
        Err(Refused::TooLarge) => return Err(bad(0, "is larger than 4 MiB".to_owned())),
        Err(Refused::Failed(error)) => return Err(bad(0, format!("cannot be read: {}", error.kind()))),
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        bad(memchr::memchr_iter(b'\n', good).count() + 1, "is not UTF-8: save the file as UTF-8".to_owned())
    })?;
    let yaml = file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let node = if yaml { parse_yaml(&text) } else { parse_json(&text) };
    node.map(Some).map_err(|error| bad(error.line, error.message))
}

/// JSON, with comments and commas at the end of lists.
pub(super) fn parse_json(text: &str) -> Result<Node, Bad> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let options = ParseOptions {
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        ..ParseOptions::default()
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options).map_err(|error| {
        let message = error.kind().to_string();
        Bad { line: error.line_display(), message: format!("{}: correct the JSON there", lower(&message)) }
    })?;
    let lines = Lines(memchr::memchr_iter(b'\n', text.as_bytes()).collect());
    let root = parsed.value.ok_or_else(|| Bad { line: 1, message: "holds nothing".to_owned() })?;
    Ok(lines.node(root))
}

/// The first document of a YAML text; nothing is `Null`.
pub(super) fn parse_yaml(text: &str) -> Result<Node, Bad> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(line) = too_deep(text) {
        return Err(Bad { line, message: format!("is nested deeper than {MAX_DEPTH} levels") });
    }
    let documents = MarkedYaml::load_from_str(text).map_err(|error| Bad {
        line: error.marker().line().max(1),
        message: format!("{}: correct the YAML there", error.info()),
    })?;
    Ok(documents.into_iter().next().map_or(Node { line: 1, value: Value::Null }, yaml))
}

fn yaml(node: MarkedYaml<'_>) -> Node {
    let line = node.span.start.line().max(1);
    let value = match node.data {
        YamlData::Sequence(list) => Value::List(list.into_iter().map(yaml).collect()),
        YamlData::Mapping(map) => Value::Object(
            map.into_iter()
                .map(|(name, node)| {
                    let line = name.span.start.line().max(1);
                    Member { name: scalar(&name.data), line, node: yaml(node) }
                })
                .collect(),
        ),
        YamlData::Tagged(_, node) => return yaml(*node),
        YamlData::Value(Scalar::String(text)) => Value::Text(text.into_owned()),
        YamlData::Value(Scalar::Boolean(value)) => Value::Boolean(value),
        YamlData::Value(Scalar::Null) => Value::Null,
        YamlData::Value(Scalar::Integer(number)) => Value::Number(number.to_string()),
        YamlData::Value(Scalar::FloatingPoint(number)) => Value::Number(number.to_string()),
        YamlData::Representation(text, ..) => Value::Text(text.into_owned()),
        YamlData::Alias(_) | YamlData::BadValue => Value::Null,
    };
    Node { line, value }
}

/// The name of a member, which YAML allows to be anything.
fn scalar<'a>(data: &YamlData<'a, MarkedYaml<'a>>) -> String {
    match data {
        YamlData::Value(Scalar::String(text)) | YamlData::Representation(text, ..) => text.to_string(),
        YamlData::Value(Scalar::Boolean(value)) => value.to_string(),
        YamlData::Value(Scalar::Integer(number)) => number.to_string(),
        YamlData::Value(Scalar::FloatingPoint(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// The first line that could be nested too deep: brackets that are open, indentation and the dashes of lists. It may count
/// too many, in strings, never too few.
fn too_deep(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (index, line) in text.lines().enumerate() {
        let head = line.bytes().take_while(|byte| b" -?".contains(byte)).count();
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => open += 1,
                b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
            if open + head > MAX_DEPTH {
                return Some(index + 1);
            }
        }
    }
    None
}

/// Parser messages begin with a capital; ours do not.
fn lower(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// The offsets of the newlines of a text.
struct Lines(Vec<usize>);

// === impl Lines ===

impl Lines {
    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|newline| *newline < offset) + 1
    }

    fn node(&self, value: Json<'_>) -> Node {
        let (start, value) = match value {
            Json::Object(object) => {
                let members = object.properties.into_iter().map(|property| {
                    let (start, name) = match property.name {
                        ObjectPropName::String(name) => (name.range.start, name.value.into_owned()),
                        ObjectPropName::Word(name) => (name.range.start, name.value.to_owned()),
                    };
                    Member { name, line: self.at(start), node: self.node(property.value) }
                });
                (object.range.start, Value::Object(members.collect()))
            }
            Json::Array(array) => {
                let elements = array.elements.into_iter().map(|element| self.node(element));
                (array.range.start, Value::List(elements.collect()))
            }
            Json::StringLit(text) => (text.range.start, Value::Text(text.value.into_owned())),
            Json::NumberLit(number) => (number.range.start, Value::Number(number.value.to_owned())),
            Json::BooleanLit(boolean) => (boolean.range.start, Value::Boolean(boolean.value)),
            Json::NullKeyword(null) => (null.range.start, Value::Null),
        };
        Node { line: self.at(start), value }
    }
}

// === impl Node ===

impl Node {
    /// The member of that name; of several the last, which is the one that counts.
    pub(super) fn get(&self, name: &str) -> Option<&Member> {
        self.members().iter().rev().find(|member| member.name == name)
    }

    /// Its members; none when it is no object.
    pub(super) fn members(&self) -> &[Member] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    /// Its elements, when it is a list.
    pub(super) fn list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// Its text, when it is text.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        self.value == Value::Boolean(true)
    }

    /// What it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Object(_) => "an object",
            Value::List(_) => "a list",
            Value::Text(_) => "a string",
            Value::Number(_) => "a number",
            Value::Boolean(_) => "a boolean",
            Value::Null => "null",
        }
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn parts_know_their_line_in_either_language() {
        let json = "// the app\n{\n  \"a\": [1,\n    \"b\"], /* x */ \"c\": { \"d\": true, },\n}\n";
        let json = parse_json(json).unwrap();
        assert_eq!((json.line, json.get("a").unwrap().line, json.get("c").unwrap().line), (2, 3, 4));
        let list = json.get("a").unwrap().node.list().unwrap();
        assert_eq!((list[1].line, list[1].text()), (4, Some("b")));
        let yaml = "# the app\na:\n  - 1\n  - 'b'\nc: { d: yes, 5: x }\n";
        let yaml = parse_yaml(yaml).unwrap();
        assert_eq!((yaml.get("a").unwrap().line, yaml.get("c").unwrap().line), (2, 5));
        let list = yaml.get("a").unwrap().node.list().unwrap();
        assert_eq!((list[1].line, list[1].text()), (4, Some("b")));
        assert_eq!(yaml.get("c").unwrap().node.get("5").unwrap().node.text(), Some("x"));
        assert_eq!(parse_yaml("# nothing\n").unwrap().value, Value::Null);
    }

    #[test]
    fn what_cannot_be_read_names_its_line() {
        let json = |text: &str| {
            let bad = parse_json(text).unwrap_err();
            format!("{}: {}", bad.line, bad.message)
        };
        assert_eq!(json("{\n\"a\": 1\n\"b\": 2 }"), "2: expected comma: correct the JSON there");
        assert_eq!(json("// a\n"), "1: holds nothing");
        let yaml = |text: &str| parse_yaml(text).unwrap_err().line;
        assert_eq!(yaml("a:\n  - b\n c: [\n"), 3);
        assert_eq!(yaml(&format!("a: 1\nb: {}", "[".repeat(100_000))), 2);
        assert_eq!(yaml(&"- ".repeat(100_000)), 1);
    }
}
