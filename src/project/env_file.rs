//! The format of env files: `NAME=value` by line, as dotenv and docker compose read it.
//!
//! - Empty lines and those that begin with `#` say nothing; `export ` before a name is passed over.
//! - Without quotes a value ends with its line, or before a `#` that follows a blank; blanks around it are not in it.
//! - In double quotes `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are escapes. In single quotes and backticks nothing is.
//! - A quoted value may go on over several lines.
//! - `${NAME}` stands for the value of that variable, `${NAME:-text}` for the text where it is not set or empty, except in
//!   single quotes and backticks. A `$` before anything else is a `$`.
//!
//! Nothing of a line is repeated in what is said about it: it may be part of a secret.

/// What one variable may take in a program's environment, with its name: the limit of Linux.
const MAX_VARIABLE: usize = 128 * 1024;

/// A variable that is set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: String,
    /// The line of its name, from 1.
    pub(super) line: usize,
}

/// A line that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Bad {
    pub(super) line: usize,
    pub(super) message: &'static str,
}

/// What `text` sets, in its order, and what in it cannot be read. `outside` has what other files and the environment set;
/// it wins over earlier lines where `wins` says so of a name.
pub(super) fn parse(text: &str, outside: &dyn Outside) -> (Vec<Entry>, Vec<Bad>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let mut reader = Reader { rest: &text, line: 1, entries: Vec::new(), outside };
    let mut bad = Vec::new();
    while reader.next_entry() {
        let line = reader.line;
        if let Err(message) = reader.entry() {
            bad.push(Bad { line, message });
            // An unclosed quote costs its own line, not the rest of the file.
            reader.skip_line();
        }
    }
    (reader.entries, bad)
}

/// The variables that `${NAME}` can mean beside those of the file itself.
pub(super) trait Outside {
    /// The value that is in force whatever a file says.
    fn over(&self, name: &str) -> Option<String>;

    /// The value that a line of the file replaces.
    fn under(&self, name: &str) -> Option<String>;
}

struct Reader<'a> {
    /// What has not been read; on an error the position is that of the last good step.
    rest: &'a str,
    line: usize,
    entries: Vec<Entry>,
    outside: &'a dyn Outside,
}

// === impl Reader ===

impl<'a> Reader<'a> {
    /// Goes to where an entry begins; false at the end.
    fn next_entry(&mut self) -> bool {
        loop {
            self.advance(self.rest.len() - self.rest.trim_start().len());
            match self.rest.chars().next() {
                None => return false,
                Some('#') => self.skip_line(),
                Some(_) => return true,
            }
        }
    }

    fn entry(&mut self) -> Result<(), &'static str> {
        let line = self.line;
        let (this, _) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        let declared = this.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
        let declared = declared.map_or(this, |rest| rest.trim_start());
        let (name, value) =
            declared.split_once('=').ok_or("there is no = in it: write NAME=value, or put # before it")?;
        let name = name.trim_end();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if name.is_empty() || !name.chars().all(plain) {
            return Err("what is before the = is not a name: letters, digits and _");
        }
        let value = value.trim_start_matches([' ', '\t']);
        let name = name.to_owned();
        let start = self.rest.len() - self.rest[this.len()..].len() - value.len();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
        let (value, read) = match quote {
            Some(quote) => {
                self.quoted(quote, &self.rest[start + 1..]).map(|(value, read)| (value, start + 1 + read))?
            }
            None => (self.expand(uncommented(value), false, name.len())?, this.len()),
        };
        if value.contains('\0') {
            return Err("it holds a NUL character, which no variable can");
        }
        self.advance(read);
        self.entries.push(Entry { name, value, line });
        Ok(())
    }

    /// The value in quotes that `rest` begins with, after the first of them, and how far it goes with what may follow it on
    /// its last line.
    fn quoted(&self, quote: char, rest: &str) -> Result<(String, usize), &'static str> {
        let mut escaped = false;
        let end = rest.char_indices().find_map(|(at, c)| {
            let closes = c == quote && !escaped;
            escaped = quote == '"' && c == '\\' && !escaped;
            closes.then_some(at)
        });
        let end = end.ok_or("the quote is not closed: close it, or put the value into other quotes")?;
        let (after, _) = rest[end + 1..].split_once('\n').unwrap_or((&rest[end + 1..], ""));
        if !uncommented(after).is_empty() {
            return Err(
                "there is text after the closing quote: put a \\ before quotes within, or # before a comment",
            );
        }
        let value = &rest[..end];
        let value = if quote == '"' { self.expand(value, true, 0)? } else { value.to_owned() };
        Ok((value, end + 1 + after.len()))
    }

    /// Puts values in the place of `${NAME}` and, in double quotes, characters in that of escapes.
    fn expand(&self, text: &str, quoted: bool, name: usize) -> Result<String, &'static str> {
        let mut value = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(['\\', '$']) {
            value.push_str(&rest[..at]);
            rest = &rest[at..];
            let (text, read) = match rest.as_bytes() {
                [b'\\', b'$', ..] => ("$".to_owned(), 2),
                [b'\\', b'n', ..] if quoted => ("\n".to_owned(), 2),
                [b'\\', b'r', ..] if quoted => ("\r".to_owned(), 2),
                [b'\\', b't', ..] if quoted => ("\t".to_owned(), 2),
                [b'\\', b'"', ..] if quoted => ("\"".to_owned(), 2),
                [b'\\', b'\\', ..] if quoted => ("\\".to_owned(), 2),
                [b'$', b'{', ..] => self.reference(rest).unwrap_or_else(|| ("$".to_owned(), 1)),
                _ => (rest[..1].to_owned(), 1),
            };
            value.push_str(&text);
            // Variables that hold each other several times would grow without end.
            if value.len() + name > MAX_VARIABLE {
                break;
            }
            rest = &rest[read..];
        }
        value.push_str(rest);
        if value.len() + name + 2 > MAX_VARIABLE {
            return Err("the value is longer than 128 KiB, which no program can be given");
        }
        Ok(value)
    }

    /// The value of the `${NAME}` or `${NAME:-text}` that `text` begins with, and its length.
    fn reference(&self, text: &str) -> Option<(String, usize)> {
        let inner = text.strip_prefix("${")?;
        let end = inner.find('}')?;
        let (name, default) = match inner[..end].split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (&inner[..end], None),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if name.is_empty() || !name.chars().all(plain) {
            return None;
        }
        let here =
            || self.entries.iter().rev().find(|entry| entry.name == name).map(|entry| entry.value.clone());
        let value = self.outside.over(name).or_else(here).or_else(|| self.outside.under(name));
        let value = value.filter(|value| default.is_none() || !value.is_empty());
        Some((value.or(default.map(str::to_owned)).unwrap_or_default(), end + 3))
    }

    fn skip_line(&mut self) {
        self.advance(self.rest.find('\n').map_or(self.rest.len(), |at| at + 1));
    }

    fn advance(&mut self, by: usize) {
        let (read, rest) = self.rest.split_at(by);
        self.line += memchr::memchr_iter(b'\n', read.as_bytes()).count();
        self.rest = rest;
    }
}

/// A line without its comment and the blanks around it.
fn uncommented(text: &str) -> &str {
    let comment = text.char_indices().find(|(at, c)| {
        *c == '#' && text[..*at].chars().next_back().is_none_or(|before| before == ' ' || before == '\t')
    });
    text[..comment.map_or(text.len(), |(at, _)| at)].trim()
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    struct Around;

    impl Outside for Around {
        fn over(&self, name: &str) -> Option<String> {
            (name == "HOME").then(|| "/home/me".to_owned())
        }

        fn under(&self, name: &str) -> Option<String> {
            ["BASE", "A"].contains(&name).then(|| "under".to_owned())
        }
    }

    /// `NAME=value` of every entry, then the line and message of what is bad.
    fn read(text: &str) -> Vec<String> {
        let (entries, bad) = parse(text, &Around);
        let entries =
            entries.into_iter().map(|entry| format!("{}:{}={}", entry.line, entry.name, entry.value));
        entries.chain(bad.into_iter().map(|bad| format!("{}! {}", bad.line, bad.message))).collect()
    }

    #[test]
    fn plain_values_end_with_their_line_or_a_comment() {
        let text = "\u{feff}# a comment\r\n\r\nA=1\r\n  export B = two words  # why\nexport\tC=a#b\nD=\nE=#x\nF.g-h=a=b\n2X='\nG=it's\n";
        assert_eq!(
            read(&text.replace("2X='\n", "")),
            ["3:A=1", "4:B=two words", "5:C=a#b", "6:D=", "7:E=", "8:F.g-h=a=b", "9:G=it's"]
        );
        assert_eq!(read("A=1"), ["1:A=1"], "the last line needs no end");
        assert_eq!(read(""), Vec::<String>::new());
        assert_eq!(read("export=1\nexported=2"), ["1:export=1", "2:exported=2"]);
        assert_eq!(read("A=C:\\new\\table"), ["1:A=C:\\new\\table"], "escapes are for double quotes");
    }

    #[test]
    fn quotes_hold_blanks_comments_and_lines() {
        assert_eq!(read("A=\" a # b \" # c\nB=2"), ["1:A= a # b ", "2:B=2"]);
        assert_eq!(read(r#"A="x\ny\t\"q\" \\n \$ \z""#), ["1:A=x\ny\t\"q\" \\n $ \\z"]);
        assert_eq!(read("A='x\\n ${HOME}'"), ["1:A=x\\n ${HOME}"]);
        assert_eq!(read("A=`it's \"x\"`"), ["1:A=it's \"x\""]);
        let key = "KEY=\"-----BEGIN-----\r\nabc=\r\n#not\r\n-----END-----\"\r\nB='1\n2'\nC=3\n";
        assert_eq!(read(key), ["1:KEY=-----BEGIN-----\nabc=\n#not\n-----END-----", "5:B=1\n2", "7:C=3"]);
        assert_eq!(read("A=\"\"\nB=''"), ["1:A=", "2:B="]);
    }

    #[test]
    fn references_take_the_value_that_is_in_force() {
        assert_eq!(read("A=1\nB=${A}/${A}"), ["1:A=1", "2:B=1/1"]);
        assert_eq!(read("HOME=/mine\nB=\"${HOME}\""), ["1:HOME=/mine", "2:B=/home/me"]);
        assert_eq!(read("B=${A}${BASE}${NONE}."), ["1:B=underunder."]);
        assert_eq!(read("B=${NONE:-x y} ${BASE:-z} ${HOME:-}"), ["1:B=x y under /home/me"]);
        assert_eq!(read("A=\nB=${A:-x}"), ["1:A=", "2:B=x"]);
        assert_eq!(read("A=$HOME \\${HOME} ${ $5 ${} ${a b} $"), ["1:A=$HOME ${HOME} ${ $5 ${} ${a b} $"]);
    }

    #[test]
    fn a_line_that_cannot_be_read_costs_only_itself() {
        assert_eq!(
            read("A=1\nsecret words\nB B=2\nC=\"x\nD=4\nE='5' 6\n=7\nF=8"),
            [
                "1:A=1",
                "5:D=4",
                "8:F=8",
                "2! there is no = in it: write NAME=value, or put # before it",
                "3! what is before the = is not a name: letters, digits and _",
                "4! the quote is not closed: close it, or put the value into other quotes",
                "6! there is text after the closing quote: put a \\ before quotes within, or # before a comment",
                "7! what is before the = is not a name: letters, digits and _",
            ]
        );
        assert_eq!(read("A=a\0b"), ["1! it holds a NUL character, which no variable can"]);
    }

    #[test]
    fn values_that_double_each_other_end_at_what_a_program_can_be_given() {
        let mut text = "A0=0123456789\n".to_owned();
        for n in 1..60 {
            text += &format!("A{n}=${{A{0}}}${{A{0}}}\n", n - 1);
        }
        let (entries, bad) = parse(&text, &Around);
        assert!(entries.iter().all(|entry| entry.value.len() < MAX_VARIABLE));
        assert!(bad.first().is_some_and(|bad| bad.message.contains("128 KiB")));
    }

    proptest::proptest! {
        /// Whatever is in a file, what is read of it is something a program can be given.
        #[test]
        fn no_text_breaks_the_reader(text in "([A-Ca-c =#'\"`\\\\${}:\n\r-]|export ){0,60}") {
            let (entries, bad) = parse(&text, &Around);
            let lines = text.lines().count().max(1);
            proptest::prop_assert!(entries.iter().all(|entry| !entry.name.is_empty() && entry.line <= lines));
            proptest::prop_assert!(bad.iter().all(|bad| bad.line <= lines));
        }
    }
}
