//! PHP: composer scripts, Laravel, Symfony, PHPUnit, Pest.

use super::{
    finder::{self, Finder},
    verb::Verb,
};
use crate::project::Script;

const KIND: &str = "php";
const FILE: &str = "composer.json";

/// Composer runs these by itself.
const EVENTS: [&str; 4] = ["pre-", "post-", "init", "command"];

pub(super) fn find(finder: &mut Finder<'_>) {
    let composer = finder.has(FILE).then(|| finder.root.join(FILE));
    let artisan = finder.first(&["artisan"]);
    if let Some(artisan) = &artisan {
        for (priority, verb, word) in
            [(95, Verb::Serve, "serve"), (86, Verb::Test, "test"), (82, Verb::Other, "migrate")]
        {
            finder.push(finder.tool(KIND, (artisan, 1), priority, verb, &["php", "artisan", word]));
        }
    }
    let Some(file) = composer else { return };
    let manifest = finder.json(&file);
    let requires = |name: &str| {
        let tables = ["require", "require-dev"].iter().filter_map(|table| manifest.as_ref()?.get(table));
        tables.filter_map(|table| table.node.get(name)).map(|found| found.line).next()
    };
    let index = finder.root.join("public/index.php");
    if artisan.is_none() && index.is_file() && requires("symfony/framework-bundle").is_some() {
        let words = ["php", "-S", "localhost:8000", "-t", "public"];
        finder.push(finder.tool(KIND, (&file, 1), 93, Verb::Serve, &words));
    }
    for (package, program) in [("pestphp/pest", "vendor/bin/pest"), ("phpunit/phpunit", "vendor/bin/phpunit")]
    {
        if let Some(line) = requires(package) {
            finder.push(finder.tool(KIND, (&file, line), 85, Verb::Test, &[program]));
            break;
        }
    }
    finder.push(finder.tool("composer", (&file, 1), 80, Verb::Other, &["composer", "install"]));
    let member = |name: &str| manifest.as_ref().and_then(|manifest| manifest.get(name));
    let descriptions = member("scripts-descriptions");
    for script in member("scripts").map(|scripts| scripts.node.members()).unwrap_or_default() {
        if EVENTS.iter().any(|event| script.name.starts_with(event)) {
            continue;
        }
        let description = descriptions.and_then(|table| table.node.get(&script.name)?.node.text());
        let description = description.or(script.node.text()).and_then(finder::short);
        let task = finder.task("composer", (&file, script.line), 86, &["composer", "run"], &script.name);
        finder.push(Script { description, separator: true, ..task });
    }
}
