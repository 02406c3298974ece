//! Arguments in a command line for the shell, as npm quotes them.

/// `text` as one word for the shell. npm leaves `[`, `{` and `!` alone, and so does this.
pub(super) fn sh(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    if !text.contains([
        '\t', '\n', '\r', ' ', '"', '#', '$', '&', '\'', '(', ')', '*', ';', '<', '>', '?', '\\', '`', '|',
        '~',
    ]) {
        return text.to_owned();
    }
    let quoted = format!("'{}'", text.replace('\'', "'\\''"));
    // Empty quotes at the beginning and after a quote of the text are taken off again.
    let mut rest = quoted.as_str();
    while let Some(shorter) = rest.strip_prefix("''").filter(|shorter| !shorter.is_empty()) {
        rest = shorter;
    }
    rest.replace("\\'''", "\\'")
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_look_as_npm_writes_them() {
        assert_eq!(sh(""), "''");
        assert_eq!(sh("--port=4000"), "--port=4000");
        assert_eq!(sh("[a]{b}!"), "[a]{b}!");
        assert_eq!(sh("a b"), "'a b'");
        assert_eq!(sh("'a"), "\\''a'");
        assert_eq!(sh("it's"), "'it'\\''s'");
        assert_eq!(sh("a'"), "'a'\\'");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        /// The shell takes them apart again.
        #[test]
        fn the_shell_reads_what_was_meant(words in proptest::collection::vec("[a-c' \"$`\\\\\n*~#;|&<>()?!{}%=-]{0,8}", 1..6)) {
            let line = words.iter().fold("printf '%s|'".to_owned(), |line, word| line + " " + &sh(word));
            let output = Command::new("/bin/sh").args(["-c", &line]).output().unwrap();
            let expected: String = words.iter().map(|word| format!("{word}|")).collect();
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
        }
    }
}
