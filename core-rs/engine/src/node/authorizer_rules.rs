//! The ACLs of the cluster and what they allow: the decision of Kafka's StandardAuthorizer, twin of ts/state/acl.ts. A
//! decision allocates nothing. Who may create ACLs, and which can be, is the control plane's to say.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use crate::boundary::commands::AclEntry;
use crate::uuid::Uuid;

/// Numbers of Kafka's enums.
const PREFIXED: i8 = 4;
const ALLOW: i8 = 3;
const ALL: i8 = 2;
const DESCRIBE: i8 = 8;
const DESCRIBE_CONFIGS: i8 = 10;
const ALTER_CONFIGS: i8 = 11;
/// Who is allowed to read, write, delete or alter may also describe.
const IMPLY_DESCRIBE: [i8; 4] = [3, 4, 6, 7];

const WILDCARD: &str = "*";
const EVERYBODY: &str = "User:*";

/// Which peers an ACL is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    Any,
    Address(IpAddr),
    /// Text that is no address as Java prints it: nobody comes from there.
    Nowhere,
}

impl Host {
    fn new(text: &str) -> Host {
        if text == WILDCARD {
            return Host::Any;
        }
        match text.parse() {
            Ok(address) if java_text(address) == text => Host::Address(address),
            _ => Host::Nowhere,
        }
    }
}

/// An address as Java's `getHostAddress` prints it: IPv6 in full, and IPv4 within IPv6 as IPv4.
fn java_text(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => address.segments().map(|segment| format!("{segment:x}")).join(":"),
    }
}

/// One ACL of a resource pattern.
#[derive(Debug)]
struct Rule {
    id: Uuid,
    principal: Box<str>,
    host: Host,
    operation: i8,
    allows: bool,
}

impl Rule {
    fn concerns(&self, principal: &str, host: IpAddr) -> bool {
        let is_from = match self.host {
            Host::Any => true,
            Host::Address(address) => address == host,
            Host::Nowhere => false,
        };
        is_from && (*self.principal == *principal || *self.principal == *EVERYBODY)
    }

    /// Who is allowed to use a resource may also see it; who is denied its use may still see it.
    fn covers(&self, operation: i8) -> bool {
        if self.operation == ALL || self.operation == operation {
            return true;
        }
        match operation {
            DESCRIBE => self.allows && IMPLY_DESCRIBE.contains(&self.operation),
            DESCRIBE_CONFIGS => self.allows && self.operation == ALTER_CONFIGS,
            _ => false,
        }
    }
}

type Patterns = BTreeMap<Box<str>, Vec<Rule>>;

/// The ACLs of one resource type, by pattern.
#[derive(Debug, Default)]
struct TypeRules {
    literal: Patterns,
    prefixed: Patterns,
    /// Distinct lengths of the prefixes in bytes, and how many prefixes have each.
    lengths: BTreeMap<usize, usize>,
}

impl TypeRules {
    /// Every ACL about a resource.
    fn about<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Rule> {
        let wildcard = if name == WILDCARD { None } else { self.literal.get(WILDCARD) };
        let prefixed = self
            .lengths
            .range(..=name.len())
            .filter_map(move |(length, _)| self.prefixed.get(name.get(..*length)?));
        self.literal.get(name).into_iter().chain(wildcard).chain(prefixed).flatten()
    }

    fn add(&mut self, name: &str, is_prefix: bool, rule: Rule) {
        let patterns = if is_prefix { &mut self.prefixed } else { &mut self.literal };
        if let Some(rules) = patterns.get_mut(name) {
            rules.push(rule);
            return;
        }
        patterns.insert(name.into(), vec![rule]);
        if is_prefix {
            *self.lengths.entry(name.len()).or_insert(0) += 1;
        }
    }

    fn remove(&mut self, name: &str, is_prefix: bool, id: Uuid) {
        let patterns = if is_prefix { &mut self.prefixed } else { &mut self.literal };
        let Some(rules) = patterns.get_mut(name) else { return };
        rules.retain(|rule| rule.id != id);
        if !rules.is_empty() {
            return;
        }
        patterns.remove(name);
        if is_prefix && let Some(count) = self.lengths.get_mut(&name.len()) {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&name.len());
            }
        }
    }
}

/// Where an ACL lies.
#[derive(Debug)]
struct Place {
    resource_type: i8,
    is_prefix: bool,
    name: Box<str>,
}

/// The set of ACLs, arranged for the decision, with what the broker is configured with besides.
#[derive(Debug, Default)]
pub(super) struct AclRules {
    super_users: BTreeSet<String>,
    /// `allow.everyone.if.no.acl.found`: a resource that no ACL is about is open to everybody.
    allow_if_no_acl: bool,
    types: BTreeMap<i8, TypeRules>,
    places: BTreeMap<Uuid, Place>,
}

impl AclRules {
    /// `super_users`: `User:a;User:b`.
    pub(super) fn new(super_users: &str, allow_if_no_acl: bool) -> AclRules {
        let super_users = super_users.split(';').map(str::trim).filter(|user| !user.is_empty());
        AclRules {
            super_users: super_users.map(str::to_owned).collect(),
            allow_if_no_acl,
            ..AclRules::default()
        }
    }

    /// Whether a principal at an address may do this: a DENY that matches goes before any ALLOW; a resource with ACLs
    /// of which none matches is closed, one without any is as `allow.everyone.if.no.acl.found` says.
    pub(super) fn allows(
        &self,
        (principal, host): (&str, IpAddr),
        operation: i8,
        resource_type: i8,
        name: &str,
    ) -> bool {
        if self.super_users.contains(principal) {
            return true;
        }
        let Some(rules) = self.types.get(&resource_type) else { return self.allow_if_no_acl };
        let (mut is_covered, mut allowed) = (false, false);
        for rule in rules.about(name) {
            is_covered = true;
            if rule.covers(operation) && rule.concerns(principal, host) {
                if !rule.allows {
                    return false;
                }
                allowed = true;
            }
        }
        allowed || (!is_covered && self.allow_if_no_acl)
    }

    /// Adds an ACL, or puts it in the place of the one with its id.
    pub(super) fn add(&mut self, entry: &AclEntry<'_>) {
        let id = Uuid(entry.id);
        self.remove(id);
        let rule = Rule {
            id,
            principal: entry.principal.into(),
            host: Host::new(entry.host),
            operation: entry.operation,
            allows: entry.permission_type == ALLOW,
        };
        let (resource_type, is_prefix) = (entry.resource_type, entry.pattern_type == PREFIXED);
        self.types.entry(resource_type).or_default().add(entry.resource_name, is_prefix, rule);
        self.places.insert(id, Place { resource_type, is_prefix, name: entry.resource_name.into() });
    }

    pub(super) fn remove(&mut self, id: Uuid) {
        if let Some(place) = self.places.remove(&id)
            && let Some(rules) = self.types.get_mut(&place.resource_type)
        {
            rules.remove(&place.name, place.is_prefix, id);
        }
    }
}
