//! The names of directories that belonged to a partition: Kafka's, cut so that every file system takes them.

/// The longest name of a directory entry.
const MAX_NAME: usize = 255;

/// What became of a partition's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Its topic was deleted; the files go after `file.delete.delay.ms`.
    Delete,
    /// Nobody knows its topic; it stays as it is.
    Stray,
    /// A copy that is to take the place of the partition's directory in another log directory.
    Future,
}

impl Fate {
    fn suffix(self) -> &'static str {
        match self {
            Fate::Delete => "delete",
            Fate::Stray => "stray",
            Fate::Future => "future",
        }
    }

    pub fn is_of(self, name: &str) -> bool {
        name.strip_suffix(self.suffix()).is_some_and(|rest| rest.ends_with('-'))
    }
}

/// `<topic>-<index>.<unique>-<fate>` for the directory `<topic>-<index>`, with as much of the topic as fits (Kafka's
/// `UnifiedLog.logDirNameWithSuffixCap`).
pub fn renamed(name: &str, unique: &str, fate: Fate) -> String {
    let (topic, index) = name.rsplit_once('-').unwrap_or((name, ""));
    let rest = format!("-{index}.{unique}-{}", fate.suffix());
    let mut kept = topic.len().min(MAX_NAME.saturating_sub(rest.len()));
    while !topic.is_char_boundary(kept) {
        kept -= 1;
    }
    format!("{}{rest}", topic.get(..kept).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_topic_gets_a_name_that_fits() {
        let unique = "0123456789abcdef0123456789abcdef";
        assert_eq!(renamed("a-b-12", unique, Fate::Delete), format!("a-b-12.{unique}-delete"));
        let longest = renamed(&format!("{}-12345", "x".repeat(249)), unique, Fate::Stray);
        assert_eq!(longest.len(), MAX_NAME);
        assert!(longest.ends_with(&format!("x-12345.{unique}-stray")) && Fate::Stray.is_of(&longest));
        assert!(!Fate::Delete.is_of("a-0") && !Fate::Delete.is_of("undelete"));
    }
}
