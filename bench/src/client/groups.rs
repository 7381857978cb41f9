//! Classic groups with members that have joined and hold an assignment: JoinGroup v3, SyncGroup v2, Heartbeat v3,
//! LeaveGroup v3.

use std::io;
use std::time::{Duration, Instant};

use super::control_frames::Reply;
use super::requests::{Request, expect_no_error};
use super::swarm::Swarm;

const SESSION_TIMEOUT_MS: i32 = 60_000;
const UNKNOWN_MEMBER_ID: i16 = 25;
/// Load in progress, coordinator not available, not coordinator; an unknown topic while the offsets' own is made; no
/// error, which is what Kafka answers to any heartbeat while it loads the group.
const COORDINATOR_IS_COMING: [i16; 5] = [14, 15, 16, 3, 0];

#[derive(Clone, Default)]
pub struct Member {
    pub group: String,
    pub id: String,
    pub generation: i32,
    leads: bool,
}

impl Member {
    pub fn heartbeat(&self) -> Vec<u8> {
        heartbeat(&self.group, self.generation, &self.id)
    }
}

fn heartbeat(group: &str, generation: i32, member: &str) -> Vec<u8> {
    Request::new(12, 3, 0).string(group).i32(generation).string(member).null_string().frame(0)
}

/// The error code of a heartbeat's reply.
pub fn heartbeat_error(reply: &[u8]) -> io::Result<i16> {
    let mut reply = Reply::new(reply);
    reply.take(8)?;
    reply.i16()
}

/// Joins `members` members, each on the connection of its number, of groups of `per_group`, all at once; they hold an
/// assignment when this returns.
pub fn join(swarm: &mut Swarm, name: &str, members: usize, per_group: usize) -> io::Result<Vec<Member>> {
    let groups: Vec<String> =
        (0..members.div_ceil(per_group)).map(|number| format!("{name}-{number}")).collect();
    await_coordinators(swarm, &groups)?;
    let mut joined: Vec<Member> = (0..members)
        .map(|number| Member { group: groups[number / per_group].clone(), ..Member::default() })
        .collect();
    // The last generation of each group that began without all of its members.
    let mut short = vec![0; groups.len()];
    let mut rejoining: Vec<usize> = (0..members).collect();
    while !rejoining.is_empty() || swarm.in_flight() > 0 {
        for number in rejoining.drain(..) {
            swarm.send(number, &join_frame(&joined[number]))?;
        }
        swarm.turn(Some(Duration::from_secs(60)), |number, reply, _| {
            let (group, member) = (number / per_group, &mut joined[number]);
            let in_generation = joined_as(reply, member)?;
            let of_group = per_group.min(members - group * per_group);
            if member.leads && in_generation < of_group {
                short[group] = member.generation;
                rejoining.extend((group * per_group..).take(of_group).filter(|other| *other != number));
                rejoining.push(number);
            } else if member.generation == short[group] {
                rejoining.push(number);
            }
            Ok(())
        })?;
        // Whoever is in no generation yet, or in a newer one, has asked already or need not.
        rejoining.retain(|number| {
            joined[*number].generation == short[number / per_group] && joined[*number].generation > 0
        });
        rejoining.sort_unstable();
        rejoining.dedup();
        rejoining.retain(|number| swarm.in_flight_on(*number) == 0);
    }
    synchronise(swarm, &joined, per_group)?;
    Ok(joined)
}

fn join_frame(member: &Member) -> Vec<u8> {
    let join = Request::new(11, 3, 0).string(&member.group).i32(SESSION_TIMEOUT_MS).i32(60_000);
    let join = join.string(&member.id).string("consumer").i32(1).string("range").bytes(&[0; 24]);
    join.frame(0)
}

/// Takes what a JoinGroup reply says about `member`; how many members its generation has, where it leads it.
fn joined_as(reply: &[u8], member: &mut Member) -> io::Result<usize> {
    let mut reply = Reply::new(reply);
    reply.take(8)?;
    expect_no_error("JoinGroup", reply.i16()?)?;
    member.generation = reply.i32()?;
    reply.string()?;
    let leader = reply.string()?;
    member.id = reply.string()?.to_string();
    member.leads = leader == member.id;
    Ok(usize::try_from(reply.i32()?).unwrap_or(0))
}

/// Every member of a group takes its assignment; the leaders hand them in.
fn synchronise(swarm: &mut Swarm, joined: &[Member], per_group: usize) -> io::Result<()> {
    for (number, member) in joined.iter().enumerate() {
        let generation = joined[number - number % per_group].generation;
        if member.generation != generation {
            return Err(io::Error::other(format!("{}: joined in more than one generation", member.group)));
        }
        let mut sync = Request::new(14, 2, 0).string(&member.group).i32(generation).string(&member.id);
        if member.leads {
            let of_group = &joined[number - number % per_group..];
            let of_group = &of_group[..per_group.min(of_group.len())];
            sync = sync.i32(of_group.len() as i32);
            for member in of_group {
                sync = sync.string(&member.id).bytes(&[0; 32]);
            }
        } else {
            sync = sync.i32(0);
        }
        swarm.send(number, &sync.frame(0))?;
    }
    swarm.settle(|_, reply, _| {
        let mut reply = Reply::new(reply);
        reply.take(8)?;
        expect_no_error("SyncGroup", reply.i16()?)?;
        if reply.i32()? == 32 {
            Ok(())
        } else {
            Err(io::Error::other("SyncGroup: not the assignment handed in"))
        }
    })
}

/// All members leave, a group at a time, so that the broker holds nothing of them.
pub fn leave(swarm: &mut Swarm, members: &[Member], per_group: usize) -> io::Result<()> {
    for of_group in members.chunks(per_group) {
        let Some(first) = of_group.first() else { continue };
        let mut leave = Request::new(13, 3, 0).string(&first.group).i32(of_group.len() as i32);
        for member in of_group {
            leave = leave.string(&member.id).null_string();
        }
        swarm.send(0, &leave.frame(0))?;
    }
    swarm.settle(|_, reply, _| {
        let mut reply = Reply::new(reply);
        reply.take(8)?;
        expect_no_error("LeaveGroup", reply.i16()?)
    })
}

/// Until every group's coordinator is there: a member that nobody knows is told so.
fn await_coordinators(swarm: &mut Swarm, groups: &[String]) -> io::Result<()> {
    let started = Instant::now();
    let mut waiting: Vec<&String> = groups.iter().collect();
    while !waiting.is_empty() {
        if started.elapsed() > Duration::from_secs(60) {
            return Err(io::Error::other(format!("group {}: no coordinator after 60 s", waiting[0])));
        }
        // The topic of the offsets is created when somebody first asks for a coordinator.
        swarm.send(0, &Request::new(10, 1, 0).string(waiting[0]).i8(0).frame(0))?;
        swarm.settle(|_, _, _| Ok(()))?;
        for group in &waiting {
            swarm.send(0, &heartbeat(group, 0, "nobody"))?;
        }
        let mut next = waiting.clone().into_iter();
        waiting.clear();
        swarm.settle(|_, reply, _| {
            let (code, group) = (heartbeat_error(reply)?, next.next());
            match group {
                Some(group) if COORDINATOR_IS_COMING.contains(&code) => waiting.push(group),
                _ if code == UNKNOWN_MEMBER_ID => {}
                _ => expect_no_error("Heartbeat of nobody", code)?,
            }
            Ok(())
        })?;
        if !waiting.is_empty() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(())
}
