//! The members of a JSON object with the lines they stand on, which serde_json does not tell.
//!
//! The text has been accepted by serde_json before, so this only has to find its way: strings with escapes, nesting,
//! white space. Should a text be broken all the same, what was found up to there is returned.

/// A member of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Member<'a> {
    /// Its name, escapes resolved.
    pub(super) name: String,
    /// The line of the name.
    pub(super) line: usize,
    /// The value as written.
    pub(super) value: &'a str,
    /// The line the value begins on.
    pub(super) value_line: usize,
}

/// The members of the object that `text` is, in its order, duplicates included. `line` is the line it begins on.
/// `None` when `text` is no object.
pub(super) fn members(text: &str, line: usize) -> Option<Vec<Member<'_>>> {
    let mut cursor = Cursor { text, at: 0, line };
    cursor.skip_space();
    if !cursor.skip(b'{') {
        return None;
    }
    let mut members = Vec::new();
    while let Some(member) = cursor.member() {
        members.push(member);
        cursor.skip_space();
        if !cursor.skip(b',') {
            break;
        }
    }
    Some(members)
}

/// The elements of the list that `text` is, as they stand, with their lines. `None` when `text` is no list.
pub(super) fn elements(text: &str, line: usize) -> Option<Vec<(&str, usize)>> {
    let mut cursor = Cursor { text, at: 0, line };
    cursor.skip_space();
    if !cursor.skip(b'[') {
        return None;
    }
    let mut elements = Vec::new();
    loop {
        cursor.skip_space();
        let line = cursor.line;
        let Some(value) = cursor.value() else { break };
        elements.push((value, line));
        cursor.skip_space();
        if !cursor.skip(b',') {
            break;
        }
    }
    Some(elements)
}

/// The last member called `name`, which is the one that counts.
pub(super) fn last<'m, 'a>(members: &'m [Member<'a>], name: &str) -> Option<&'m Member<'a>> {
    members.iter().rev().find(|member| member.name == name)
}

/// The string that `value` is.
pub(super) fn string(value: &str) -> Option<String> {
    serde_json::from_str(value).ok()
}

/// What `value` is, in words.
pub(super) fn kind(value: &str) -> &'static str {
    match value.bytes().next() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

// === impl Cursor ===

impl<'a> Cursor<'a> {
    fn member(&mut self) -> Option<Member<'a>> {
        self.skip_space();
        let line = self.line;
        let name = self.value()?;
        // The name of a broken escape is shown as it stands.
        let name = string(name).unwrap_or_else(|| name.trim_matches('"').to_owned());
        self.skip_space();
        if !self.skip(b':') {
            return None;
        }
        self.skip_space();
        let value_line = self.line;
        Some(Member { name, line, value: self.value()?, value_line })
    }

    /// Any value, as it stands.
    fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        match self.peek()? {
            b'"' => self.skip_string(),
            b'{' | b'[' => self.skip_nested(),
            _ => {
                while self.peek().is_some_and(|byte| !b",]}: \t\r\n".contains(&byte)) {
                    self.at += 1;
                }
            }
        }
        self.text.get(start..self.at).filter(|value| !value.is_empty())
    }

    fn skip_nested(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.skip_string();
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.step();
            if depth == 0 {
                break;
            }
        }
    }

    fn skip_string(&mut self) {
        self.step();
        while let Some(byte) = self.peek() {
            self.step();
            match byte {
                b'"' => break,
                b'\\' => self.step(),
                _ => {}
            }
        }
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.step();
        }
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.step();
        }
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        if self.peek() == Some(b'\n') {
            self.line += 1;
        }
        self.at += 1;
    }
}
