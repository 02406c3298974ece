//! When memory is short, and when it no longer is. Pure: one look after the other, no clock.
//!
//! | step | from | back |
//! |---|---|---|
//! | Warning | 80 % of the limit resident | under 70 % |
//! | Critical | 95 % | under 85 % |
//!
//! Up goes at once, also two steps; back goes one step per look. Back counts what is resident, or, where that is less, what
//! would be if the allocator had given the system everything that components let go since the step up. What it
//! keeps after such a step is not held against them: resident memory then has to grow by 1 % of the limit to count again.

use crate::event::Pressure;

/// Per cent of the limit.
const WARNING: Marks = Marks { up: 80, back: 70 };
const CRITICAL: Marks = Marks { up: 95, back: 85 };

/// How much of the limit, in per cent, forgiven memory may grow before it counts.
const GROWTH: u64 = 1;

#[derive(Clone, Copy)]
struct Marks {
    up: u64,
    back: u64,
}

/// The figures of one look, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Look {
    pub(super) resident: u64,
    pub(super) limit: u64,
    /// What components say they hold; part of what is resident.
    pub(super) accounted: u64,
}

/// Where the host stands.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pressure: Pressure,
    /// The look with the most accounted since the last step up.
    peak: Option<Look>,
    /// The look at which a step back was taken on accounted bytes: what was resident then is forgiven under that limit.
    forgiven: Option<Look>,
}

// === impl Steps ===

impl Steps {
    pub(super) fn pressure(&self) -> Pressure {
        self.pressure
    }

    /// The pressure after this look.
    pub(super) fn judge(&mut self, look: Look) -> Pressure {
        if look.resident < WARNING.back_of(look.limit) {
            self.forgiven = None;
        }
        let up = self.raised(look);
        if up > self.pressure {
            self.pressure = up;
            self.peak = Some(look);
            self.forgiven = None;
        } else if let Some(peak) = self.peak {
            let peak = if look.accounted > peak.accounted { look } else { peak };
            self.peak = Some(peak);
            self.step_back(look, peak);
        }
        self.pressure
    }

    fn raised(&self, look: Look) -> Pressure {
        let ignored = self.forgiven.is_some_and(|known| {
            known.limit == look.limit && look.resident <= known.resident + look.limit * GROWTH / 100
        });
        match look.resident {
            _ if ignored => Pressure::Normal,
            resident if resident >= CRITICAL.up_of(look.limit) => Pressure::Critical,
            resident if resident >= WARNING.up_of(look.limit) => Pressure::Warning,
            _ => Pressure::Normal,
        }
    }

    fn step_back(&mut self, look: Look, peak: Look) {
        let (mark, below) = match self.pressure {
            Pressure::Critical => (CRITICAL.back_of(look.limit), Pressure::Warning),
            Pressure::Warning => (WARNING.back_of(look.limit), Pressure::Normal),
            Pressure::Normal => return,
        };
        let let_go = peak.accounted.saturating_sub(look.accounted);
        let by_accounts = peak.resident.max(look.resident).saturating_sub(let_go);
        if look.resident < mark {
            self.pressure = below;
        } else if by_accounts < mark {
            self.pressure = below;
            self.forgiven = Some(look);
        }
        if self.pressure == Pressure::Normal {
            self.peak = None;
        }
    }
}

// === impl Marks ===

impl Marks {
    fn up_of(self, limit: u64) -> u64 {
        limit.saturating_mul(self.up) / 100
    }

    fn back_of(self, limit: u64) -> u64 {
        limit.saturating_mul(self.back) / 100
    }
}
