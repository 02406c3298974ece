//! The last resort: a path with a known extension and a number behind it, wherever it stands; and the noise
//! that must never be taken for an error.

use crate::locate::{
    rule::{Act, RULE, Rule},
    shape::Shape,
};

/// Looked at before anything else.
pub(super) const NOISE: &[Rule] = &[Rule {
    name: "npm",
    pattern: r"^(?:npm|pnpm|yarn) (?:ERR!|(?:error|WARN|warn|notice|http|verb)\b)",
    starts: &["npm ", "pnpm ", "yarn "],
    act: Act::Quiet,
    ..RULE
}];

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "path-line",
        pattern: r"[\s(](?P<file>[^()\s,:]+\.[A-Za-z]\w*), line %L\)",
        needs: Shape::LINE_WORD,
        act: Act::Free,
        ..RULE
    },
    Rule {
        name: "heading",
        pattern: r"^(?P<file>(?:[A-Za-z]:[\\/])?[^:\s](?:[^:]*[^:\s])?)$",
        needs: Shape::ENDS_FILE,
        act: Act::Heading,
        ..RULE
    },
    Rule {
        name: "path",
        pattern: r#"(?:^|[\s"'`(\[{<=,|│❯→>@])(?P<file>(?:file:///)?(?:[\w.+~%@$&#!-]|/|\[[\w.$-]+\]|/\([\w.@-]+\))*[\w\])+-]\.(?:[cm]?[jt]sx?|vue|svelte|astro|mdx?|json[5c]?|css|scss|sass|less|styl|html?|pyi?|pyx|ipynb|rs|go|[chCH]|cc|cpp|cxx|hpp|hh|hxx|inl|mm?|java|kts?|scala|sc|groovy|gradle|clj[sc]?|edn|cs|fsx?|vb|csproj|rb|erb|rake|gemspec|php|phtml|p[lm]|t|sh|bash|zsh|fish|ps1|lua|vim|exs?|heex|eex|leex|erl|hrl|hs|lhs|elm|mli?|re|nim|zig|odin|d|v|sv|vhdl?|swift|dart|jl|r|R|f90|f95|f|pas|adb|ads|sql|graphql|gql|prisma|proto|thrift|tf|tfvars|hcl|nix|ya?ml|toml|ini|cfg|conf|xml|xsd|svg|tex|bib|rst|txt|awk|sed|y|l|cmake|mk|bzl|bazel|mod|lock|env|ejs|hbs|pug|jade|twig|liquid|sol|vy|cairo|move|wgsl|glsl|hlsl|frag|vert|cr|rkt|scm|lisp|cl|el|asm|s|S)|(?:/|\./)(?:Makefile|Dockerfile|Rakefile|Gemfile|Justfile|justfile))(?:(?::%L(?::%C)?)|(?:\(%N(?:, ?%D)?\)))(?:$|[\s:,.;)\]}>"'`|-])"#,
        needs: Shape::FILE_NUMBER,
        act: Act::Free,
        ..RULE
    },
];
