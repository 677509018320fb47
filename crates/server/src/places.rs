//! How many connections are open, in all and from each address, and whether the server is ending.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, watch};

use crate::addresses::AddressBlock;
use crate::limits::Limits;

/// How far the server is on its way to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Serving,
    /// Requests in flight are answered; no others are read.
    Draining,
    /// Whatever is still open is dropped.
    Ended,
}

/// The open connections of a listener.
#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: Limits,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    by_address: HashMap<AddressBlock, usize>,
    /// So that an operator is told once for each time the server becomes full, not once for each
    /// connection of an attack.
    full: bool,
    addresses_refused: usize,
}

/// The right to keep one connection open, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    /// `None` for a trusted proxy, which is not counted by address.
    address: Option<AddressBlock>,
    pub(crate) stage: watch::Receiver<Stage>,
    /// Closed when the last place is gone, which is how the listener knows.
    _open: mpsc::Sender<()>,
}

impl Places {
    pub(crate) fn new(limits: Limits) -> Self {
        Self(Arc::new(Shared {
            limits,
            counts: Mutex::default(),
        }))
    }

    /// A place for a connection from this address, unless all or those of its address are taken.
    pub(crate) fn take(
        &self,
        address: IpAddr,
        stage: &watch::Receiver<Stage>,
        open: &mpsc::Sender<()>,
    ) -> Option<Place> {
        let limits = &self.0.limits;
        let block = (!limits.proxies.contains(address)).then(|| AddressBlock::from(address));
        let mut counts = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.total >= limits.connections {
            if !counts.full {
                counts.full = true;
                tracing::warn!(
                    connections = counts.total,
                    "no more connections are accepted"
                );
            }
            return None;
        }
        if let Some(block) = block {
            let of_address = counts.by_address.entry(block).or_default();
            if *of_address >= limits.connections_per_address {
                let connections = *of_address;
                counts.addresses_refused += 1;
                if counts.addresses_refused.is_power_of_two() {
                    let refused = counts.addresses_refused;
                    tracing::warn!(%address, connections, refused, "too many connections from one address");
                }
                return None;
            }
            *of_address += 1;
        }
        counts.total += 1;
        counts.full = false;
        drop(counts);
        Some(Place {
            places: self.clone(),
            address: block,
            stage: stage.clone(),
            _open: open.clone(),
        })
    }

    pub(crate) fn open(&self) -> usize {
        self.0
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .total
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let counts = &self.places.0.counts;
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total = counts.total.saturating_sub(1);
        let Some(block) = self.address else {
            return;
        };
        if let Some(of_address) = counts.by_address.get_mut(&block) {
            *of_address -= 1;
            if *of_address == 0 {
                counts.by_address.remove(&block);
            }
        }
    }
}
