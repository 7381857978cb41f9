//! How many connections there may be, in all and from one address. It closes none.

use core::net::IpAddr;
use std::collections::BTreeMap;

use parking_lot::Mutex;

/// Why a connection was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    #[error("max.connections is reached")]
    TooMany,
    #[error("max.connections.per.ip is reached")]
    TooManyOfAddress,
    #[error("the broker is stopping")]
    Stopping,
}

#[derive(Debug)]
pub struct Admission {
    max: u32,
    max_per_address: u32,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    total: u32,
    by_address: BTreeMap<IpAddr, u32>,
}

impl Admission {
    pub fn new(max: u32, max_per_address: u32) -> Admission {
        Admission { max, max_per_address, counts: Mutex::default() }
    }

    pub fn enter(&self, address: IpAddr) -> Result<(), AcceptError> {
        let mut counts = self.counts.lock();
        if counts.total >= self.max {
            return Err(AcceptError::TooMany);
        }
        let of_address = counts.by_address.entry(address).or_insert(0);
        if *of_address >= self.max_per_address {
            if *of_address == 0 {
                counts.by_address.remove(&address);
            }
            return Err(AcceptError::TooManyOfAddress);
        }
        *of_address += 1;
        counts.total += 1;
        Ok(())
    }

    pub fn leave(&self, address: IpAddr) {
        let mut counts = self.counts.lock();
        counts.total = counts.total.saturating_sub(1);
        if let Some(of_address) = counts.by_address.get_mut(&address) {
            *of_address = of_address.saturating_sub(1);
            if *of_address == 0 {
                counts.by_address.remove(&address);
            }
        }
    }

    pub fn total(&self) -> u32 {
        self.counts.lock().total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_hold_in_all_and_per_address() {
        let admission = Admission::new(3, 2);
        let (a, b) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        assert_eq!(admission.enter(a), Ok(()));
        assert_eq!(admission.enter(a), Ok(()));
        assert_eq!(admission.enter(a), Err(AcceptError::TooManyOfAddress));
        assert_eq!(admission.enter(b), Ok(()));
        assert_eq!(admission.enter(b), Err(AcceptError::TooMany));
        admission.leave(a);
        assert_eq!(admission.enter(b), Ok(()));
        assert_eq!(admission.total(), 3);
    }
}
