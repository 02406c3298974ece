//! What a user can do with the input and the terminal of a process: methods of the handle. Each is carried out at once, for
//! nothing here waits: a process that does not read is refused what there is no room for.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Attachment, InputError, Manager, ProcessError, Size, console::Console};
use crate::{
    config::RunOptions,
    event::{ProcessId, RunId},
};

// === impl Manager ===

impl Manager {
    /// Sends a line to the standard input of a process, and with `last` the end of file after it. One that has not started
    /// yet gets it when it has.
    ///
    /// # Errors
    /// [`ProcessError::Input`] says why nothing was sent.
    pub fn send(&self, process: ProcessId, line: Option<&str>, last: bool) -> Result<(), ProcessError> {
        self.with(process, |console, run, options| console.send(run, options, line, last))
    }

    /// Sends keys to the terminal of a process.
    ///
    /// # Errors
    /// [`ProcessError::Input`] says why nothing was sent.
    pub fn input(&self, process: ProcessId, keys: &[u8]) -> Result<(), ProcessError> {
        self.with(process, |console, run, options| console.keys(run, options, keys))
    }

    /// The size of the terminal of a process, now and when it is started again.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn resize(&self, process: ProcessId, size: Size) -> Result<(), ProcessError> {
        let (console, ..) = self.registry.console(process)?;
        console.resize(size);
        Ok(())
    }

    /// Shows what the terminal of a process prints.
    ///
    /// # Errors
    /// [`ProcessError::Input`] when it has no terminal.
    pub fn attach(&self, process: ProcessId) -> Result<Attachment, ProcessError> {
        let (console, _, info) = self.registry.console(process)?;
        if !info.options.pty {
            return Err(ProcessError::Input { name: info.label(), error: InputError::NoTerminal });
        }
        Ok(console.attach())
    }

    /// Changes when a terminal that somebody shows has printed something.
    pub fn printed(&self) -> watch::Receiver<()> {
        self.printed.subscribe()
    }

    fn with(
        &self,
        process: ProcessId,
        act: impl FnOnce(&Arc<Console>, RunId, &RunOptions) -> Result<(), InputError>,
    ) -> Result<(), ProcessError> {
        let (console, status, info) = self.registry.console(process)?;
        let done = if status.state.is_terminal() {
            Err(InputError::NotRunning)
        } else {
            act(&console, status.run, &info.options)
        };
        done.map_err(|error| ProcessError::Input { name: info.label(), error })
    }
}
