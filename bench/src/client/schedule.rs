//! When each request of an open loop is due, and which request an offset belongs to. Pure: times are nanoseconds since
//! the loop began. What is late still counts from when it was due, so a broker that stalls cannot hide it.

/// Requests at even intervals, each of the same number of records.
#[derive(Clone, Copy)]
pub struct Schedule {
    per_second: f64,
    records: i64,
    /// Offset of the first record of request 0.
    first_offset: i64,
}

impl Schedule {
    pub fn new(per_second: f64, records: u32, first_offset: i64) -> Self {
        Self { per_second, records: i64::from(records), first_offset }
    }

    /// When request number `request` is due.
    pub fn at(&self, request: u64) -> u64 {
        (request as f64 * 1e9 / self.per_second) as u64
    }

    /// How many requests are due by then.
    pub fn due(&self, nanos: u64) -> u64 {
        let guess = (nanos as f64 * self.per_second / 1e9) as u64;
        // The two roundings may differ by one.
        let after = (guess..).find(|request| self.at(*request) > nanos);
        after.unwrap_or(guess)
    }

    /// Requests in that many seconds.
    pub fn within(&self, seconds: f64) -> u64 {
        (self.per_second * seconds).round() as u64
    }

    pub fn offset_of(&self, request: u64) -> i64 {
        self.first_offset + request as i64 * self.records
    }

    /// The request whose batch begins at this offset and has so many records; `None`: there is none.
    pub fn request_of(&self, base_offset: i64, records: i64) -> Option<u64> {
        let distance = base_offset - self.first_offset;
        (distance >= 0 && distance % self.records == 0 && records == self.records)
            .then_some((distance / self.records) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_due_exactly_from_its_time_on() {
        for per_second in [3.0, 1000.0, 5000.0, 7777.7] {
            let schedule = Schedule::new(per_second, 1, 0);
            for request in [0, 1, 2, 49_999, 1_000_003] {
                let at = schedule.at(request);
                assert_eq!(schedule.due(at), request + 1, "{per_second}/s, request {request}");
                assert_eq!(
                    schedule.due(at.saturating_sub(1)),
                    request.max(u64::from(at == 0)),
                    "{per_second}/s"
                );
            }
        }
        assert_eq!(Schedule::new(5000.0, 1, 0).at(5000), 1_000_000_000);
        assert_eq!(Schedule::new(5000.0, 1, 0).within(2.0), 10_000);
    }

    #[test]
    fn a_batch_belongs_to_the_request_that_carried_it() {
        let schedule = Schedule::new(1000.0, 50, 200);
        assert_eq!(schedule.offset_of(3), 350);
        assert_eq!(schedule.request_of(350, 50), Some(3));
        assert_eq!(schedule.request_of(351, 50), None);
        assert_eq!(schedule.request_of(350, 49), None);
        assert_eq!(schedule.request_of(150, 50), None);
    }
}
