//! Metadata image deltas: the logs on this broker are made to agree with them, one delta after another, and each is
//! confirmed. It runs on the disk pool; it decides nothing about metadata.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use super::effects::Effect;
use super::loading::{Loaded, Unloaded};
use super::log_dirs::LogDir;
use super::shared::Node;
use crate::boundary::commands::{PartitionImage, TopicImage};
use crate::boundary::{Event, TopicId};
use crate::log::{CutBytes, Removal};
use crate::partition::{Notices, Partition, PartitionConfig, PartitionSpec, Topic};
use crate::time::Now;
use crate::uuid::Uuid;

/// More partitions than any topic of Kafka has: an index beyond it is a mistake, not a reason to allocate.
const MAX_PARTITION_INDEX: i32 = 1_000_000;

/// What changed up to an offset of the metadata log.
#[derive(Debug)]
pub struct ImageDelta {
    offset: i64,
    removed: Vec<Uuid>,
    topics: Vec<TopicDelta>,
}

#[derive(Clone, Debug)]
pub(super) struct TopicDelta {
    name: Arc<str>,
    id: Uuid,
    internal: bool,
    configs: Vec<(String, String)>,
    partitions: Vec<PartitionImage>,
}

/// A partition whose log could not be opened, and why.
#[derive(Debug)]
pub(super) struct Unopened {
    /// Answers that it is offline.
    pub partition: Arc<Partition>,
    pub reason: String,
    pub for_want_of_room: bool,
}

/// What could not be done: topic id, partition (−1 = the topic as a whole), message.
type Failures = Vec<(TopicId, i32, String)>;

impl ImageDelta {
    pub fn new(offset: i64, removed: &[TopicId], topics: &[TopicImage<'_>]) -> ImageDelta {
        let owned = |topic: &TopicImage<'_>| TopicDelta {
            name: topic.name.into(),
            id: Uuid(topic.topic_id),
            internal: topic.internal,
            configs: topic.configs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            partitions: topic.partitions.clone(),
        };
        ImageDelta {
            offset,
            removed: removed.iter().map(|id| Uuid(*id)).collect(),
            topics: topics.iter().map(owned).collect(),
        }
    }

    /// The directories that this delta knows, and whose they are.
    pub(super) fn directories(&self) -> BTreeMap<String, Uuid> {
        let of_topic = |topic: &TopicDelta| -> Vec<(String, Uuid)> {
            let name = |partition: &PartitionImage| format!("{}-{}", topic.name, partition.index);
            topic.partitions.iter().map(|partition| (name(partition), topic.id)).collect()
        };
        self.topics.iter().flat_map(of_topic).collect()
    }
}

impl Node {
    pub(super) fn queue_image(&self, delta: ImageDelta) {
        if self.stopping.is_stopping() {
            return;
        }
        let mut images = self.images.lock();
        images.queue.push_back(delta);
        if !std::mem::replace(&mut images.in_flight, true) {
            self.push_effect(Effect::ApplyImage);
        }
    }

    /// Applies the oldest delta, confirms it, and asks for the next one's turn.
    pub(super) fn apply_next_image(self: &Arc<Self>, now: Now, notices: &mut Notices) {
        let (delta, is_first) = {
            let mut images = self.images.lock();
            (images.queue.pop_front(), !images.first_applied)
        };
        match delta {
            Some(delta) => {
                if is_first {
                    let had_strays = self.set_strays_aside(&delta, now, notices);
                    self.images.lock().had_strays = had_strays;
                }
                self.load_logs(Arc::new(delta), now, notices);
            }
            None => self.next_image(now, notices),
        }
    }

    /// Applies a delta whose logs are open, as far as they were worth opening ahead, and confirms it.
    pub(super) fn finish_image(&self, delta: &ImageDelta, loaded: Loaded, now: Now, notices: &mut Notices) {
        let failures = self.apply_image(delta, loaded, now, notices);
        let is_first = !std::mem::replace(&mut self.images.lock().first_applied, true);
        if is_first && self.images.lock().had_strays {
            self.write_checkpoints(notices);
        }
        if is_first {
            self.log_dirs.iter().for_each(LogDir::forget_left);
        }
        if is_first && failures.is_empty() {
            self.note_boot(notices);
        }
        let failures = failures.iter().map(|(id, index, message)| (*id, *index, message.as_str())).collect();
        self.emit(&Event::ImageApplied { offset: delta.offset, failures });
        self.next_image(now, notices);
    }

    fn next_image(&self, now: Now, notices: &mut Notices) {
        self.open_unopened(now, notices);
        let mut images = self.images.lock();
        if images.queue.is_empty() {
            images.in_flight = false;
        } else {
            self.push_effect(Effect::ApplyImage);
        }
    }

    /// The logs of a delta that can be opened before anything else of it is done: those whose directory no other
    /// topic holds.
    /// None at all when they are fewer than `least`.
    pub(super) fn unloaded_of(&self, delta: &ImageDelta, least: usize) -> VecDeque<Unloaded> {
        let mut wanted = Vec::new();
        for topic in &delta.topics {
            let known = self.topics.by_name(&topic.name);
            if known.as_ref().is_some_and(|known| known.id != topic.id) {
                continue;
            }
            let config = Arc::new(self.config_of(topic).0);
            for image in &topic.partitions {
                let is_open = known.as_ref().is_some_and(|known| known.partition(image.index).is_ok());
                let is_ours = image.replicas.contains(&self.options.node_id);
                if is_ours && !is_open && (0..=MAX_PARTITION_INDEX).contains(&image.index) {
                    wanted.push((topic, image.index, config.clone()));
                }
            }
        }
        if wanted.len() < least {
            return VecDeque::new();
        }
        let mut counts = self.counts_for_choice();
        let placed =
            wanted.into_iter().map(|(topic, index, config)| self.place(topic, index, &config, &mut counts));
        placed.filter_map(Result::ok).collect()
    }

    /// Only a choice between directories needs to know how full they are.
    fn counts_for_choice(&self) -> BTreeMap<PathBuf, usize> {
        if self.log_dirs.len() > 1 { self.partition_counts() } else { BTreeMap::new() }
    }

    /// Has the logs opened again for which there was no room, if there are any.
    pub(super) fn retry_unopened(&self) {
        let mut images = self.images.lock();
        if !images.unopened.is_empty() && !std::mem::replace(&mut images.in_flight, true) {
            self.push_effect(Effect::ApplyImage);
        }
    }

    /// Opens what could not be opened for want of room and is still wanted.
    fn open_unopened(&self, now: Now, notices: &mut Notices) {
        let unopened = std::mem::take(&mut self.images.lock().unopened);
        let mut counts = if unopened.is_empty() { BTreeMap::new() } else { self.partition_counts() };
        for delta in unopened {
            let Some(topic) = self.topics.by_id(delta.id) else { continue };
            let is_unopened = |partition: &Arc<Partition>| partition.is_unopened();
            let missing = |image: &&PartitionImage| topic.partition(image.index).is_ok_and(is_unopened);
            let images: Vec<PartitionImage> = delta.partitions.iter().filter(missing).cloned().collect();
            let config = topic.partitions.iter().flatten().next().map(|open| open.config());
            let config = config.unwrap_or_else(|| Arc::new(self.config_of(&delta).0));
            let mut partitions = topic.partitions.clone();
            let mut failures = Failures::new();
            let delta = TopicDelta { partitions: images, ..delta };
            for image in &delta.partitions {
                let slot = usize::try_from(image.index).ok().and_then(|index| partitions.get_mut(index));
                if let Some(slot) = slot
                    && image.replicas.contains(&self.options.node_id)
                {
                    let opened = self.open_partition(&delta, image.index, &config, now, &mut counts, notices);
                    *slot = Some(self.take_up(&delta, image, opened, notices, &mut failures));
                }
            }
            let Topic { name, id, internal, .. } = &*topic;
            let topic = Topic { name: name.clone(), id: *id, internal: *internal, partitions };
            self.topics.insert(Arc::new(topic));
        }
    }

    fn apply_image(
        &self,
        delta: &ImageDelta,
        mut loaded: Loaded,
        now: Now,
        notices: &mut Notices,
    ) -> Failures {
        let mut failures = Failures::new();
        for id in &delta.removed {
            if let Some(topic) = self.topics.remove(*id) {
                self.delete_topic(&topic, now, notices, &mut failures);
            }
        }
        if !delta.removed.is_empty() {
            // A crash must not find the offsets of a deleted log for a new one of its name.
            self.write_checkpoints(notices);
        }
        let mut counts = self.counts_for_choice();
        for topic in &delta.topics {
            self.update_topic(topic, &mut loaded, now, &mut counts, notices, &mut failures);
        }
        failures
    }

    /// Takes a topic's logs out of service; their files go later.
    fn delete_topic(&self, topic: &Topic, now: Now, notices: &mut Notices, failures: &mut Failures) {
        for partition in topic.partitions.iter().flatten() {
            self.delete_partition(partition, &hex(&topic.id), now, notices, failures);
        }
    }

    /// Tells who waits for it, closes it and has its directory removed; `unique` tells that from others of its name.
    fn delete_partition(
        &self,
        partition: &Partition,
        unique: &str,
        now: Now,
        notices: &mut Notices,
        failures: &mut Failures,
    ) {
        match partition.delete(unique, notices) {
            Ok(removal) => self.remove_log_later(removal, now),
            Err(error) => failures.push((partition.topic_id().0, partition.index(), error.to_string())),
        }
    }

    /// As with Kafka, the broker's delay and not the topic's.
    pub(super) fn remove_log_later(&self, removal: Removal, now: Now) {
        self.remove_later(Effect::Remove(removal), self.defaults.log.file_delete_delay_ms, now);
    }

    pub(super) fn run_removal(&self, removal: &Removal) {
        // What cannot be removed now is found again at the next start, by its `-delete`.
        let _ = removal.run();
    }

    fn update_topic(
        &self,
        delta: &TopicDelta,
        loaded: &mut Loaded,
        now: Now,
        counts: &mut BTreeMap<PathBuf, usize>,
        notices: &mut Notices,
        failures: &mut Failures,
    ) {
        let (config, refused) = self.config_of(delta);
        let config = Arc::new(config);
        failures.extend(refused.map(|message| (delta.id.0, -1, message)));
        // A name that passes on to another topic id: the old topic goes first, its directories are in the way.
        if let Some(old) = self.topics.by_name(&delta.name).filter(|old| old.id != delta.id) {
            self.topics.remove(old.id);
            self.delete_topic(&old, now, notices, failures);
            self.write_checkpoints(notices);
        }
        let existing = self.topics.by_id(delta.id);
        let mut partitions = existing.map_or_else(Vec::new, |topic| topic.partitions.clone());
        for partition in partitions.iter().flatten() {
            if partition.config() != config {
                partition.set_config(config.clone(), notices);
            }
        }
        let mut some_left = false;
        for image in &delta.partitions {
            let Some(index) =
                usize::try_from(image.index).ok().filter(|_| image.index <= MAX_PARTITION_INDEX)
            else {
                failures.push((delta.id.0, image.index, "no such partition index".to_owned()));
                continue;
            };
            if partitions.len() <= index {
                partitions.resize(index + 1, None);
            }
            let Some(slot) = partitions.get_mut(index) else { continue };
            if !image.replicas.contains(&self.options.node_id) {
                if let Some(partition) = slot.take() {
                    // The same topic may come back here before the directory is gone.
                    let unique = u128::from_be_bytes(delta.id.0) ^ u128::from(image.partition_epoch as u32);
                    let unique = hex(&Uuid(unique.to_be_bytes()));
                    self.delete_partition(&partition, &unique, now, notices, failures);
                    some_left = true;
                }
                continue;
            }
            match slot {
                Some(partition) => self.assign(partition, image, notices),
                None => {
                    let opened = loaded.remove(&(delta.id, image.index)).unwrap_or_else(|| {
                        let config = Arc::new(config.clone());
                        self.open_partition(delta, image.index, &config, now, counts, notices)
                    });
                    *slot = Some(self.take_up(delta, image, opened, notices, failures));
                }
            }
        }
        self.topics.insert(Arc::new(Topic {
            name: delta.name.clone(),
            id: delta.id,
            internal: delta.internal,
            partitions,
        }));
        if some_left {
            self.write_checkpoints(notices);
        }
    }

    /// The topic's settings, or the defaults and what is wrong with them.
    fn config_of(&self, delta: &TopicDelta) -> (PartitionConfig, Option<String>) {
        let pairs = delta.configs.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        match self.defaults.with(pairs) {
            Ok(config) => (config, None),
            Err(message) => (self.defaults.clone(), Some(message)),
        }
    }

    fn assign(&self, partition: &Arc<Partition>, image: &PartitionImage, notices: &mut Notices) {
        partition.set_assignment(image.leader, image.replicas.len(), image.isr.len());
        if image.leader == self.options.node_id {
            partition.lead(image.leader_epoch, notices);
        } else {
            partition.follow(image.leader_epoch, notices);
        }
    }

    /// Puts a partition that was opened into its role; offline when its log could not be opened. One for which there
    /// was no room is tried again later.
    fn take_up(
        &self,
        delta: &TopicDelta,
        image: &PartitionImage,
        opened: Result<Arc<Partition>, Unopened>,
        notices: &mut Notices,
        failures: &mut Failures,
    ) -> Arc<Partition> {
        let partition = opened.unwrap_or_else(|Unopened { partition, reason, for_want_of_room }| {
            if for_want_of_room {
                let partitions = vec![image.clone()];
                self.images.lock().unopened.push(TopicDelta { partitions, ..delta.clone() });
            }
            failures.push((delta.id.0, image.index, reason));
            partition
        });
        self.assign(&partition, image, notices);
        partition
    }

    pub(super) fn tell_cut(&self, cut: &CutBytes) {
        self.emit(&Event::LogCut {
            file: &cut.file.to_string_lossy(),
            position: i64::try_from(cut.position).unwrap_or(i64::MAX),
            bytes: i64::try_from(cut.len).unwrap_or(i64::MAX),
            kept_as: &cut.kept_as.to_string_lossy(),
            message: &cut.reason,
        });
    }

    fn open_partition(
        &self,
        topic: &TopicDelta,
        index: i32,
        config: &Arc<PartitionConfig>,
        now: Now,
        counts: &mut BTreeMap<PathBuf, usize>,
        notices: &mut Notices,
    ) -> Result<Arc<Partition>, Unopened> {
        let unloaded = self.place(topic, index, config, counts)?;
        self.open_log(unloaded, now, notices).0
    }

    /// Where a log is, or is to be: the directory that holds it, else the one with the fewest.
    fn place(
        &self,
        topic: &TopicDelta,
        index: i32,
        config: &Arc<PartitionConfig>,
        counts: &mut BTreeMap<PathBuf, usize>,
    ) -> Result<Unloaded, Unopened> {
        let name = format!("{}-{index}", topic.name);
        let spec = |log_dir: &LogDir| PartitionSpec {
            topic: topic.name.clone(),
            topic_id: topic.id,
            index,
            dir: log_dir.path.join(&name),
        };
        let unloaded = |log_dir: &LogDir, exists: bool| Unloaded {
            spec: spec(log_dir),
            config: config.clone(),
            opening: log_dir.opening(&topic.name, index, exists),
        };
        let is_healthy = |log_dir: &&LogDir| !self.has_failed(&log_dir.path);
        let holds_it = |log_dir: &&LogDir| self.storage.exists(&log_dir.path.join(&name));
        let count = |log_dir: &&LogDir| counts.get(&log_dir.path).copied().unwrap_or(0);
        let holder = self.log_dirs.iter().filter(is_healthy).find(|dir| holds_it(dir).unwrap_or(false));
        if holder.is_none()
            // A directory that failed and cannot say that it does not hold the log may hold it: a new one elsewhere
            // would begin at offset 0 again.
            && let Some(failed) =
                self.log_dirs.iter().find(|dir| !is_healthy(dir) && holds_it(dir).unwrap_or(true))
        {
            let reason = "its log directory is offline".to_owned();
            return Err(self.unopened(&unloaded(failed, true), reason, false));
        }
        let preferred = self.moves.take_preferred(&name);
        let wanted = |log_dir: &&LogDir| Some(&log_dir.path) == preferred.as_ref();
        let preferred = self.log_dirs.iter().filter(is_healthy).find(wanted);
        let emptiest = || self.log_dirs.iter().filter(is_healthy).min_by_key(count);
        let Some(log_dir) = holder.or(preferred).or_else(emptiest) else {
            let reason = "every log directory is offline".to_owned();
            let first = self.log_dirs.first().expect("a node has a log directory");
            return Err(self.unopened(&unloaded(first, false), reason, false));
        };
        *counts.entry(log_dir.path.clone()).or_insert(0) += 1;
        Ok(unloaded(log_dir, holder.is_some()))
    }

    /// What stands in for a partition whose log is not open.
    pub(super) fn unopened(&self, unloaded: &Unloaded, reason: String, for_want_of_room: bool) -> Unopened {
        let Unloaded { spec, config, opening } = unloaded;
        let config = Arc::clone(config);
        let partition = Partition::unopened(&self.storage, spec.clone(), config, *opening, &reason);
        Unopened { partition, reason, for_want_of_room }
    }
}

/// An id as 32 characters that every file system takes.
pub(super) fn hex(id: &Uuid) -> String {
    format!("{:032x}", u128::from_be_bytes(id.0))
}
