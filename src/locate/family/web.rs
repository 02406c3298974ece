//! What builds and checks the web: bundlers, style compilers, linters. esbuild counts bytes, the others
//! UTF-16 units.

use crate::locate::{
    Unit,
    rule::{Act, HABIT, Habit, RULE, Rule},
    shape::Shape,
};

const TITLE: Habit = Habit { alone: true, ..HABIT };
const SOFT: Habit = Habit { soft: true, ..HABIT };
const CHAIN: Habit = Habit { again: true, ..HABIT };
const CHAIN_TITLE: Habit = Habit { again: true, alone: true, ..HABIT };

pub(super) const RULES: &[Rule] = &[
    // === bundlers ===
    Rule {
        name: "vite-scan",
        pattern: r"Failed to scan for dependencies from entries",
        starts: &["Error: ", "(!) Failed"],
        act: Act::Quiet,
        ..RULE
    },
    Rule {
        name: "prettier",
        pattern: r"^\[(?P<sev>error|warn)\] %F: (?P<msg>.*) \(%L:%C\)$",
        needs: Shape::PAREN,
        starts: &["[error] ", "[warn] "],
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "prettier-file",
        pattern: r"^\[(?P<sev>warn)\] (?P<file>[^:]+)$",
        needs: Shape::ENDS_FILE,
        starts: &["[warn] "],
        ..RULE
    },
    Rule {
        name: "vite",
        pattern: r"^.*?(?:Internal server error|Pre-transform error|[Tt]ransform failed|SyntaxError|Error): (?:\[[\w:.-]+\] )?(?P<file>(?:/|\./|[A-Za-z]:[\\/])[^:]+?): (?P<msg>.*) \(%L:%C\)$",
        needs: Shape::PAREN.and(Shape::TROUBLE),
        base: 0,
        unit: Unit::Utf16,
        habit: CHAIN,
        ..RULE
    },
    Rule {
        name: "vite-error",
        pattern: r"^(?:.*\[vite\] )?(?:\(\w+\) )?(?:Internal server error|Pre-transform error|Error when evaluating SSR module [^:]*): %M$",
        needs: Shape::TROUBLE,
        starts: &["[vite] ", "Internal server error", "Pre-transform error"],
        act: Act::Title,
        habit: CHAIN_TITLE,
        ..RULE
    },
    Rule {
        name: "vite-file",
        pattern: r"^\s*(?:File|file|Location|➜ File): ?(?P<file>(?:file://|[A-Za-z]:[\\/])?[^:]+?)(?:\?[^:]*)?:%L:%C$",
        needs: Shape::FILE_NUMBER,
        starts: &["File: ", "file: "],
        act: Act::Location,
        base: 0,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "box",
        pattern: r"^\s*(?:╭─+|╭|,-+|┌─+) ?\[ ?%F:%L:%C ?\]",
        needs: Shape::FILE_NUMBER,
        starts: &["╭", ",-", "┌"],
        act: Act::Location,
        ..RULE
    },
    Rule {
        name: "box-title",
        pattern: r"^\s*(?P<sev>[×⚠✖]) (?P<msg>\S.*[^0-9)])$",
        needs: Shape::SYMBOL,
        starts: &["× ", "⚠ "],
        act: Act::Title,
        habit: SOFT,
        ..RULE
    },
    Rule {
        name: "rolldown",
        pattern: r"^\[(?P<msg>[A-Z_]+\] .*)$",
        starts: &[
            "[PARSE_ERROR]",
            "[UNRESOLVED_",
            "[MISSING_",
            "[ILLEGAL_",
            "[INVALID_",
            "[CIRCULAR_",
            "[PLUGIN_",
        ],
        act: Act::Title,
        habit: TITLE,
        ..RULE
    },
    Rule {
        name: "esbuild",
        pattern: r"^\s*(?:[✘✗▲X>] )?\[(?P<sev>ERROR|WARNING)\] %M$",
        starts: &["✘ [", "✗ [", "▲ [", "X [", "[ERROR] ", "[WARNING] "],
        act: Act::Title,
        habit: CHAIN_TITLE,
        ..RULE
    },
    Rule {
        name: "esbuild-place",
        pattern: r"^\s+%F:%L:%C:$",
        needs: Shape::FILE_NUMBER,
        act: Act::Location,
        base: 0,
        unit: Unit::Bytes,
        ..RULE
    },
    Rule {
        name: "rollup",
        pattern: r"^(?:\[[\w:.-]+\] )*%F \(%L:%C\): %M$",
        needs: Shape::FILE_NUMBER,
        base: 0,
        unit: Unit::Utf16,
        habit: CHAIN,
        ..RULE
    },
    Rule {
        name: "rollup-import",
        pattern: r#"^.*(?P<msg>Rollup failed to resolve import "[^"]*") from "(?P<file>[^"]+)"\."#,
        starts: &["[vite]: Rollup", "Error: [vite]: Rollup", "Rollup failed"],
        habit: CHAIN,
        ..RULE
    },
    Rule {
        name: "rollup-place",
        pattern: r"^\s*%F \(%L:%C\)$",
        needs: Shape::FILE_NUMBER,
        act: Act::Location,
        base: 0,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "webpack",
        pattern: r"^(?P<sev>ERROR|WARNING) in (?:\[[^\]]*\] )?%F[ :]%L:%C(?:-[0-9:]+)?$",
        starts: &["ERROR in ", "WARNING in "],
        base: 0,
        unit: Unit::Utf16,
        habit: Habit { next: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "webpack-file",
        pattern: r"^(?P<sev>ERROR|WARNING) in (?P<file>\./[^:]+)$",
        needs: Shape::ENDS_FILE,
        starts: &["ERROR in ", "WARNING in "],
        habit: Habit { next: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "webpack-detail",
        pattern: r"^(?P<msg>Module (?:parse|build|not) .*) \(%L:%C\)$",
        needs: Shape::PAREN.and(Shape::IN_STORY),
        starts: &["Module "],
        act: Act::Here,
        base: 0,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "webpack-importer",
        pattern: r"^ @ %F %L:%C(?:-[0-9:]+)?(?: [0-9:-]+)*$",
        starts: &["@ "],
        act: Act::Note,
        base: 0,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "next",
        pattern: r"^\s*[⨯×] %F \(%L:%C\)(?: @ %M)?$",
        needs: Shape::FILE_NUMBER.and(Shape::SYMBOL),
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "next-header",
        pattern: r"^(?P<file>\./[^:]+\.(?:[cm]?[jt]sx?|css|scss|mdx?|json)):%L:%C$",
        needs: Shape::FILE_NUMBER,
        starts: &["./"],
        unit: Unit::Utf16,
        habit: Habit { next: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "postcss",
        pattern: r"^.*?CssSyntaxError: (?:\[[\w:.-]+\] )?%F:%L:%C: %M$",
        needs: Shape::FILE_NUMBER,
        unit: Unit::Utf16,
        habit: CHAIN,
        ..RULE
    },
    Rule {
        name: "less",
        pattern: r"^(?P<msg>\w+Error: .*) in %F on line %L, column %C:?$",
        needs: Shape::LINE_WORD,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "sass",
        pattern: r"^\s+%F %L:%C  (?P<msg>[\w@.()-].*)$",
        needs: Shape::FILE_BLANK,
        act: Act::Location,
        unit: Unit::Utf16,
        ..RULE
    },
    // === linters ===
    Rule {
        name: "eslint-compact",
        pattern: r"^%F: line %L, col %C, (?P<sev>Error|Warning|Info) - %M$",
        needs: Shape::LINE_WORD,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "eslint-unix",
        pattern: r"^%F:%L:%C: (?P<msg>.*) \[(?P<sev>Error|Warning)(?:/[^\]]*)?\]$",
        needs: Shape::FILE_NUMBER,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "biome",
        pattern: r"^%F:%L:%C (?P<msg>(?:lint|assist|suppressions|syntax|parse|format|organizeImports|configuration|deserialize)(?:/[\w/]+)?)(?:\s.*)?$",
        needs: Shape::FILE_NUMBER,
        ..RULE
    },
    Rule {
        name: "position",
        pattern: r"^\s+%L:%C\s+(?P<sev>error|warning|info|✖|✘|⚠|ℹ|×)\s+%M$",
        needs: Shape::STARTS_POSITION.and(Shape::IN_HEADING),
        act: Act::Position,
        unit: Unit::Utf16,
        ..RULE
    },
    // === what was thrown ===
];
