//! Node.js and the package manager as installed, as far as files tell: nothing is executed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    config::PackageManagerName,
    project::{manager::PackageManager, path::PathLookup},
};

/// What scripts are told of the tools that would have run them.
pub(super) struct Toolchain {
    pub(super) name: PackageManagerName,
    /// The file the manager's program really is.
    pub(super) manager: Option<PathBuf>,
    /// Its version.
    pub(super) version: Option<String>,
    pub(super) node: Option<PathBuf>,
    node_version: Option<String>,
    /// The directory with npm's own `node-gyp`.
    pub(super) node_gyp: Option<PathBuf>,
    /// Whether the manager runs `preNAME` and `postNAME` as well.
    pub(super) runs_around: bool,
}

/// The version in the nearest `package.json` above `file`, if it is that of `name`.
fn installed_version(file: &Path, name: &str) -> Option<String> {
    let package =
        file.ancestors().skip(1).take(3).find_map(|above| fs::read(above.join("package.json")).ok())?;
    let package: Value = serde_json::from_slice(&package).ok()?;
    let own = package["name"].as_str().map(|own| own.rsplit('/').next().unwrap_or(own));
    package["version"].as_str().filter(|_| own == Some(name)).map(str::to_owned)
}

/// The version of a Node.js: of the headers beside it, or of the directory it was unpacked to, as version managers do.
fn node_version(node: &Path) -> Option<String> {
    let headers = node.parent()?.parent()?.join("include/node/node_version.h");
    let headers = fs::read_to_string(headers).unwrap_or_default();
    let number = |name: &str| {
        let lines = headers.lines();
        let mut words = lines.map(str::split_whitespace).filter_map(|mut line| {
            (line.next()? == "#define" && line.next()? == format!("NODE_{name}_VERSION")).then_some(line)
        });
        words.next()?.next()?.parse::<u32>().ok()
    };
    if let (Some(major), Some(minor), Some(patch)) = (number("MAJOR"), number("MINOR"), number("PATCH")) {
        return Some(format!("{major}.{minor}.{patch}"));
    }
    let parts = node.components().filter_map(|part| part.as_os_str().to_str());
    let is_version = |text: &&str| {
        let numbers: Vec<_> = text.split('.').collect();
        numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u32>().is_ok())
    };
    parts
        .map(|part| part.trim_start_matches("node-").trim_start_matches('v'))
        .find(is_version)
        .map(str::to_owned)
}

// === impl Toolchain ===

impl Toolchain {
    /// What would run the scripts in `directory`.
    pub(super) fn find(manager: &PackageManager, directory: &Path, path: &PathLookup) -> Self {
        let name = manager.name;
        let real = |program: PathBuf| program.canonicalize().unwrap_or(program);
        let program = path.find(name.as_str()).map(real);
        let version = program.as_deref().and_then(|program| installed_version(program, name.as_str()));
        // What corepack puts on PATH is not the manager; the field says which one it brings.
        let version = version.or_else(|| manager.version.clone());
        let node = path.find("node");
        let npm = match name {
            PackageManagerName::Npm => program.clone(),
            _ => None,
        };
        let node_gyp = npm
            .and_then(|npm| {
                Some(npm.parent()?.parent()?.join("node_modules/@npmcli/run-script/lib/node-gyp-bin"))
            })
            .filter(|directory| directory.is_dir());
        Self {
            name,
            version: version.clone(),
            node_version: node.as_deref().and_then(|node| node_version(&real(node.to_owned()))),
            node,
            node_gyp,
            manager: program,
            runs_around: match name {
                PackageManagerName::Npm | PackageManagerName::Pnpm | PackageManagerName::Bun => true,
                PackageManagerName::Yarn => is_classic(version.as_deref(), directory),
                PackageManagerName::Deno => false,
            },
        }
    }

    /// `npm/11.6.0 node/v22.20.0 linux x64 workspaces/false`: what tools read to see who runs them.
    pub(super) fn user_agent(&self, is_member: bool) -> String {
        let version = self.version.as_deref().unwrap_or("?");
        let node = self.node_version.as_ref().map_or_else(|| "?".to_owned(), |version| format!("v{version}"));
        let system = match std::env::consts::OS {
            "macos" => "darwin",
            other => other,
        };
        let machine = match std::env::consts::ARCH {
            "x86_64" => "x64",
            "aarch64" => "arm64",
            other => other,
        };
        match self.name {
            PackageManagerName::Npm => {
                format!("npm/{version} node/{node} {system} {machine} workspaces/{is_member}")
            }
            name => format!("{name}/{version} npm/? node/{node} {system} {machine}"),
        }
    }

    /// What the manager says it was asked for.
    pub(super) fn command(&self) -> Option<&'static str> {
        let major =
            self.version.as_deref().and_then(|version| version.split('.').next()?.parse::<u32>().ok());
        match self.name {
            PackageManagerName::Npm if major.is_some_and(|major| major < 11) => Some("run-script"),
            PackageManagerName::Npm => Some("run"),
            PackageManagerName::Pnpm => Some("run-script"),
            _ => None,
        }
    }
}

/// Whether a Yarn is of version 1. Later ones leave a `.yarnrc.yml`.
fn is_classic(version: Option<&str>, directory: &Path) -> bool {
    match version.and_then(|version| version.split('.').next()) {
        Some(major) if major.parse::<u32>().is_ok() => major == "1",
        _ => !directory.ancestors().any(|above| above.join(".yarnrc.yml").is_file()),
    }
}
