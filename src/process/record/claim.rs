//! Who starts a script: one host at a time.
//!
//! Between the look at what other hosts run and the record of one's own run another host may look, too, and find nothing. So
//! who starts a script holds a file of that script locked from before the look until the record is written, or until there
//! is nothing to record. The lock ends with its holder, however that ends, so there is none that nobody holds. What the
//! file says is for the others to tell.
//!
//! *Bounded:* a file for each start under way; one that a crash left is taken over by the next start of that script. *Lost:*
//! where a file system knows no locks, or a holder does not say who it is within [`PATIENCE`], two hosts may start the same.

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{FlockOperation, Mode, OFlags},
    io::Errno,
};

use super::{MAX_BYTES, Records};
use crate::{
    event::{ProcessInfo, Timestamp},
    process::{Asked, Elsewhere, Identity, Manager, ProcessError, Started, message::Command},
    sync::Mutex,
};

/// How long is waited for a holder that is leaving, or has not said yet who it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(2);

/// What this host may start: each start takes its own, and what none has taken is given up with the last clone.
#[derive(Clone, Default, Debug)]
pub struct Claims(Arc<Mutex<Vec<Claim>>>);

/// A script that this host starts. Given up when it is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    records: Records,
    holder: Holder,
    /// Locked while it is open.
    _file: File,
}

/// What the file says.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Holder {
    root: String,
    name: String,
    host: Identity,
    editor: Option<Identity>,
    at: Timestamp,
}

// === impl Claims ===

impl Claims {
    /// That of one script, if it is among them.
    pub(in crate::process) fn take(&self, root: &str, name: &str) -> Option<Claim> {
        let mut claims = self.0.lock();
        let at = claims.iter().position(|Claim { holder, .. }| holder.root == root && holder.name == name)?;
        Some(claims.swap_remove(at))
    }
}

// === impl Manager ===

impl Manager {
    /// `begin_start_after` with the right to start what is in it, as far as no other host may start it now: it is given up when the run
    /// has its record, or has none to get.
    pub async fn begin_start_claimed(
        &self,
        first: Vec<ProcessInfo>,
        info: ProcessInfo,
        claims: Claims,
    ) -> Result<Asked<Started>, ProcessError> {
        self.begin(|ticket| Command::Start { info: Box::new(info), first, claims, ticket }).await
    }
}

// === impl Records ===

impl Records {
    /// The right to start these scripts, as roots and names: all of them, if no other host runs or starts one of them. With
    /// `another` it is had for those that are free. Waits for the disk, and for hosts that are about to leave.
    ///
    /// # Errors
    /// Another host runs some of them, or starts them now; then none is held.
    pub fn claim(&self, mut wanted: Vec<(String, String)>, another: bool) -> Result<Claims, Vec<Elsewhere>> {
        // In one order, so that of two hosts which want the same one gets all.
        wanted.sort();
        let (mut claims, mut there) = (Vec::new(), Vec::new());
        for (root, name) in &wanted {
            match self.claim_one(root, name) {
                Ok(claim) => claims.extend(claim),
                Err(_) if another => {}
                Err(elsewhere) => {
                    there.push(elsewhere);
                    break;
                }
            }
        }
        if !another {
            for (root, name) in &wanted {
                let known = |run: &Elsewhere| there.iter().any(|known| known.is_same(run));
                let more: Vec<_> = self.elsewhere(root, std::slice::from_ref(name));
                let more: Vec<_> = more.into_iter().filter(|run| !known(run)).collect();
                there.extend(more);
            }
        }
        if there.is_empty() { Ok(Claims(Arc::new(Mutex::new(claims)))) } else { Err(there) }
    }

    /// `None` where this host has it already, or nobody can.
    fn claim_one(&self, root: &str, name: &str) -> Result<Option<Claim>, Elsewhere> {
        let until = Instant::now() + PATIENCE;
        loop {
            let tried = self.try_claim(root, name);
            match tried {
                Ok(Tried::Held(claim)) => return Ok(Some(claim)),
                Ok(Tried::By(holder)) if holder.host == self.own() => return Ok(None),
                Ok(Tried::By(holder)) if holder.is_served() => return Err(holder.elsewhere()),
                Ok(Tried::By(_) | Tried::Unclear) if Instant::now() < until => thread::sleep(PAUSE),
                Ok(Tried::By(_) | Tried::Unclear) => {
                    tracing::warn!(name, "Somebody starts the same script and does not say who.");
                    return Ok(None);
                }
                Err(error) => {
                    tracing::warn!(%error, name, "Another host may start the same script.");
                    return Ok(None);
                }
            }
        }
    }

    fn try_claim(&self, root: &str, name: &str) -> io::Result<Tried> {
        let path = file_name(root, name);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat(&self.0.runs, &path, flags, Mode::RUSR | Mode::WUSR)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let holder = Holder::read(&mut file.into()).filter(|holder| holder.is_of(root, name));
                return Ok(holder.map_or(Tried::Unclear, Tried::By));
            }
            Err(error) => return Err(error.into()),
        }
        if rustix::fs::fstat(&file)?.st_nlink == 0 {
            // Its holder removed it between the two calls.
            return Ok(Tried::Unclear);
        }
        let holder = Holder {
            root: root.to_owned(),
            name: name.to_owned(),
            host: self.own(),
            editor: self.0.editor,
            at: Timestamp::now(),
        };
        let mut file = File::from(file);
        file.set_len(0)?;
        file.write_all(&serde_json::to_vec(&holder)?)?;
        Ok(Tried::Held(Claim { records: self.clone(), holder, _file: file }))
    }

    /// Who of the other hosts starts this script now.
    pub(in crate::process) fn starting(&self, root: &str, name: &str) -> Option<Elsewhere> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat(&self.0.runs, file_name(root, name), flags, Mode::empty()).ok()?;
        let holder = Holder::read(&mut file.into())?;
        let is_others = holder.is_of(root, name) && holder.host != self.own() && holder.is_served();
        is_others.then(|| holder.elsewhere())
    }
}

/// How a try ended.
enum Tried {
    Held(Claim),
    By(Holder),
    /// Its holder is about to write it, or has just given it up.
    Unclear,
}

// === impl Holder ===

impl Holder {
    fn read(file: &mut File) -> Option<Self> {
        let mut text = Vec::new();
        file.rewind().and_then(|()| file.take(MAX_BYTES).read_to_end(&mut text)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    fn is_of(&self, root: &str, name: &str) -> bool {
        self.root == root && self.name == name
    }

    /// Without its editor a host is about to leave.
    fn is_served(&self) -> bool {
        self.host.lives() && self.editor.is_none_or(Identity::lives)
    }

    fn elsewhere(self) -> Elsewhere {
        Elsewhere { name: self.name, root: self.root, host: self.host, since: self.at }
    }
}

// === impl Claim ===

impl Drop for Claim {
    fn drop(&mut self) {
        // While it is locked, so that it is not a later holder's.
        self.records.unlink(&file_name(&self.holder.root, &self.holder.name));
    }
}

/// The same for every host (FNV-1a); whose it is says the file itself.
fn file_name(root: &str, name: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in root.bytes().chain([0]).chain(name.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    format!("{hash:016x}.claim")
}
