//! Three voters whose messages are passed by hand: the shape of a cluster, without its network.

use std::path::Path;
use std::sync::Arc;

use super::quorum_tests::{committed, drive, new_disk, values};
use super::{ProposeError, Quorum, QuorumOutput};
use crate::storage::SimStorage;

struct Member {
    disk: SimStorage,
    quorum: Quorum,
    outputs: Vec<QuorumOutput>,
}

impl Member {
    fn open(disk: SimStorage, node: i32, seed: u64) -> Self {
        let storage = Arc::new(disk.clone());
        let quorum = Quorum::open_with_voters(storage, Path::new("/data"), node, &[0, 1, 2], seed).unwrap();
        Self { disk, quorum, outputs: Vec::new() }
    }

    fn texts(&self) -> Vec<(i64, String)> {
        committed(&self.outputs).into_iter().map(|record| (record.0, record.4)).collect()
    }
}

struct World {
    members: Vec<Member>,
    cut_off: Option<usize>,
}

impl World {
    fn new(seed: u64) -> Self {
        let members = (0..3).map(|node| Member::open(new_disk(), node, seed)).collect();
        Self { members, cut_off: None }
    }

    /// Delivers messages and runs disk work until all rest.
    fn settle(&mut self) {
        loop {
            let mut letters = Vec::new();
            for (from, member) in self.members.iter_mut().enumerate() {
                drive(&mut member.quorum);
                member.outputs.extend(member.quorum.take_outputs());
                letters.extend(member.quorum.take_peer_messages().into_iter().map(|letter| (from, letter)));
            }
            if letters.is_empty() {
                return;
            }
            for (from, letter) in letters {
                let to = letter.to_node as usize;
                if self.cut_off != Some(from) && self.cut_off != Some(to) {
                    self.members[to].quorum.step(&letter.bytes);
                }
            }
        }
    }

    fn tick(&mut self, count: usize) {
        for _ in 0..count {
            self.members.iter_mut().for_each(|member| member.quorum.tick());
            self.settle();
        }
    }

    /// The member that leads the newest epoch.
    fn leader(&self) -> usize {
        let newest = self.members.iter().map(|member| member.quorum.describe()).max_by_key(|d| d.epoch);
        usize::try_from(newest.unwrap().leader_id).expect("a leader")
    }
}

#[test]
fn three_voters_elect_commit_and_change_leaders() {
    for seed in 0..50 {
        let mut world = World::new(seed);
        world.tick(60);
        assert!(
            world.members.iter().all(|member| !member.quorum.is_resting()),
            "heartbeats and timeouts need every tick"
        );
        let first = world.leader();
        world.members[first].quorum.propose(1, 10, values("one two")).unwrap();
        world.settle();
        world.tick(4);
        for member in &world.members {
            assert_eq!(member.texts(), [(1, "one two".to_owned())], "seed {seed}");
        }
        let follower = (first + 1) % 3;
        assert_eq!(world.members[follower].quorum.propose(9, 10, values("no")), Err(ProposeError::NotLeader));
        let description = world.members[first].quorum.describe();
        assert!(description.voters.iter().all(|voter| voter.log_end_offset == 3), "{description:?}");

        // A leader that is cut off cannot commit; the others go on, and its proposal is dropped when it is back.
        world.cut_off = Some(first);
        world.members[first].quorum.propose(2, 11, values("lost")).unwrap();
        world.tick(60);
        let second = world.leader();
        assert_ne!(second, first, "seed {seed}");
        world.members[second].quorum.propose(3, 12, values("three")).unwrap();
        world.settle();
        world.cut_off = None;
        world.tick(30);
        for member in &world.members {
            let texts: Vec<String> = member.texts().into_iter().map(|text| text.1).collect();
            assert_eq!(texts, ["one two", "three"], "seed {seed}");
        }
        let dropped = QuorumOutput::Dropped { proposal_id: 2, error: ProposeError::NotLeader };
        assert!(world.members[first].outputs.contains(&dropped), "seed {seed}");
        assert_eq!(world.members[0].texts(), world.members[1].texts());
        assert_eq!(world.members[0].texts(), world.members[2].texts());
    }
}

#[test]
fn a_follower_that_lost_power_catches_up() {
    let mut world = World::new(3);
    world.tick(60);
    let leader = world.leader();
    let down = (leader + 1) % 3;
    world.members[leader].quorum.propose(1, 1, values("before")).unwrap();
    world.settle();
    world.cut_off = Some(down);
    for id in 2..6 {
        world.members[leader].quorum.propose(id, 1, values("meanwhile")).unwrap();
        world.settle();
    }
    let disk = world.members[down].disk.clone();
    disk.crash(9);
    world.members[down] = Member::open(disk, down as i32, 4);
    world.cut_off = None;
    world.tick(40);
    assert_eq!(world.members[down].texts(), world.members[leader].texts());
    assert_eq!(world.members[down].texts().len(), 5);
}

#[test]
fn a_voter_that_lost_its_disk_stops_instead_of_voting_on() {
    let mut world = World::new(3);
    world.tick(60);
    let leader = world.leader();
    world.members[leader].quorum.propose(1, 1, values("kept")).unwrap();
    world.settle();
    world.tick(4);
    let lost = (leader + 1) % 3;
    world.members[lost] = Member::open(new_disk(), lost as i32, 4);
    world.tick(10);
    assert!(world.members[lost].quorum.is_faulted());
    assert!(matches!(world.members[lost].outputs.last(), Some(QuorumOutput::Fault(_))));
    world.members[leader].quorum.propose(2, 1, values("on")).unwrap();
    world.settle();
    assert_eq!(world.members[leader].texts().len(), 2, "the other two still commit");
}

#[test]
fn the_same_seed_elects_the_same_leaders() {
    let run = |seed| {
        let mut world = World::new(seed);
        world.tick(60);
        world.cut_off = Some(world.leader());
        world.tick(60);
        world.members.iter().map(|member| (member.outputs.clone(), member.disk.digest())).collect::<Vec<_>>()
    };
    for seed in 0..30 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}

#[test]
fn strangers_and_garbage_are_ignored() {
    let mut world = World::new(1);
    world.tick(60);
    let before: Vec<u64> = world.members.iter().map(|member| member.disk.digest()).collect();
    let mut stranger = Member::open(new_disk(), 2, 1);
    for _ in 0..40 {
        stranger.quorum.tick();
        drive(&mut stranger.quorum);
    }
    let letters = stranger.quorum.take_peer_messages();
    assert!(!letters.is_empty());
    for letter in letters {
        // From node 2 under the raft id of node 7.
        let mut bytes = letter.bytes.clone();
        let from = bytes.windows(2).position(|pair| pair == [0x18, 3]).expect("the sender's field");
        bytes[from + 1] = 8;
        world.members[letter.to_node as usize].quorum.step(&bytes);
        world.members[letter.to_node as usize].quorum.step(&bytes[1..]);
    }
    world.settle();
    assert_eq!(world.members.iter().map(|member| member.disk.digest()).collect::<Vec<_>>(), before);
    assert!(world.members.iter().all(|member| !member.quorum.is_faulted()));
}
