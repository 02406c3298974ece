//! What the user set, read once and resolved: after [`load`] there is no option left to decide.
//!
//! In: `.brum.toml` files and `BRUMMER_*` variables. Layers, the later one wins key by key: defaults,
//! `~/.brum.toml`, the directories above the project from the farthest to the nearest, the project, the
//! environment. A home directory that lies above the project is read once, in its place among them.
//!
//! Out: a [`Config`], the [`Source`] of every value, and a [`Problem`] with file, line and key for whatever
//! could not be used. A bad value costs that value only, an unknown key nothing, a syntax error that file.
//! Nothing here fails: a project must start with a broken setting, and say so. While a host runs, [`Settings`] holds
//! what it goes by; read again, a file that cannot be used changes nothing.
//!
//! The list of keys, their ranges and spellings stands once, in `keys.rs`; reading, naming the nearest key
//! and `brummer config` all walk it.

mod apply;
mod changes;
mod check;
mod choice;
mod describe;
mod duration;
mod keys;
mod layers;
mod nearest;
mod options;
mod problem;
mod raw;
mod script;
mod script_values;
mod scripts;
mod sets;
mod setting;
mod settings;
mod tables;

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use changes::Held;
pub use changes::{Change, changes};
pub use describe::Shown;
pub(crate) use nearest::nearest;
pub use options::{After, Condition, Ready, ReadyProbe, RestartPolicy, RestartWhen, RunOptions, StopSignal};
pub use problem::{Place, Problem, Source};
pub use script::{
    CommandLine, EnvFiles, HttpUrl, Pattern, ReadyConfig, RestartConfig, RestartLimit, ScriptConfig,
    ScriptRunner,
};
pub use sets::SetConfig;
pub use settings::{Reloaded, Settings};
pub use tables::{
    Backpressure, EventBusConfig, LogStoreConfig, McpManagerConfig, Mode, ModelConfig, ProcessManagerConfig,
    ProxyServerConfig, ResourcesConfig, Rollout, RolloutMode, StatusReadStrategy,
};

/// The name of a configuration file, in the home directory, a project or a directory above it.
pub const FILE_NAME: &str = ".brum.toml";

/// Every setting, resolved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The package manager to use where the project's `packageManager` field does not name one.
    pub preferred_package_manager: Option<PackageManagerName>,
    /// Port of the MCP server; 0 (`"auto"`) takes a free one.
    pub mcp_port: u16,
    /// Whether the MCP server stays off.
    pub no_mcp: bool,
    /// Port of the proxy; 0 (`"auto"`) takes a free one.
    pub proxy_port: u16,
    /// What kind of proxy it is.
    pub proxy_mode: ProxyMode,
    /// The address to put the reverse proxy in front of, when it is not to be found in the output.
    pub proxy_url: Option<String>,
    /// Whether the proxy is a forward proxy only.
    pub standard_proxy: bool,
    /// Whether the proxy stays off.
    pub no_proxy: bool,
    /// `[eventbus]`.
    pub eventbus: EventBusConfig,
    /// `[process_manager]`.
    pub process_manager: ProcessManagerConfig,
    /// `[log_store]`.
    pub log_store: LogStoreConfig,
    /// `[model]`.
    pub model: ModelConfig,
    /// `[proxy_server]`.
    pub proxy_server: ProxyServerConfig,
    /// `[mcp_manager]`.
    pub mcp_manager: McpManagerConfig,
    /// `[resources]`.
    pub resources: ResourcesConfig,
    /// `[scripts.NAME]`.
    pub scripts: BTreeMap<String, ScriptConfig>,
    /// `[sets]`: scripts that are run together.
    pub sets: BTreeMap<String, SetConfig>,
}

/// A package manager of the JavaScript world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PackageManagerName {
    /// npm, which comes with Node.js.
    Npm,
    /// Yarn, classic or berry.
    Yarn,
    /// pnpm.
    Pnpm,
    /// Bun.
    Bun,
    /// Deno, which runs the scripts of `package.json` as tasks.
    Deno,
}

/// What the proxy does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProxyMode {
    /// One listener in front of each dev server.
    Reverse,
    /// A forward proxy for the whole browser.
    Full,
}

/// What [`load`] found.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The settings to use.
    pub config: Config,
    /// What could not be used, in reading order.
    pub problems: Vec<Problem>,
    /// The files that exist, from the one that counts least to the one that counts most.
    pub files: Vec<PathBuf>,
    /// Where each value that is not a default comes from.
    sources: BTreeMap<String, Source>,
    /// A file that exists could not be read as a whole.
    unread: bool,
}

/// Reads all layers for the project at `root`. `env` looks up one environment variable, so that nothing but
/// files is read from the outside.
pub fn load(root: &Path, home: Option<&Path>, env: &dyn Fn(&str) -> Option<String>) -> Loaded {
    read(root, home, env, &Held::default(), &Config::default())
}

/// The same for a program that runs with `running`: a value that cannot be used leaves the one in force, and a file that
/// cannot be read leaves them all.
fn load_again(
    running: &Loaded,
    root: &Path,
    home: Option<&Path>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Loaded {
    let loaded = read(root, home, env, &Held::of(&running.config), &running.config);
    if loaded.unread { Loaded { problems: loaded.problems, ..running.clone() } } else { loaded }
}

fn read(
    root: &Path,
    home: Option<&Path>,
    env: &dyn Fn(&str) -> Option<String>,
    held: &Held,
    base: &Config,
) -> Loaded {
    let mut loaded = Loaded::default();
    for file in layers::files(root, home) {
        match raw::read(&file) {
            Ok(None) => continue,
            Ok(Some(table)) => apply::file(&mut loaded, &file, &table, held),
            Err(problem) => {
                loaded.unread = true;
                loaded.problems.push(problem);
            }
        }
        loaded.files.push(file);
    }
    apply::environment(&mut loaded, env, held);
    check::check(&mut loaded, base);
    loaded
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            preferred_package_manager: None,
            mcp_port: 7777,
            no_mcp: false,
            proxy_port: 19888,
            proxy_mode: ProxyMode::Reverse,
            proxy_url: None,
            standard_proxy: false,
            no_proxy: false,
            eventbus: EventBusConfig::default(),
            process_manager: ProcessManagerConfig::default(),
            log_store: LogStoreConfig::default(),
            model: ModelConfig::default(),
            proxy_server: ProxyServerConfig::default(),
            mcp_manager: McpManagerConfig::default(),
            resources: ResourcesConfig::default(),
            scripts: BTreeMap::new(),
            sets: BTreeMap::new(),
        }
    }
}

// === impl Loaded ===

impl Loaded {
    /// Where the value of `key` (`eventbus.queue_sizes`) comes from.
    pub fn source(&self, key: &str) -> Source {
        self.sources.get(key).cloned().unwrap_or(Source::Default)
    }

    /// One line per setting, `key = value  # source`; together they are a valid `.brum.toml`.
    pub fn describe(&self) -> Vec<String> {
        self.values().iter().map(Shown::to_string).collect()
    }

    /// Each setting with its value and source, in the order of the reference; scripts last.
    pub fn values(&self) -> Vec<Shown> {
        describe::values(self)
    }
}

// === impl PackageManagerName ===

impl PackageManagerName {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Npm, Self::Yarn, Self::Pnpm, Self::Bun, Self::Deno];

    /// The name of the program, which is also the word used in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Yarn => "yarn",
            Self::Pnpm => "pnpm",
            Self::Bun => "bun",
            Self::Deno => "deno",
        }
    }

    /// The manager of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|manager| manager.as_str() == name)
    }
}

impl fmt::Display for PackageManagerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
