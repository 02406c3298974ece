//! Whose standard input is brummer's own. A pipe that nobody writes to would keep a script waiting that reads to the end.

use std::io::{self, IsTerminal};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

use crate::project::Step;

/// See the module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Whose {
    /// The one script's that was asked for.
    One,
    /// Nobody's.
    Nobody,
}

/// A terminal's settings, restored when dropped: a script that was killed cannot.
pub(super) struct Terminal(Option<Termios>);

/// Gives the input to the only script that was asked for. Several would take it from one another, and a job in the background
/// would take it from its shell: those read nothing.
pub(super) fn give(steps: &mut [Step]) -> Whose {
    let one = steps.iter().filter(|step| step.asked).count() == 1 && !is_in_background();
    for step in steps {
        step.info.options.stdin &= one && step.asked;
    }
    if one { Whose::One } else { Whose::Nobody }
}

fn is_in_background() -> bool {
    io::stdin().is_terminal()
        && tcgetpgrp(io::stdin()).is_ok_and(|foreground| foreground != rustix::process::getpgrp())
}

// === impl Terminal ===

impl Terminal {
    pub(super) fn as_it_is() -> Self {
        Self(tcgetattr(io::stdin()).ok())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // In the background the system would stop this program for it.
        if let Some(before) = self.0.as_ref().filter(|_| !is_in_background()) {
            // Without a terminal there is nothing to be done any more.
            tcsetattr(io::stdin(), OptionalActions::Now, before).ok();
        }
    }
}
