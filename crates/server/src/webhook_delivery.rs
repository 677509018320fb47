//! The webhooks there are, as the deliveries follow them, and one task for each.
//!
//! A task sends the events of its webhook in the order of the log, one at a time, so a slow receiver
//! holds up nobody else; there are as many requests under way as webhooks at most.

mod attempt;
mod task;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use guestlist_api::events::Event;
use guestlist_api::ids::WebhookId;
use guestlist_api::webhooks::Delivery;
use guestlist_rules::changes::{Committed, Document, Kind, Mark, Seen, Unreadable};
use guestlist_rules::webhooks::{StoredProgress, StoredWebhook};
use guestlist_store::Store;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::app::{App, NotFollowed};
use crate::outgoing::Outgoing;

/// What deliveries need: the webhooks as they are now, and the client that sends.
pub struct Webhooks {
    known: Arc<Known>,
    outgoing: Outgoing,
}

/// How often it is asked whether this node is the one that delivers.
const LOOK_FOR_DUTY: Duration = Duration::from_secs(1);

/// The webhooks as they are stored.
#[derive(Default)]
struct Known {
    by_id: Mutex<BTreeMap<WebhookId, Arc<Hook>>>,
    /// Whether this node delivers. The others follow how far it is.
    on_duty: watch::Sender<bool>,
    /// There may be one without a task.
    made: Notify,
}

/// A webhook, shared by its task and the requests about it.
pub struct Hook {
    /// `None` once it is deleted.
    settings: watch::Sender<Option<Arc<Seen<StoredWebhook>>>>,
    progress: Mutex<Progress>,
    /// Held during a test, so that there is one at a time.
    testing: tokio::sync::Mutex<()>,
    has_task: AtomicBool,
}

/// How far it is, and the mark of what the store has of that.
struct Progress {
    now: StoredProgress,
    mark: Option<Mark>,
}

impl Webhooks {
    /// Reads the webhooks that are stored and follows every change from then on.
    pub async fn follow(store: &dyn Store, outgoing: Outgoing) -> Result<Self, NotFollowed> {
        let known = Arc::new(Known::default());
        let mut progress = Vec::new();
        let mut failed = None;
        let mut each = |seen: Seen<Document>| {
            let read = if seen.value.kind == Kind::WebhookProgress {
                let read = seen.value.read::<StoredProgress>();
                read.map(|value| progress.push((value, seen.mark)))
            } else {
                known.write(&seen.value, seen.mark)
            };
            if let Err(error) = read {
                failed.get_or_insert(error);
            }
        };
        let follower = Arc::clone(&known);
        let sink = Arc::new(move |committed: &Committed| follower.commit(committed));
        let kinds = [Kind::Webhook, Kind::WebhookProgress];
        store.follow(&kinds, &mut each, sink).await?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        for (stored, mark) in progress {
            if let Some(hook) = known.get(&stored.webhook_id) {
                *hook.progress() = Progress {
                    now: stored,
                    mark: Some(mark),
                };
            }
        }
        Ok(Self { known, outgoing })
    }

    /// A webhook, if there is one of this id.
    pub fn get(&self, id: &WebhookId) -> Option<Arc<Hook>> {
        self.known.get(id)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.lock().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many are in each state, for operators.
    pub fn states(&self) -> [(&'static str, usize); 3] {
        let (mut enabled, mut failing, mut disabled) = (0, 0, 0);
        for hook in self.known.lock().values() {
            let settings = hook.settings.borrow();
            if !settings.as_ref().is_some_and(|seen| seen.value.enabled) {
                disabled += 1;
            } else if hook.progress().now.failing.is_some() {
                failing += 1;
            } else {
                enabled += 1;
            }
        }
        [
            ("enabled", enabled),
            ("failing", failing),
            ("disabled", disabled),
        ]
    }

    /// The client that sends.
    pub const fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }
}

impl Known {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<WebhookId, Arc<Hook>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, id: &WebhookId) -> Option<Arc<Hook>> {
        self.lock().get(id).cloned()
    }

    fn write(&self, document: &Document, mark: Mark) -> Result<(), Unreadable> {
        let value: StoredWebhook = document.read()?;
        let id = value.webhook_id.clone();
        let seen = Arc::new(Seen { value, mark });
        let mut by_id = self.lock();
        if let Some(hook) = by_id.get(&id) {
            hook.settings.send_replace(Some(seen));
        } else {
            by_id.insert(id, Arc::new(Hook::new(seen)));
            self.made.notify_one();
        }
        Ok(())
    }

    /// Takes in a change. Called by the store before anybody is told that the change was made, so
    /// that what is disabled or deleted sends nothing any more when its caller is answered.
    fn commit(&self, committed: &Committed) {
        let changes = &committed.changes;
        for document in &changes.write {
            if document.kind == Kind::Webhook
                && let Err(error) = self.write(document, Mark(committed.revision.0))
            {
                // What it says now may be that nothing is to be sent.
                tracing::error!(%error, "a webhook cannot be read: it sends nothing any more");
                self.end(&document.id);
            }
            if document.kind == Kind::WebhookProgress && !*self.on_duty.borrow() {
                self.progressed(document, Mark(committed.revision.0));
            }
        }
        for (kind, id) in &changes.delete {
            if *kind == Kind::Webhook {
                self.end(id);
            }
        }
    }

    /// Another node delivered.
    fn progressed(&self, document: &Document, mark: Mark) {
        let Ok(now) = document.read::<StoredProgress>() else {
            return;
        };
        if let Some(hook) = self.get(&now.webhook_id) {
            let mark = Some(mark);
            *hook.progress() = Progress { now, mark };
        }
    }

    fn end(&self, id: &str) {
        if let Some(hook) = self.lock().remove(id) {
            hook.settings.send_replace(None);
        }
    }

    /// Those that have no task yet. From now on they have one.
    fn without_task(&self) -> Vec<Arc<Hook>> {
        self.lock()
            .values()
            .filter(|hook| !hook.has_task.swap(true, Ordering::SeqCst))
            .cloned()
            .collect()
    }
}

impl Hook {
    fn new(seen: Arc<Seen<StoredWebhook>>) -> Self {
        let progress = Progress {
            now: StoredProgress::at_start(&seen.value),
            mark: None,
        };
        Self {
            settings: watch::Sender::new(Some(seen)),
            progress: Mutex::new(progress),
            testing: tokio::sync::Mutex::default(),
            has_task: AtomicBool::new(false),
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far it is at this moment: the store learns that a little later.
    pub fn progressed(&self) -> StoredProgress {
        self.progress().now.clone()
    }

    /// Sends an event that is not in the log, and waits for the outcome; `None` while another one
    /// is under way.
    pub async fn test(
        &self,
        app: &App,
        webhook: &StoredWebhook,
        event: &Event,
    ) -> Option<Delivery> {
        let _one_at_a_time = self.testing.try_lock().ok()?;
        let outcome = attempt::send(app, webhook, event).await;
        let delivery = outcome.delivery(event, app.clock.now(), 1);
        self.progress().now.remember(delivery.clone());
        Some(delivery)
    }
}

/// Delivers until `ending` says so; what is under way then is given up, and sent again by the next
/// start.
pub async fn run(app: Arc<App>, mut ending: watch::Receiver<bool>) {
    let mut tasks = JoinSet::new();
    let known = Arc::clone(&app.webhooks.known);
    let mut look = tokio::time::interval(LOOK_FOR_DUTY);
    loop {
        let on_duty = app.store.is_on_duty();
        known
            .on_duty
            .send_if_modified(|known| std::mem::replace(known, on_duty) != on_duty);
        for hook in known.without_task() {
            let duty = known.on_duty.subscribe();
            tasks.spawn(task::run(Arc::clone(&app), hook, duty, ending.clone()));
        }
        tokio::select! {
            biased;
            () = ended(&mut ending) => break,
            Some(done) = tasks.join_next() => tell(done),
            () = known.made.notified() => {}
            _look = look.tick() => {}
        }
    }
    while let Some(done) = tasks.join_next().await {
        tell(done);
    }
}

/// Also when nobody is left who could say so.
async fn ended(ending: &mut watch::Receiver<bool>) {
    let _ended = ending.wait_for(|ended| *ended).await;
}

fn tell(done: Result<(), tokio::task::JoinError>) {
    if let Err(error) = done {
        tracing::error!(%error, "the deliveries of a webhook ended: start the server again");
    }
}
