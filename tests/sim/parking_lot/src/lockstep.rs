//! Threads in lock-step: one baton, handed on where a thread waits, and now and then where it takes a lock.
//!
//! Invariants:
//! 1. At most one member runs: the holder of the baton. Everything else that happens is a function of the seed.
//! 2. The first member, the *driver*, lets time pass. It is handed the baton back when nobody else can run.
//! 3. When the driver itself waits and nobody can run, time goes on to the next deadline: a worker that blocks for the
//!    disk. Without a deadline that is a deadlock, and the process ends saying who waits.
//! 4. A member of a group that was ended unwinds where it next waits, and is gone when [`end_group`] returns.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

const NOBODY: usize = usize::MAX;
const DRIVER: usize = 0;

thread_local! {
    static ME: Cell<usize> = const { Cell::new(NOBODY) };
}

/// Who has the baton.
static HOLDER: AtomicUsize = AtomicUsize::new(NOBODY);
/// Chances to be passed over before the next one is taken.
static UNTIL_SWITCH: AtomicI64 = AtomicI64::new(i64::MAX);
/// Members that wait for a lock, so that an unlock without any costs nothing.
static LOCK_WAITERS: AtomicUsize = AtomicUsize::new(0);
static PANICKED: AtomicBool = AtomicBool::new(false);
static TABLE: Mutex<Table> = Mutex::new(Table::new());

/// What is waited for: an address that is in use as long as somebody waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place(usize);

impl Place {
    /// The place of this value.
    pub fn of<T: ?Sized>(value: &T) -> Self {
        Self(std::ptr::from_ref(value).cast::<u8>().addr())
    }
}

/// The payload of the panic that unwinds a thread whose process was killed.
struct Ended;

struct Table {
    members: Vec<Member>,
    /// Nanoseconds since the beginning.
    now: u64,
    random: u64,
    /// Mean number of chances between two switches; 0 for none.
    patience: u64,
    switches: u64,
}

struct Member {
    name: String,
    group: u64,
    state: State,
    thread: Option<Thread>,
    /// Woken by a word, not by its deadline.
    told: bool,
    ending: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    /// The driver, when it only wants to know that nobody else can run.
    Resting,
    ForWord(Place, Option<u64>),
    ForLock(Place),
    Gone,
}

impl Table {
    const fn new() -> Self {
        Self { members: Vec::new(), now: 0, random: 0, patience: 0, switches: 0 }
    }

    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next_random() % bound as u64) as usize
    }

    fn draw_patience(&mut self) {
        let chances = if self.patience == 0 { i64::MAX } else { 1 + (self.next_random() % (2 * self.patience)) as i64 };
        UNTIL_SWITCH.store(chances, Ordering::Relaxed);
    }

    fn wake_due(&mut self) {
        let now = self.now;
        for member in &mut self.members {
            if matches!(member.state, State::ForWord(_, Some(due)) if due <= now) {
                member.state = State::Ready;
            }
        }
    }

    fn next_deadline(&self) -> Option<u64> {
        let due = |member: &Member| if let State::ForWord(_, due) = member.state { due } else { None };
        self.members.iter().filter_map(due).min()
    }

    fn ready(&self) -> Vec<usize> {
        let is_ready = |index: &usize| self.members[*index].state == State::Ready;
        (0..self.members.len()).filter(is_ready).collect()
    }

    /// Who runs next.
    fn pick(&mut self) -> usize {
        loop {
            let ready = self.ready();
            if !ready.is_empty() {
                return ready[self.below(ready.len())];
            }
            if self.members[DRIVER].state == State::Resting {
                self.members[DRIVER].state = State::Ready;
                return DRIVER;
            }
            match self.next_deadline() {
                Some(due) => self.now = self.now.max(due),
                None => self.deadlock(),
            }
            self.wake_due();
        }
    }

    fn deadlock(&self) -> ! {
        eprintln!("deadlock: nobody can run, and no time would help");
        for member in self.members.iter().filter(|member| member.state != State::Gone) {
            let waits = match member.state {
                State::ForLock(_) => "for a lock",
                State::ForWord(..) => "for a condition",
                _ => "for nothing",
            };
            eprintln!("  {} waits {waits}", member.name);
        }
        std::process::exit(3);
    }
}

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn me() -> usize {
    ME.get()
}

/// The calling thread is the driver of a simulation from `seed`. `patience` is the mean number of locks that a thread
/// takes before another one gets the baton; 0 lets each run until it waits.
pub fn begin(seed: u64, patience: u64) {
    let mut table = table();
    assert!(table.members.is_empty(), "one simulation a process");
    table.random = seed;
    table.patience = patience;
    table.draw_patience();
    table.members.push(member("driver", 0, Some(thread::current())));
    ME.set(DRIVER);
    HOLDER.store(DRIVER, Ordering::SeqCst);
}

fn member(name: &str, group: u64, thread: Option<Thread>) -> Member {
    Member { name: name.to_owned(), group, state: State::Ready, thread, told: false, ending: false }
}

/// The calling thread takes part.
pub fn is_member() -> bool {
    me() != NOBODY
}

/// The name of the calling member.
pub fn name() -> String {
    table().members.get(me()).map_or_else(String::new, |member| member.name.clone())
}

/// The driver calls.
pub fn is_driver() -> bool {
    me() == DRIVER
}

/// The calling thread was ended and unwinds: it can no longer wait for anybody's word.
pub fn is_unwinding() -> bool {
    is_member() && thread::panicking()
}

/// Simulated time since the beginning.
pub fn now() -> Duration {
    Duration::from_nanos(table().now)
}

/// How often the baton was handed on.
pub fn switches() -> u64 {
    table().switches
}

/// A member's work panicked.
pub fn has_panicked() -> bool {
    PANICKED.load(Ordering::SeqCst)
}

/// Starts a member of `group`. It runs when it is handed the baton.
///
/// # Errors
/// When the machine has no thread left.
pub fn spawn(name: &str, group: u64, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
    let id = {
        let mut table = table();
        table.members.push(member(name, group, None));
        table.members.len() - 1
    };
    let started = thread::Builder::new().name(name.to_owned()).stack_size(1 << 20).spawn(move || run(id, work));
    let mut table = table();
    match started {
        Ok(handle) => table.members[id].thread = Some(handle.thread().clone()),
        Err(error) => {
            table.members[id].state = State::Gone;
            return Err(error);
        }
    }
    Ok(())
}

fn run(id: usize, work: Box<dyn FnOnce() + Send>) {
    ME.set(id);
    await_baton(id);
    let ending = table().members[id].ending;
    let outcome = catch_unwind(AssertUnwindSafe(move || if ending { drop(work) } else { work() }));
    if outcome.is_err_and(|payload| !payload.is::<Ended>()) {
        PANICKED.store(true, Ordering::SeqCst);
    }
    let mut table = table();
    table.members[id].state = State::Gone;
    let next = table.pick();
    hand_to(table, next);
    ME.set(NOBODY);
}

fn await_baton(id: usize) {
    while HOLDER.load(Ordering::SeqCst) != id {
        thread::park();
    }
}

fn hand_to(mut table: MutexGuard<'_, Table>, next: usize) {
    table.switches += 1;
    let thread = table.members[next].thread.clone();
    HOLDER.store(next, Ordering::SeqCst);
    drop(table);
    // A member that was just started finds out by itself.
    if let Some(thread) = thread {
        thread.unpark();
    }
}

/// The caller is in `state`, and others run until it is ready and picked.
fn switch(state: State) {
    let id = me();
    let mut table = table();
    table.members[id].state = state;
    let next = table.pick();
    if next != id {
        hand_to(table, next);
        await_baton(id);
    } else {
        drop(table);
    }
    unwind_if_ended(id);
}

fn unwind_if_ended(id: usize) {
    if table().members[id].ending && !thread::panicking() {
        resume_unwind(Box::new(Ended));
    }
}

/// A place where another thread may get its turn.
pub fn chance() {
    if !is_member() || UNTIL_SWITCH.fetch_sub(1, Ordering::Relaxed) > 1 {
        return;
    }
    table().draw_patience();
    if !thread::panicking() {
        switch(State::Ready);
    }
}

/// The caller waits for simulated time to pass.
pub fn sleep(duration: Duration) {
    if is_member() && !thread::panicking() {
        let due = due_after(duration);
        switch(State::ForWord(Place(0), Some(due)));
    }
}

fn due_after(duration: Duration) -> u64 {
    table().now.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

/// True when told, false when the time was over.
pub(crate) fn wait_for_word(place: Place, limit: Option<Duration>) -> bool {
    assert!(is_member(), "only a thread of the simulation may wait");
    if thread::panicking() {
        return true;
    }
    let due = limit.map(due_after);
    table().members[me()].told = false;
    switch(State::ForWord(place, due));
    table().members[me()].told
}

/// Wakes who waits at `place`: all, or one that the seed picks.
pub(crate) fn tell(place: Place, all: bool) -> usize {
    let mut table = table();
    let waits = |member: &Member| matches!(member.state, State::ForWord(at, _) if at == place);
    let waiting: Vec<usize> = (0..table.members.len()).filter(|id| waits(&table.members[*id])).collect();
    if waiting.is_empty() {
        return 0;
    }
    let picked = if all { waiting } else { vec![waiting[table.below(waiting.len())]] };
    for id in &picked {
        table.members[*id].state = State::Ready;
        table.members[*id].told = true;
    }
    picked.len()
}

pub(crate) fn wait_for_lock(place: Place) {
    LOCK_WAITERS.fetch_add(1, Ordering::SeqCst);
    let waited = catch_unwind(|| switch(State::ForLock(place)));
    LOCK_WAITERS.fetch_sub(1, Ordering::SeqCst);
    if let Err(ended) = waited {
        resume_unwind(ended);
    }
}

pub(crate) fn lock_is_free(place: Place) {
    if LOCK_WAITERS.load(Ordering::SeqCst) == 0 {
        return;
    }
    for member in &mut table().members {
        if member.state == State::ForLock(place) {
            member.state = State::Ready;
        }
    }
}

/// The driver lets time come to `now` (it never goes back) and everybody run until nobody can.
pub fn run_until(now: Duration) {
    {
        let mut table = table();
        table.now = table.now.max(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX));
        table.wake_due();
    }
    switch(State::Resting);
}

/// The driver ends every member of `group`: each unwinds from where it waits. Returns when all are gone.
pub fn end_group(group: u64) {
    for member in table().members.iter_mut().filter(|member| member.group == group && member.state != State::Gone) {
        member.ending = true;
        member.state = State::Ready;
    }
    loop {
        switch(State::Resting);
        let mut table = table();
        let left = |member: &&mut Member| member.ending && member.state != State::Gone;
        let mut some = false;
        for member in table.members.iter_mut().filter(left) {
            member.state = State::Ready;
            some = true;
        }
        if !some {
            return;
        }
    }
}
