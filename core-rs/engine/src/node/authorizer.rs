//! Who answers the data plane's questions of permission: everybody may do everything, or Kafka's StandardAuthorizer over
//! the ACLs that the control plane sends. Refusals become events for the audit log, a bounded number of them.

use core::net::IpAddr;

use parking_lot::{Mutex, RwLock};

use super::authorizer_rules::AclRules;
use crate::api::{Authorizer, Operation, Resource};
use crate::boundary::commands::AclEntry;
use crate::boundary::{NodeOptions, TopicId};
use crate::uuid::Uuid;

const STANDARD_AUTHORIZER: &str = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";
/// Refusals that a thread tells the control plane of within a second; the rest are only counted.
const TOLD_PER_SECOND: u32 = 50;

/// The authorizer of a node, if one is configured.
#[derive(Debug)]
pub(super) struct NodeAuthorizer {
    rules: Option<RwLock<AclRules>>,
}

impl NodeAuthorizer {
    /// As `authorizer.class.name` says, or a sentence about what it says.
    pub(super) fn open(options: &NodeOptions) -> Result<NodeAuthorizer, String> {
        let rules = match options.default_of("authorizer.class.name").unwrap_or_default() {
            "" => None,
            STANDARD_AUTHORIZER => {
                let super_users = options.default_of("super.users").unwrap_or_default();
                let allow = options.default_of("allow.everyone.if.no.acl.found") == Some("true");
                Some(RwLock::new(AclRules::new(super_users, allow)))
            }
            other => return Err(format!("authorizer.class.name cannot be {other:?}")),
        };
        Ok(NodeAuthorizer { rules })
    }

    /// Takes over a change of the ACLs.
    pub(super) fn apply(&self, removed: &[TopicId], added: &[AclEntry<'_>]) {
        let Some(rules) = &self.rules else { return };
        let mut rules = rules.write();
        for id in removed {
            rules.remove(Uuid(*id));
        }
        for entry in added {
            rules.add(entry);
        }
    }

    /// The authorizer as one request meets it, which came from `host` at `now_ms` (monotonic).
    pub(super) fn for_request<'a>(
        &'a self,
        host: IpAddr,
        now_ms: i64,
        refusals: &'a Mutex<Refusals>,
    ) -> RequestAuthorizer<'a> {
        RequestAuthorizer { rules: self.rules.as_ref(), host, now_ms, refusals }
    }
}

#[derive(Debug)]
pub(super) struct RequestAuthorizer<'a> {
    rules: Option<&'a RwLock<AclRules>>,
    host: IpAddr,
    now_ms: i64,
    /// Of this thread: the lock is never waited for.
    refusals: &'a Mutex<Refusals>,
}

impl Authorizer for RequestAuthorizer<'_> {
    fn authorize(&self, principal: &str, operation: Operation, resource: Resource<'_>) -> bool {
        let allowed = self.authorize_else(principal, operation, resource);
        if !allowed {
            self.refusals.lock().note(operation, resource, self.now_ms);
        }
        allowed
    }

    fn authorize_else(&self, principal: &str, operation: Operation, resource: Resource<'_>) -> bool {
        let Some(rules) = self.rules else { return true };
        let asker = (principal, self.host.to_canonical());
        rules.read().allows(asker, operation.code(), resource.code(), resource.name())
    }
}

/// One refusal to tell of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub operation: i8,
    pub resource_type: i8,
    pub resource_name: String,
    /// Refusals before this one that nobody was told of.
    pub untold: i32,
}

/// What one thread refused and has yet to tell. A client that is refused again and again must not keep the control
/// plane busy with its log.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    waiting: Vec<Refusal>,
    second: i64,
    told: u32,
    untold: i32,
}

impl Refusals {
    fn note(&mut self, operation: Operation, resource: Resource<'_>, now_ms: i64) {
        let second = now_ms.div_euclid(1000);
        if self.second != second {
            (self.second, self.told) = (second, 0);
        }
        if self.told >= TOLD_PER_SECOND {
            self.untold = self.untold.saturating_add(1);
            return;
        }
        self.told += 1;
        self.waiting.push(Refusal {
            operation: operation.code(),
            resource_type: resource.code(),
            resource_name: resource.name().to_owned(),
            untold: std::mem::take(&mut self.untold),
        });
    }

    pub(super) fn is_any(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn take(&mut self) -> Vec<Refusal> {
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_beyond_the_bound_of_a_second_are_counted_and_told_with_the_next_one() {
        let mut refusals = Refusals::default();
        for _ in 0..TOLD_PER_SECOND + 7 {
            refusals.note(Operation::Write, Resource::Topic("t"), 999);
        }
        assert_eq!(refusals.take().len(), TOLD_PER_SECOND as usize);
        refusals.note(Operation::Read, Resource::Cluster, 1000);
        refusals.note(Operation::Read, Resource::Cluster, 1000);
        let told: Vec<_> = refusals.take().iter().map(|refusal| refusal.untold).collect();
        assert_eq!(told, [7, 0]);
        assert!(refusals.take().is_empty());
    }

    #[test]
    fn an_authorizer_that_nobody_knows_is_refused_by_name() {
        let mut options = NodeOptions::new(0, "c", vec!["/a".into()]);
        assert!(NodeAuthorizer::open(&options).unwrap().rules.is_none());
        options.defaults.push(("authorizer.class.name".into(), "com.example.Mine".into()));
        assert!(NodeAuthorizer::open(&options).unwrap_err().contains("com.example.Mine"));
    }
}
