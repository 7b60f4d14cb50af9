//! The states and actions of the model.

pub const PROCESSES: usize = 2;
pub const JOBS: usize = 1;

/// The guards of the protocol; a variant that is wrong on purpose lacks one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    Complete,
    /// A job is completed by its id alone.
    WithoutToken,
    /// A process takes over although its own lease ran out as well, as all do while the database is away.
    WithoutOwnRenewals,
    /// A lease that ran out is taken for a death although it was renewed after it was read.
    WithoutSecondLook,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub processes: [Process; PROCESSES],
    pub jobs: [Job; JOBS],
    pub database_is_up: bool,
    pub faults_left: FaultsLeft,
    /// A process lost a job while it ran, had not stood still, and could reach the database.
    pub robbed: bool,
}

/// The faults that may still come, so that the number of states is finite.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FaultsLeft {
    pub stalls: u8,
    pub deaths: u8,
    pub outages: u8,
    pub failures: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Process {
    pub life: Life,
    /// The process lease has run out.
    pub has_run_out: bool,
    /// It stood still since it last renewed its lease, so it may be taken for dead.
    pub was_stalled: bool,
    /// The lease was renewed without a gap for as long as it holds.
    pub is_steady: bool,
    /// The lease of the other process was read as run out, and whether it is as it was read; `held_until` in the code.
    pub seen: Option<IsUnchanged>,
    /// The job at which its worker is, and the token of its claim.
    pub claimed: Option<(usize, u8)>,
}

pub type IsUnchanged = bool;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Life {
    Running,
    Stalled,
    Dead,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Job {
    pub lease: Option<Lease>,
    pub is_done: bool,
    /// How often its effect was committed.
    pub effects: u8,
    /// The last token.
    pub token: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    pub owner: usize,
    pub has_run_out: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Claim { process: usize, job: usize },
    Apply { process: usize },
    Fail { process: usize },
    Renew { process: usize },
    Read { process: usize },
    TakeOver { process: usize },
    HoldPasses,
    LeasePasses { job: usize },
    Stall { process: usize },
    Resume { process: usize },
    Die { process: usize },
    DatabaseFails,
    DatabaseReturns,
}

impl State {
    pub fn first() -> Self {
        let process = Process {
            life: Life::Running,
            has_run_out: false,
            was_stalled: false,
            is_steady: true,
            seen: None,
            claimed: None,
        };
        let job = Job {
            lease: None,
            is_done: false,
            effects: 0,
            token: 0,
        };
        Self {
            processes: [process.clone(), process],
            jobs: [job; JOBS],
            database_is_up: true,
            faults_left: FaultsLeft {
                stalls: 2,
                deaths: 1,
                outages: 1,
                failures: 1,
            },
            robbed: false,
        }
    }

    /// A running process that reaches the database.
    fn works(&self, process: usize) -> bool {
        self.database_is_up && self.processes[process].life == Life::Running
    }

    pub fn is_done(&self) -> bool {
        self.jobs.iter().all(|job| job.is_done)
    }

    /// Ends the claim of a process that works, and returns it.
    fn take_claim(&mut self, process: usize) -> Option<(usize, u8)> {
        let works = self.works(process);
        self.processes[process].claimed.take_if(|_| works)
    }

    fn renew(&mut self, process: usize) {
        let renewed = &mut self.processes[process];
        (renewed.has_run_out, renewed.was_stalled) = (false, false);
        if let Some(is_unchanged) = &mut self.processes[1 - process].seen {
            *is_unchanged = false;
        }
    }

    pub fn holds(&self, (job, token): (usize, u8)) -> bool {
        self.jobs[job].lease.is_some() && self.jobs[job].token == token
    }
}

impl Variant {
    /// The state after an action; `None` where it is not possible or changes nothing.
    pub fn after(self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Claim { process, job } => self.claim(&mut state, process, job)?,
            Action::Apply { process } => {
                let claim = state.take_claim(process)?;
                if state.holds(claim) || self == Self::WithoutToken {
                    let job = &mut state.jobs[claim.0];
                    job.effects += 1;
                    job.is_done = true;
                    job.lease = None;
                }
            }
            Action::Fail { process } => {
                state.faults_left.failures = state.faults_left.failures.checked_sub(1)?;
                let claim = state.take_claim(process)?;
                if state.holds(claim) {
                    state.jobs[claim.0].lease = None;
                }
            }
            Action::Renew { process } => {
                let works = state.works(process);
                let renewed = &mut state.processes[process];
                renewed.has_run_out.then_some(()).filter(|()| works)?;
                renewed.is_steady = false;
                state.renew(process);
            }
            Action::Read { process } => self.read(&mut state, process)?,
            Action::TakeOver { process } => self.take_over(&mut state, process)?,
            Action::HoldPasses => {
                for process in 0..PROCESSES {
                    let works = state.works(process);
                    if works {
                        state.renew(process);
                    }
                    state.processes[process].has_run_out = !works;
                    state.processes[process].is_steady = works;
                }
            }
            Action::LeasePasses { job } => {
                let lease = state.jobs[job].lease.filter(|lease| !last.works(lease.owner))?;
                state.jobs[job].lease = Some(Lease {
                    has_run_out: true,
                    ..lease
                });
            }
            Action::Stall { process } => {
                state.faults_left.stalls = state.faults_left.stalls.checked_sub(1)?;
                let stalled = &mut state.processes[process];
                stalled.life = (stalled.life == Life::Running).then_some(Life::Stalled)?;
                stalled.was_stalled = true;
            }
            Action::Resume { process } => {
                let life = &mut state.processes[process].life;
                *life = (*life == Life::Stalled).then_some(Life::Running)?;
            }
            Action::Die { process } => {
                state.faults_left.deaths = state.faults_left.deaths.checked_sub(1)?;
                let dead = &mut state.processes[process];
                (dead.life, dead.claimed, dead.seen) = (Life::Dead, None, None);
            }
            Action::DatabaseFails => {
                state.faults_left.outages = state.faults_left.outages.checked_sub(1)?;
                state.database_is_up = false;
            }
            Action::DatabaseReturns => state.database_is_up = true,
        }
        (state != *last).then_some(state)
    }

    fn claim(self, state: &mut State, process: usize, job: usize) -> Option<()> {
        let free = |job: &Job| !job.is_done && job.lease.is_none_or(|lease| lease.has_run_out);
        if !state.works(process) || state.processes[process].claimed.is_some() || !free(&state.jobs[job]) {
            return None;
        }
        let claimed = &mut state.jobs[job];
        claimed.token += 1;
        claimed.lease = Some(Lease {
            owner: process,
            has_run_out: false,
        });
        state.processes[process].claimed = Some((job, claimed.token));
        Some(())
    }

    fn read(self, state: &mut State, process: usize) -> Option<()> {
        let (other, own) = (1 - process, &state.processes[process]);
        let proves_death = own.is_steady && !own.has_run_out || self == Self::WithoutOwnRenewals;
        if !state.works(process) || !proves_death || !state.processes[other].has_run_out {
            return None;
        }
        state.processes[process].seen = Some(true);
        Some(())
    }

    fn take_over(self, state: &mut State, process: usize) -> Option<()> {
        let works = state.works(process);
        let is_unchanged = state.processes[process].seen.take_if(|_| works)?;
        let other = 1 - process;
        if is_unchanged || self == Self::WithoutSecondLook {
            let is_alive = state.works(other) && !state.processes[other].was_stalled;
            let leases = state.jobs.iter_mut().filter_map(|job| job.lease.as_mut());
            for lease in leases.filter(|lease| lease.owner == other && !lease.has_run_out) {
                lease.has_run_out = true;
                state.robbed |= is_alive;
            }
        }
        Some(())
    }

    /// Returns whether all jobs are done in the end if nothing fails any more, whatever was before.
    pub fn goes_on(self, state: &State) -> bool {
        let mut state = state.clone();
        let mut step = |action| {
            if let Some(next) = self.after(&state, action) {
                state = next;
            }
        };
        step(Action::DatabaseReturns);
        step(Action::Resume { process: 0 });
        step(Action::Resume { process: 1 });
        for _ in 0..2 * JOBS {
            step(Action::HoldPasses);
            for process in 0..PROCESSES {
                step(Action::Read { process });
                step(Action::TakeOver { process });
                for job in 0..JOBS {
                    step(Action::Claim { process, job });
                }
                step(Action::Apply { process });
            }
        }
        state.is_done()
    }
}
