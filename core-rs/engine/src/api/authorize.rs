//! The question that the data plane's APIs ask before they read or change anything, in Kafka's operations and resources.
//! Who answers it is the node's to say.

use std::fmt::Debug;

/// What a principal wants to do (org.apache.kafka.common.acl.AclOperation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Read,
    Write,
    Describe,
    ClusterAction,
}

impl Operation {
    /// Kafka's number.
    pub fn code(self) -> i8 {
        match self {
            Operation::Read => 3,
            Operation::Write => 4,
            Operation::Describe => 8,
            Operation::ClusterAction => 9,
        }
    }
}

/// To what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource<'a> {
    Topic(&'a str),
    Cluster,
    TransactionalId(&'a str),
}

impl<'a> Resource<'a> {
    /// Kafka's number of the resource type (org.apache.kafka.common.resource.ResourceType).
    pub fn code(self) -> i8 {
        match self {
            Resource::Topic(_) => 2,
            Resource::Cluster => 4,
            Resource::TransactionalId(_) => 5,
        }
    }

    pub fn name(self) -> &'a str {
        match self {
            Resource::Topic(name) | Resource::TransactionalId(name) => name,
            Resource::Cluster => "kafka-cluster",
        }
    }
}

/// The hook that security policy hangs on.
pub trait Authorizer: Send + Sync + Debug {
    /// A refusal is worth a line in the audit log.
    fn authorize(&self, principal: &str, operation: Operation, resource: Resource<'_>) -> bool;

    /// The same where another permission may do: a refusal says nothing yet.
    fn authorize_else(&self, principal: &str, operation: Operation, resource: Resource<'_>) -> bool {
        self.authorize(principal, operation, resource)
    }
}

/// No policy: everybody may do everything, as Kafka without an authorizer.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllowAll;

impl Authorizer for AllowAll {
    fn authorize(&self, _principal: &str, _operation: Operation, _resource: Resource<'_>) -> bool {
        true
    }
}
