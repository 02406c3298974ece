//! Django, Flask and FastAPI: only where a file says so.

use super::{Python, Verb};
use crate::project::detect::finder::Finder;

/// Where an application is mostly made, relative to the project; the module is the path with dots.
const PLACES: [&str; 10] = [
    "main.py",
    "app.py",
    "wsgi.py",
    "asgi.py",
    "server.py",
    "app/main.py",
    "app/__init__.py",
    "src/main.py",
    "src/app.py",
    "api/main.py",
];

pub(super) fn django(finder: &mut Finder<'_>, python: &Python) {
    let Some(manage) = finder.first(&["manage.py"]) else { return };
    let text = finder.text(&manage).unwrap_or_default();
    if !text.contains("DJANGO_SETTINGS_MODULE") && !text.contains("django.core.management") {
        return;
    }
    for (priority, verb, word) in
        [(95, Verb::Serve, "runserver"), (86, Verb::Test, "test"), (82, Verb::Other, "migrate")]
    {
        python.add(finder, (&manage, 1), priority, verb, &["python", "manage.py", word]);
    }
}

pub(super) fn servers(finder: &mut Finder<'_>, python: &Python) {
    for place in PLACES {
        let file = finder.root.join(place);
        if !file.is_file() {
            continue;
        }
        let text = finder.text(&file).unwrap_or_default();
        let module = place.trim_end_matches(".py").trim_end_matches("/__init__").replace('/', ".");
        if let Some((name, line)) = made(&text, "Flask").filter(|_| python.depends("flask")) {
            let app = if name == "app" || name == "application" {
                module.clone()
            } else {
                format!("{module}:{name}")
            };
            let words = ["python", "-m", "flask", "--app", &app, "run", "--debug"];
            python.add(finder, (&file, line), 94, Verb::Serve, &words);
            return;
        }
        let Some((name, line)) = made(&text, "FastAPI") else { continue };
        if ["fastapi[standard]", "fastapi[all]"].iter().any(|name| python.dependencies.contains(name))
            || python.depends("fastapi-cli")
        {
            python.add(finder, (&file, line), 94, Verb::Serve, &["fastapi", "dev", place]);
            return;
        }
        if python.depends("uvicorn") {
            let words = ["python", "-m", "uvicorn", &format!("{module}:{name}"), "--reload"];
            python.add(finder, (&file, line), 94, Verb::Serve, &words);
            return;
        }
    }
}

/// The variable an application of that class is put into at the top of a module, and the line.
fn made(text: &str, class: &str) -> Option<(String, usize)> {
    text.lines().enumerate().find_map(|(index, line)| {
        let (name, value) = line.split_once('=')?;
        let name = name.split(':').next()?.trim_end();
        let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let value = value.trim_start().trim_start_matches("fastapi.").trim_start_matches("flask.");
        let called = value.strip_prefix(class)?.trim_start().starts_with('(');
        (plain && called).then(|| (name.to_owned(), index + 1))
    })
}
