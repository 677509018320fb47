//! The deliveries of one webhook: every event it wants, in the order of the log, at least once.
//!
//! What was delivered is written down every few seconds, not for each event, so a server that ends
//! without notice sends some again. What is written down is an event itself, which is sent to nobody
//! and does not count as progress: otherwise writing would never end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use guestlist_api::events::{Event, EventType};
use guestlist_api::webhooks::DisabledReason;
use guestlist_rules::changes::{Kind, Mark, Revision, Seen, published};
use guestlist_rules::webhooks::{Failing, StoredWebhook, Writing};
use guestlist_store::{Applied, Logged};
use tokio::sync::watch;
use tokio::time::Instant;

use super::attempt::{self, Outcome};
use super::{Hook, Progress, ended};
use crate::app::App;
use crate::entropy::Entropy;
use crate::events;
use crate::limits::WebhookLimits;
use crate::startup::SERVICE;

/// Lines of the log read at once.
const BATCH: usize = 100;
/// Events passed over, because the webhook does not want them, before that is written down.
const PASSED: usize = 1_000;

/// Delivers until the webhook is deleted or the server ends, as long as this node is the one that
/// does.
pub(super) async fn run(
    app: Arc<App>,
    hook: Arc<Hook>,
    mut duty: watch::Receiver<bool>,
    mut ending: watch::Receiver<bool>,
) {
    let mut settings = hook.settings.subscribe();
    let mut delivering = None;
    loop {
        let Some(webhook) = settings.borrow_and_update().clone() else {
            return;
        };
        if !*duty.borrow_and_update() {
            // What it knows is of no more use: another node goes on.
            delivering = None;
            tokio::select! {
                biased;
                () = ended(&mut ending) => return,
                _changed = settings.changed() => {}
                _changed = duty.changed() => {}
            }
            continue;
        }
        let delivering = match &mut delivering {
            Some(delivering) => delivering,
            none => none.insert(Delivering::begun(&app, &hook).await),
        };
        // A change ends whatever is under way, so nothing is sent any more to what was disabled,
        // deleted or moved.
        tokio::select! {
            biased;
            () = ended(&mut ending) => {
                // Twice: the wait that has just been dropped may have been one for a write, which makes
                // the mark that is known an older one, and the first try finds the newer.
                delivering.save(&webhook).await;
                delivering.save(&webhook).await;
                return;
            }
            _changed = settings.changed() => {}
            _changed = duty.changed() => {}
            () = delivering.go_on(&webhook) => {}
        }
    }
}

/// What became of the event at the head of the queue.
enum Step {
    Delivered,
    Again,
    Disabled(DisabledReason),
}

struct Delivering<'a> {
    app: &'a App,
    hook: &'a Hook,
    revisions: watch::Receiver<Revision>,
    /// Lines that were read and not yet delivered or passed over.
    queue: VecDeque<Logged>,
    /// Up to where the log was read.
    read: Revision,
    /// Since when there is something to write down.
    unsaved_since: Option<Instant>,
    delivered: usize,
    passed: usize,
}

impl<'a> Delivering<'a> {
    fn new(app: &'a App, hook: &'a Hook) -> Self {
        Self {
            app,
            hook,
            revisions: app.revisions(),
            queue: VecDeque::new(),
            read: hook.progress().now.delivered,
            unsaved_since: None,
            delivered: 0,
            passed: 0,
        }
    }

    /// From where whoever delivered before has come to.
    async fn begun(app: &'a App, hook: &'a Hook) -> Self {
        let id = hook.progress().now.webhook_id.clone();
        let stored = app.store.get(Kind::WebhookProgress, id.as_str()).await;
        // If it cannot be read now, what was followed is as new but for a moment.
        if let Ok(Some(stored)) = stored
            && let Ok(now) = stored.value.read()
        {
            let mark = Some(stored.mark);
            *hook.progress() = Progress { now, mark };
        }
        Self::new(app, hook)
    }

    const fn limits(&self) -> &'a WebhookLimits {
        &self.app.limits.webhooks
    }

    /// Delivers. Returns when the webhook should be looked at again; may be dropped at any wait.
    async fn go_on(&mut self, webhook: &Seen<StoredWebhook>) {
        self.begin(&webhook.value);
        if !webhook.value.enabled {
            self.save(webhook).await;
            return std::future::pending().await;
        }
        loop {
            if self.is_due() {
                self.save(webhook).await;
            }
            let Some(line) = self.queue.front() else {
                if !self.fill().await {
                    self.wait().await;
                }
                continue;
            };
            if !is_wanted(&webhook.value, line) {
                self.pass();
                continue;
            }
            let event = match events::event(&self.app.settings.account_id, line.clone()) {
                Ok(event) => event,
                Err(error) => {
                    tracing::error!(%error, "an event cannot be delivered");
                    tokio::time::sleep(self.limits().longest_pause).await;
                    continue;
                }
            };
            let outcome = attempt::send(self.app, &webhook.value, &event).await;
            match self.take_note(&event, outcome) {
                Step::Delivered => {}
                Step::Again => {
                    self.save(webhook).await;
                    tokio::time::sleep(self.pause()).await;
                }
                Step::Disabled(reason) => return self.disable(webhook, reason).await,
            }
        }
    }

    /// Takes in what may have changed of the webhook.
    fn begin(&mut self, webhook: &StoredWebhook) {
        let mut progress = self.hook.progress();
        let now = &mut progress.now;
        let is_elsewhere = now.start != webhook.start.number;
        if is_elsewhere {
            now.start = webhook.start.number;
            now.delivered = webhook.start.after;
            self.read = webhook.start.after;
            self.queue.clear();
        }
        // As does whoever says where to go on.
        let is_given_time = is_elsewhere || !webhook.enabled;
        let had_failed = is_given_time && now.failing.take().is_some();
        if is_elsewhere || had_failed {
            self.unsaved_since.get_or_insert_with(Instant::now);
        }
    }

    /// Reads on in the log; false if there is nothing.
    async fn fill(&mut self) -> bool {
        let newest = *self.revisions.borrow_and_update();
        if self.read >= newest {
            return false;
        }
        match self.app.store.events_after(self.read, BATCH).await {
            Ok(mut lines) => {
                // What is sent the server has taken in: who reads of a change and then asks for
                // something gets an answer that knows of it.
                lines.retain(|line| line.revision <= newest);
                if let Some(last) = lines.last() {
                    self.read = last.revision;
                }
                self.queue.extend(lines);
                !self.queue.is_empty()
            }
            Err(error) => {
                tracing::warn!(%error, "the log cannot be read for a webhook");
                tokio::time::sleep(self.limits().first_pause).await;
                true
            }
        }
    }

    /// Waits for the next change, or until there is something to write down.
    async fn wait(&mut self) {
        let due = self
            .unsaved_since
            .map(|since| since + self.limits().save_time);
        let Some(due) = due else {
            let _changed = self.revisions.changed().await;
            return;
        };
        tokio::select! {
            _changed = self.revisions.changed() => {}
            () = tokio::time::sleep_until(due) => {}
        }
    }

    /// Passes over the event at the head of the queue.
    fn pass(&mut self) {
        let Some(line) = self.queue.pop_front() else {
            return;
        };
        self.hook.progress().now.delivered = line.revision;
        if EventType::from(line.event.kind.as_str()).is_delivered() {
            self.passed += 1;
            if self.passed >= PASSED {
                self.unsaved_since.get_or_insert_with(Instant::now);
            }
        }
    }

    fn take_note(&mut self, event: &Event, outcome: Outcome) -> Step {
        let now = self.app.clock.now();
        let revision = Revision(event.revision);
        let mut progress = self.hook.progress();
        let progress = &mut progress.now;
        let mut failing = progress
            .failing
            .filter(|failing| failing.revision == revision)
            .unwrap_or(Failing {
                revision,
                since: now,
                attempts: 0,
            });
        failing.attempts = failing.attempts.saturating_add(1);
        progress.remember(outcome.delivery(event, now, failing.attempts));
        self.unsaved_since.get_or_insert_with(Instant::now);
        if outcome.is_delivered() {
            progress.failing = None;
            progress.delivered = revision;
            self.queue.pop_front();
            self.delivered += 1;
            return Step::Delivered;
        }
        let failed_for = now.milliseconds() - failing.since.milliseconds();
        let given = i64::try_from(self.limits().give_up.as_millis()).unwrap_or(i64::MAX);
        progress.failing = Some(failing);
        let id = &progress.webhook_id;
        tracing::info!(webhook = %id, %revision, ?outcome, attempt = failing.attempts, "not delivered");
        if outcome.is_gone() {
            Step::Disabled(DisabledReason::Gone)
        } else if failed_for >= given {
            Step::Disabled(DisabledReason::Failing)
        } else {
            Step::Again
        }
    }

    /// How long to wait before the next attempt.
    fn pause(&self) -> Duration {
        let attempts = self
            .hook
            .progress()
            .now
            .failing
            .map_or(1, |failing| failing.attempts);
        pause(self.limits(), attempts, &self.app.entropy)
    }

    fn is_due(&self) -> bool {
        let limits = self.limits();
        self.unsaved_since.is_some_and(|since| {
            self.delivered >= limits.save_count || since.elapsed() >= limits.save_time
        })
    }

    /// Writes down how far it is, if that changed.
    async fn save(&mut self, webhook: &Seen<StoredWebhook>) {
        if self.unsaved_since.is_some() {
            self.write(webhook, None).await;
        }
    }

    async fn disable(&mut self, webhook: &Seen<StoredWebhook>, reason: DisabledReason) {
        let id = &webhook.value.webhook_id;
        tracing::warn!(webhook = %id, ?reason, "a webhook is disabled");
        if !self.write(webhook, Some(reason)).await {
            tokio::time::sleep(self.limits().first_pause).await;
        }
    }

    /// Whether it is written.
    async fn write(
        &mut self,
        webhook: &Seen<StoredWebhook>,
        disabled: Option<DisabledReason>,
    ) -> bool {
        let (mut now, mark) = {
            let progress = self.hook.progress();
            (progress.now.clone(), progress.mark)
        };
        if disabled.is_some() {
            // Whoever enables it again gives the receiver its whole time again.
            now.failing = None;
        }
        let writing = Writing {
            actor: SERVICE,
            now: self.app.clock.now(),
            webhook,
            progress: &now,
            mark,
        };
        let changes = match disabled {
            Some(reason) => writing.disabled(reason),
            None => writing.progressed(),
        };
        // Tried again after the usual time, whatever becomes of it.
        self.unsaved_since = Some(Instant::now());
        (self.delivered, self.passed) = (0, 0);
        let id = &now.webhook_id;
        let applied = match changes {
            Ok(changes) => self.app.store.apply(changes).await,
            Err(error) => {
                tracing::error!(webhook = %id, %error, "what was delivered cannot be written");
                return false;
            }
        };
        match applied {
            Ok(Applied::Done(revision)) => {
                self.hook.progress().mark = Some(Mark(revision.0));
                self.unsaved_since = None;
                true
            }
            Ok(Applied::Conflict { kind, .. }) => {
                if kind == Kind::WebhookProgress {
                    self.look_up_mark(id.as_str()).await;
                }
                false
            }
            Err(error) => {
                tracing::warn!(webhook = %id, %error, "what was delivered was not written down");
                false
            }
        }
    }

    /// Finds the mark again after a write that was dropped before its outcome was known.
    async fn look_up_mark(&self, id: &str) {
        if let Ok(seen) = self.app.store.get(Kind::WebhookProgress, id).await {
            self.hook.progress().mark = seen.map(|seen| seen.mark);
        }
    }
}

fn is_wanted(webhook: &StoredWebhook, line: &Logged) -> bool {
    let published = published(&line.event.kind);
    EventType::from(published).is_delivered() && webhook.wants(published, &line.event.data)
}

/// Twice as long after each failed attempt, up to the longest, and between a half and the whole of
/// that at random, so that those who failed together do not come back together.
fn pause(limits: &WebhookLimits, attempts: u32, entropy: &Entropy) -> Duration {
    let doublings = attempts.saturating_sub(1).min(30);
    let whole = limits
        .first_pause
        .saturating_mul(1 << doublings)
        .min(limits.longest_pause);
    // Without random bytes the pause is the whole.
    let random = entropy.bytes().map_or(u16::MAX, u16::from_be_bytes);
    whole / 2 + whole.mul_f64(f64::from(random) / f64::from(u16::MAX)) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_differ() {
        let limits = WebhookLimits::default();
        let entropy = Entropy::seeded(1);
        for (attempts, whole) in [
            (1, 5),
            (2, 10),
            (3, 20),
            (10, 2560),
            (11, 3600),
            (4_000_000, 3600),
        ] {
            let whole = Duration::from_secs(whole);
            let pauses: Vec<Duration> = (0..20)
                .map(|_| pause(&limits, attempts, &entropy))
                .collect();
            for pause in &pauses {
                assert!(
                    *pause >= whole / 2 && *pause <= whole,
                    "{attempts}: {pause:?}"
                );
            }
            assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{attempts}");
        }
    }
}
