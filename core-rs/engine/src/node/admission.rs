//! Which connections are let in: how many in all, by one address and through one listener, and how fast new ones may
//! come. Kafka's rules: at the caps of the broker or of a listener, and above a rate, connections wait in the kernel's
//! queue; one too many of an address is closed at once. It closes none itself.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::boundary::commands::PackedLimits;

/// Why a connection was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    #[error("max.connections is reached")]
    TooMany,
    #[error("max.connections.per.ip is reached")]
    TooManyOfAddress,
    #[error("its listener was removed")]
    ListenerRemoved,
    #[error("the broker is stopping")]
    Stopping,
}

/// The caps in force. `u32::MAX` is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// `max.connections`
    pub max: u32,
    /// `max.connections.per.ip`
    pub max_per_address: u32,
    /// `max.connections.per.ip.overrides`
    pub overrides: BTreeMap<IpAddr, u32>,
    /// `max.connection.creation.rate`, a second
    pub creation_rate: u32,
    /// `listener.name.….max.connections` and `….max.connection.creation.rate`
    pub listeners: BTreeMap<String, ListenerLimits>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerLimits {
    pub max: u32,
    pub creation_rate: u32,
}

impl ConnectionLimits {
    pub fn new(max: u32, max_per_address: u32) -> ConnectionLimits {
        ConnectionLimits {
            max,
            max_per_address,
            overrides: BTreeMap::new(),
            creation_rate: u32::MAX,
            listeners: BTreeMap::new(),
        }
    }

    /// As the control plane sent them. What is no address is passed over: names were resolved there.
    pub(super) fn of(packed: &PackedLimits<'_>) -> ConnectionLimits {
        let cap = |packed: i32| match packed {
            i32::MAX => u32::MAX,
            cap => u32::try_from(cap).unwrap_or(0),
        };
        let overrides = packed.overrides.iter();
        let listeners = packed.listeners.iter();
        ConnectionLimits {
            max: cap(packed.max),
            max_per_address: cap(packed.max_per_address),
            overrides: overrides
                .filter_map(|(address, max)| Some((address.parse().ok()?, cap(*max))))
                .collect(),
            creation_rate: cap(packed.creation_rate),
            listeners: listeners
                .map(|&(name, max, rate)| {
                    (name.to_owned(), ListenerLimits { max: cap(max), creation_rate: cap(rate) })
                })
                .collect(),
        }
    }

    fn of_listener(&self, listener: &str) -> ListenerLimits {
        let none = ListenerLimits { max: u32::MAX, creation_rate: u32::MAX };
        self.listeners.get(listener).copied().unwrap_or(none)
    }
}

/// Whether the next connection of a listener may be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    Open,
    /// Not before this time, on the monotonic clock.
    At(i64),
    /// Not before another connection goes; the first I/O thread is woken then.
    WhenRoom,
}

#[derive(Debug)]
pub struct Admission {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    limits: ConnectionLimits,
    /// What the system can carry, whatever the limits say.
    ceiling: u32,
    total: u32,
    by_address: BTreeMap<IpAddr, u32>,
    by_listener: BTreeMap<Arc<str>, Entrance>,
    pace: Pace,
    removed: BTreeSet<String>,
    /// A listener waits for room.
    waited_for: bool,
}

/// What is known of one listener.
#[derive(Debug, Default)]
struct Entrance {
    connections: u32,
    pace: Pace,
}

/// A rate kept as the connections that may come at once: at most those of one second.
#[derive(Debug, Default)]
struct Pace {
    /// In thousandths of a connection.
    ready: i64,
    at_ms: i64,
}

impl Pace {
    /// When the next one may come.
    fn due(&mut self, rate: u32, now_ms: i64) -> i64 {
        if rate == u32::MAX {
            return now_ms;
        }
        let rate = i64::from(rate);
        let gained = now_ms.saturating_sub(self.at_ms).saturating_mul(rate);
        self.ready = self.ready.saturating_add(gained).min(rate.saturating_mul(1000));
        self.at_ms = now_ms;
        match 1000 - self.ready {
            ..=0 => now_ms,
            missing => now_ms.saturating_add((missing + rate - 1).checked_div(rate).unwrap_or(i64::MAX)),
        }
    }

    fn take(&mut self, rate: u32) {
        if rate != u32::MAX {
            self.ready -= 1000;
        }
    }
}

impl Admission {
    pub fn new(limits: ConnectionLimits) -> Admission {
        let inner = Inner {
            limits,
            ceiling: u32::MAX,
            total: 0,
            by_address: BTreeMap::new(),
            by_listener: BTreeMap::new(),
            pace: Pace::default(),
            removed: BTreeSet::new(),
            waited_for: false,
        };
        Admission { inner: Mutex::new(inner) }
    }

    /// Other limits are in force from now on. Connections that are there stay. True when somebody waits at a gate that
    /// may be open now.
    pub fn set_limits(&self, limits: ConnectionLimits) -> bool {
        let mut inner = self.inner.lock();
        inner.limits = limits;
        std::mem::take(&mut inner.waited_for)
    }

    pub fn set_ceiling(&self, ceiling: u32) {
        self.inner.lock().ceiling = ceiling;
    }

    /// Connections of this listener are let in again.
    pub fn open_listener(&self, listener: &str) {
        self.inner.lock().removed.remove(listener);
    }

    /// None more is let in, not even one that was accepted already.
    pub fn close_listener(&self, listener: &str) {
        self.inner.lock().removed.insert(listener.to_owned());
    }

    /// To be asked before each accept.
    pub fn gate(&self, listener: &str, now_ms: i64) -> Gate {
        let mut inner = self.inner.lock();
        let Inner { limits, ceiling, total, by_listener, pace, waited_for, .. } = &mut *inner;
        let own = limits.of_listener(listener);
        let entrance = match by_listener.get_mut(listener) {
            Some(entrance) => entrance,
            None => by_listener.entry(listener.into()).or_default(),
        };
        if *total >= limits.max.min(*ceiling) || entrance.connections >= own.max {
            *waited_for = true;
            return Gate::WhenRoom;
        }
        let due = pace.due(limits.creation_rate, now_ms).max(entrance.pace.due(own.creation_rate, now_ms));
        if due > now_ms { Gate::At(due) } else { Gate::Open }
    }

    pub fn enter(&self, listener: &str, address: IpAddr) -> Result<(), AcceptError> {
        let mut inner = self.inner.lock();
        let Inner { limits, total, by_address, by_listener, pace, removed, .. } = &mut *inner;
        if removed.contains(listener) {
            return Err(AcceptError::ListenerRemoved);
        }
        let entrance = match by_listener.get_mut(listener) {
            Some(entrance) => entrance,
            None => by_listener.entry(listener.into()).or_default(),
        };
        let own = limits.of_listener(listener);
        pace.take(limits.creation_rate);
        entrance.pace.take(own.creation_rate);
        if *total >= limits.max || entrance.connections >= own.max {
            return Err(AcceptError::TooMany);
        }
        let max_of_address = limits.overrides.get(&address).copied().unwrap_or(limits.max_per_address);
        let of_address = by_address.get(&address).copied().unwrap_or(0);
        if of_address >= max_of_address {
            return Err(AcceptError::TooManyOfAddress);
        }
        by_address.insert(address, of_address + 1);
        entrance.connections += 1;
        *total += 1;
        Ok(())
    }

    /// True when a listener waits for the room that this made.
    pub fn leave(&self, listener: &str, address: IpAddr) -> bool {
        let mut inner = self.inner.lock();
        inner.total = inner.total.saturating_sub(1);
        if let Some(entrance) = inner.by_listener.get_mut(listener) {
            entrance.connections = entrance.connections.saturating_sub(1);
        }
        if let Some(of_address) = inner.by_address.get_mut(&address) {
            *of_address = of_address.saturating_sub(1);
            if *of_address == 0 {
                inner.by_address.remove(&address);
            }
        }
        std::mem::take(&mut inner.waited_for)
    }

    pub fn total(&self) -> u32 {
        self.inner.lock().total
    }

    /// Connections of each listener that has had one.
    pub fn by_listener(&self) -> Vec<(Arc<str>, u32)> {
        let inner = self.inner.lock();
        inner.by_listener.iter().map(|(name, entrance)| (name.clone(), entrance.connections)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(127, 0, 0, 1));
    const B: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(127, 0, 0, 2));

    fn admission(change: impl FnOnce(&mut ConnectionLimits)) -> Admission {
        let mut limits = ConnectionLimits::new(u32::MAX, u32::MAX);
        change(&mut limits);
        Admission::new(limits)
    }

    #[test]
    fn caps_hold_in_all_and_per_address() {
        let admission = admission(|limits| (limits.max, limits.max_per_address) = (3, 2));
        assert_eq!(admission.enter("L", A), Ok(()));
        assert_eq!(admission.enter("L", A), Ok(()));
        assert_eq!(admission.enter("L", A), Err(AcceptError::TooManyOfAddress));
        assert_eq!(admission.enter("L", B), Ok(()));
        assert_eq!(admission.enter("L", B), Err(AcceptError::TooMany));
        admission.leave("L", A);
        assert_eq!(admission.enter("L", B), Ok(()));
        assert_eq!(admission.total(), 3);
    }

    #[test]
    fn an_address_may_have_a_cap_of_its_own() {
        let admission = admission(|limits| {
            limits.max_per_address = 1;
            limits.overrides = BTreeMap::from([(B, 2)]);
        });
        assert_eq!(admission.enter("L", A), Ok(()));
        assert_eq!(admission.enter("L", A), Err(AcceptError::TooManyOfAddress));
        assert_eq!(admission.enter("L", B), Ok(()));
        assert_eq!(admission.enter("L", B), Ok(()));
        assert_eq!(admission.enter("L", B), Err(AcceptError::TooManyOfAddress));
    }

    #[test]
    fn a_full_listener_waits_until_somebody_goes_and_others_do_not() {
        let one = ListenerLimits { max: 1, creation_rate: u32::MAX };
        let admission = admission(|limits| limits.listeners = BTreeMap::from([("L".to_owned(), one)]));
        assert_eq!(admission.gate("L", 0), Gate::Open);
        admission.enter("L", A).unwrap();
        assert_eq!(admission.gate("L", 0), Gate::WhenRoom);
        assert_eq!(admission.gate("M", 0), Gate::Open);
        admission.enter("M", A).unwrap();
        assert!(admission.leave("L", A), "somebody waits");
        assert_eq!(admission.gate("L", 0), Gate::Open);
        assert!(!admission.leave("M", A), "nobody does any more");
    }

    #[test]
    fn a_raised_cap_opens_the_gate() {
        let admission = admission(|limits| limits.max = 0);
        assert_eq!(admission.gate("L", 0), Gate::WhenRoom);
        assert!(admission.set_limits(ConnectionLimits::new(1, 1)));
        assert_eq!(admission.gate("L", 0), Gate::Open);
    }

    #[test]
    fn new_connections_come_no_faster_than_the_rate() {
        let slow = ListenerLimits { max: u32::MAX, creation_rate: 2 };
        let admission = admission(|limits| {
            limits.creation_rate = 10;
            limits.listeners = BTreeMap::from([("L".to_owned(), slow)]);
        });
        let mut accepted = Vec::new();
        let mut now = 5000;
        while accepted.len() < 6 {
            match admission.gate("L", now) {
                Gate::Open => {
                    admission.enter("L", A).unwrap();
                    accepted.push(now);
                }
                Gate::At(due) => now = due,
                Gate::WhenRoom => panic!("no cap"),
            }
        }
        assert_eq!(accepted, [5000, 5000, 5500, 6000, 6500, 7000], "a second's worth at once, then in step");
        let mut others = 0;
        while admission.gate("M", now) == Gate::Open {
            admission.enter("M", A).unwrap();
            others += 1;
        }
        assert!((5..10).contains(&others), "the broker's own rate: {others}");
    }

    #[test]
    fn a_removed_listener_lets_nobody_in_until_it_is_back() {
        let admission = admission(|_| ());
        admission.close_listener("L");
        assert_eq!(admission.enter("L", A), Err(AcceptError::ListenerRemoved));
        assert_eq!(admission.enter("M", A), Ok(()));
        admission.open_listener("L");
        assert_eq!(admission.enter("L", A), Ok(()));
    }
}
