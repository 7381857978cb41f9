//! Several Produce requests that were there when their sockets were looked at: their batches for a partition are appended
//! with one write. Each request is answered as if it had come alone. It never changes their order.

use std::sync::Arc;

use super::produce::{Asked, Checked, Prepared, finish, prepare};
use super::produce_request::ProduceRequest;
use super::{Outcome, RequestContext, RequestHeader, serves};
use crate::partition::{ClientBatch, Notices};
use crate::time::Now;

/// The longest frame that gains from it: writes of more than this cost little beside their bytes.
pub const RUN_FRAME_BYTES: usize = 64 << 10;

/// Whether this frame may be served together with its neighbours.
pub fn joins_run(frame: &[u8]) -> bool {
    let Some([key_high, key_low, version_high, version_low]) = frame.first_chunk::<4>().copied() else {
        return false;
    };
    let (key, version) =
        (i16::from_be_bytes([key_high, key_low]), i16::from_be_bytes([version_high, version_low]));
    let served = serves(key).is_some_and(|(oldest, newest)| (oldest..=newest).contains(&version));
    key == 0 && served && frame.len() <= RUN_FRAME_BYTES
}

/// A request that was checked, and whose batch then stands in the log or is refused: yet to be answered.
pub struct SettledProduce(Prepared);

impl SettledProduce {
    /// The answer, or that it waits. `ctx` has the header of the request.
    pub fn finish(self, ctx: &mut RequestContext<'_>) -> Outcome {
        finish(ctx, self.0)
    }
}

impl<'a> RequestContext<'a> {
    /// The same for another request of the connection.
    fn of<'b>(&'b mut self, header: &'b RequestHeader) -> RequestContext<'b>
    where
        'a: 'b,
    {
        let RequestContext { topics, settings, nodes, listener, now, waiter, principal, authorize, .. } =
            *self;
        RequestContext {
            topics,
            settings,
            nodes,
            listener,
            header,
            now,
            waiter,
            principal,
            authorize,
            sessions: self.sessions,
            notices: self.notices,
        }
    }
}

/// Appends what the requests at the front of a run bring, in their order. Only requests for one partition are taken, so
/// that a run holds little: the first of another kind, or that cannot be read, and all behind it stay untouched.
pub fn append_run(
    ctx: &mut RequestContext<'_>,
    run: &mut [&mut [u8]],
) -> Vec<(RequestHeader, SettledProduce)> {
    let mut checked = Vec::with_capacity(run.len());
    for frame in run.iter_mut() {
        let Ok(header) = RequestHeader::parse(frame) else { break };
        let Some(request) = check_for_run(&ctx.of(&header), frame) else { break };
        checked.push((header, request));
    }
    append_checked(run, &mut checked, ctx.now, ctx.notices);
    checked
}

/// Checks a request, whose header `ctx` has, that is to be appended with others; `None` for one that a run does not take,
/// which stays as it is.
pub fn check_for_run(ctx: &RequestContext<'_>, frame: &mut [u8]) -> Option<SettledProduce> {
    let request = ProduceRequest::read(ctx.body(frame), ctx.header.api_version).ok()?;
    if (request.topics.len(), request.partitions.len()) != (1, 1) {
        return None;
    }
    let asked = Asked::of(ctx, frame, request);
    Some(SettledProduce(prepare(ctx, asked, frame)))
}

/// Appends the batches of requests that were checked, those of a partition together and in their order. Each stands in
/// the frame of the same place.
pub fn append_checked<Owner>(
    frames: &mut [&mut [u8]],
    requests: &mut [(Owner, SettledProduce)],
    now: Now,
    notices: &mut Notices,
) {
    let next = |requests: &[(Owner, SettledProduce)]| {
        let mut waiting = requests.iter().enumerate();
        waiting.find_map(|(at, (_, it))| it.0.checked.first().map(|checked| (at, checked.partition.clone())))
    };
    let mut from = 0;
    while let Some((at, partition)) = next(requests.get(from..).unwrap_or_default()) {
        from += at;
        let (mut batches, mut owners) = (Vec::new(), Vec::new());
        let of_rest = frames.iter_mut().zip(requests.iter_mut()).skip(from);
        for (frame, (_, SettledProduce(prepared))) in of_rest {
            let acks_all = prepared.acks == -1;
            let is_its = |checked: &&Checked| Arc::ptr_eq(&checked.partition, &partition);
            if prepared.checked.first().filter(is_its).is_none() {
                continue;
            }
            let Some(Checked { records, batch: checked, place, .. }) = prepared.checked.pop() else {
                continue;
            };
            let bytes = frame.get_mut(records).unwrap_or_default();
            batches.push(ClientBatch { bytes, checked, acks_all });
            owners.push((prepared, place));
        }
        let answers = partition.append_run_as_leader(&mut batches, now, notices);
        for ((prepared, place), answer) in owners.into_iter().zip(answers) {
            prepared.settle(place, &partition, answer);
        }
    }
}
