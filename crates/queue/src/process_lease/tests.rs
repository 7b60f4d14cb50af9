//! A model of the leases of jobs and processes, of which every reachable state is visited: with processes that stall, die and lose
//! the database in any order, no job has its effect twice, no running process loses a job, and work always goes on.
//!
//! Three variants are wrong on purpose, each without one guard of the code, and the checker must find a state that shows it.
//!
//! | action of the model | code |
//! |---|---|
//! | `Claim` | `claim_by_kind`, `claim_by_key`: a waiting job, or one whose lease ran out, gets a new token |
//! | `Apply` | `settle`, `claim::hold`: the effect and the completion are one transaction, which needs the token of the claim |
//! | `Fail` | `settle`: the job waits again, if the token is still that of the claim |
//! | `Renew` | `process_lease::ProcessLease::step`, its first statement |
//! | `Read`, `TakeOver` | `process_lease::ProcessLease::step`: leases of other processes that ran out, then the end of the leases of their jobs |
//! | `HoldPasses` | `process_lease::HOLD`, in which a running process renews its lease several times |
//! | `LeasePasses` | the lease of a job runs out without a renewal (`lease`) |

mod model;

use model::{Action, JOBS, PROCESSES, State, Variant};
use stateright::{Checker, HasDiscoveries, Model, Property};

const EFFECT_ONCE: &str = "a job has its effect at most once";
const NOT_ROBBED: &str = "a running process loses no job";

impl Model for Variant {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first()]
    }

    fn actions(&self, _state: &State, actions: &mut Vec<Action>) {
        for process in 0..PROCESSES {
            actions.extend((0..JOBS).map(|job| Action::Claim { process, job }));
            actions.extend([
                Action::Apply { process },
                Action::Fail { process },
                Action::Renew { process },
                Action::Read { process },
                Action::TakeOver { process },
                Action::Stall { process },
                Action::Resume { process },
                Action::Die { process },
            ]);
        }
        actions.extend((0..JOBS).map(|job| Action::LeasePasses { job }));
        actions.extend([Action::HoldPasses, Action::DatabaseFails, Action::DatabaseReturns]);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        self.after(last, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(EFFECT_ONCE, |_, state: &State| {
                state.jobs.iter().all(|job| job.effects <= 1)
            }),
            Property::always("a done job has its effect", |_, state: &State| {
                state.jobs.iter().all(|job| job.effects >= u8::from(job.is_done))
            }),
            Property::always(NOT_ROBBED, |_, state: &State| !state.robbed),
            Property::always("work goes on", |variant: &Self, state: &State| variant.goes_on(state)),
            Property::sometimes("all jobs are done", |_, state: &State| state.is_done()),
            Property::sometimes("a process holds a stale claim", |_, state: &State| {
                let mut claims = state.processes.iter().filter_map(|process| process.claimed);
                claims.any(|claim| !state.holds(claim))
            }),
        ]
    }
}

#[test]
fn every_reachable_state_keeps_the_rules() {
    let checker = Variant::Complete.checker().threads(2).spawn_bfs().join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn a_protocol_without_one_of_its_guards_is_caught() {
    for (variant, broken) in [
        (Variant::WithoutToken, EFFECT_ONCE),
        (Variant::WithoutOwnRenewals, NOT_ROBBED),
        (Variant::WithoutSecondLook, NOT_ROBBED),
    ] {
        let failure = HasDiscoveries::AnyFailures;
        let checker = variant.checker().threads(2).finish_when(failure).spawn_bfs().join();
        for rule in [EFFECT_ONCE, NOT_ROBBED] {
            assert_eq!(checker.discovery(rule).is_some(), rule == broken, "{variant:?}: {rule}");
        }
    }
}
