//! Which implementation of a component runs, and what becomes of it when the component does badly.
//!
//! The rollout switches are read here and nowhere else. The four combinations:
//!
//! | `enable_new_sync` | `fallback_mode` | starts with | when it has failed | when it is healthy again |
//! |---|---|---|---|---|
//! | true | false | current | stays | |
//! | true | true | current | fallback | current |
//! | false | true | fallback | stays | |
//! | false | false | refused while loading; taken as the first row | | |
//!
//! Each component is followed by a task of its own, so that one whose switch takes long does not hold up the others. When
//! the component panics over what it is told, that is a fault, and it is told of its next change all the same.

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use std::sync::Arc;

use tokio::sync::watch;

use crate::{
    bus::EventBus,
    config::{Config, Mode, RolloutMode},
    event::{Component, Health},
    health::{GracefulDegradation, Part, States},
    model::Model,
    process::Manager,
    resource::ResourceManager,
};

/// What the settings say of each component.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rollouts {
    pub(super) bus: RolloutMode,
    pub(super) process: RolloutMode,
    #[cfg(any(feature = "editor", test))]
    pub(super) logs: RolloutMode,
    pub(super) model: RolloutMode,
}

/// A component that can do with less, and has a fallback.
pub(super) trait Supervised: Clone + Send + Sync + 'static {
    /// Which it is.
    const COMPONENT: Component;
    fn mode(&self) -> Mode;
    fn switch(&self, mode: Mode) -> impl Future<Output = ()> + Send;
    fn degrade(&self, health: Health);
    fn probe(&self) -> impl Future<Output = Result<(), String>> + Send;
}

/// From now on `component` is asked how it is, and does with less when it does badly.
pub(super) fn supervise<C: Supervised>(
    component: &C,
    rollout: RolloutMode,
    health: &GracefulDegradation,
    resources: &ResourceManager,
) {
    let (mode, probe) = (component.clone(), component.clone());
    health.add(Part {
        component: C::COMPONENT,
        mode: Box::new(move || mode.mode()),
        probe: Box::new(move || {
            let component = probe.clone();
            Box::pin(async move { component.probe().await })
        }),
    });
    let followed = follow(component.clone(), rollout, health.changed(), resources.clone());
    drop(resources.spawn(C::COMPONENT, "supervision", followed));
}

async fn follow<C: Supervised>(
    component: C,
    rollout: RolloutMode,
    mut states: watch::Receiver<States>,
    resources: ResourceManager,
) {
    let shutdown = resources.shutdown();
    let mut known = Health::Healthy;
    let mut fell_back = false;
    loop {
        let health = states.borrow_and_update()[C::COMPONENT.index()];
        if health != known {
            known = health;
            resources.recover(C::COMPONENT, "supervision", || component.degrade(health));
            let to = match health {
                Health::Failed if rollout.switches() && !fell_back => Some(Mode::Fallback),
                Health::Healthy if fell_back => Some(Mode::Current),
                _ => None,
            };
            if let Some(to) = to {
                tracing::warn!(component = %C::COMPONENT, ?to, "A component changes its implementation.");
                let switch = resources.recover_in(C::COMPONENT, "supervision", component.switch(to));
                tokio::select! {
                    switched = switch => if switched.is_some() { fell_back = to == Mode::Fallback },
                    () = shutdown.begun() => return,
                }
            }
        }
        tokio::select! {
            changed = states.changed() => if changed.is_err() { return },
            () = shutdown.begun() => return,
        }
    }
}

// === impl Rollouts ===

impl Rollouts {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            bus: config.eventbus.rollout.mode(),
            process: config.process_manager.rollout.mode(),
            #[cfg(any(feature = "editor", test))]
            logs: config.log_store.rollout.mode(),
            model: config.model.rollout.mode(),
        }
    }
}

// === impl Supervised ===

/// A handle whose own methods these are.
macro_rules! supervised {
    ($handle:ty, $component:ident) => {
        impl Supervised for $handle {
            const COMPONENT: Component = Component::$component;

            fn mode(&self) -> Mode {
                Self::mode(self)
            }

            async fn switch(&self, mode: Mode) {
                Self::switch(self, mode).await;
            }

            fn degrade(&self, health: Health) {
                Self::degrade(self, health);
            }

            async fn probe(&self) -> Result<(), String> {
                Self::probe(self).await
            }
        }
    };
}

supervised!(EventBus, Bus);
supervised!(Manager, Process);
#[cfg(any(feature = "editor", test))]
supervised!(crate::logs::Logs, Logs);

/// The model does all of it at once.
impl Supervised for Arc<Model> {
    const COMPONENT: Component = Component::Model;

    fn mode(&self) -> Mode {
        Model::mode(self)
    }

    async fn switch(&self, mode: Mode) {
        Model::switch(self, mode);
    }

    fn degrade(&self, health: Health) {
        Model::degrade(self, health);
    }

    async fn probe(&self) -> Result<(), String> {
        Model::probe(self)
    }
}
