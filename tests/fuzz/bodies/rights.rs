//! Rules of access of any text, and a question of any text. The first line is the question: principal, name and host between tabs; each other
//! line a rule of the same, with `p` for a prefix and `d` for a denial behind a fourth. Where no rule speaks of hosts, the answer is that of
//! whoever reads one rule after the other.

use std::net::IpAddr;
use std::sync::Arc;

use barnabas_auth::{
    Acl, Authorizer, Operation, PatternType, Permission, Principal, Question, ResourceType, StandardAuthorizer,
};

const ANY: &str = "*";

/// One input.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.split('\n').map(|line| {
        let mut fields = line.split('\t');
        std::array::from_fn::<_, 4, _>(|_| fields.next().unwrap_or_default())
    });
    let Some([user, name, host, _]) = lines.next() else { return };
    let acls: Vec<Arc<Acl>> = lines.map(|rule| Arc::new(acl(rule))).collect();
    let principal = Principal::user(user.to_owned());
    let authorizer = StandardAuthorizer::new("User:root", false).expect("a name");
    authorizer.replace(acls.iter().cloned());
    let host = host.parse().unwrap_or(IpAddr::from([10, 0, 0, 1]));
    let question = Question {
        principal: &principal,
        host,
        operation: Operation::Read,
        resource_type: ResourceType::Topic,
        resource_name: name,
    };
    let is_allowed = authorizer.decide(&question).is_allowed();
    if user != "root" && acls.iter().all(|acl| acl.host == ANY) {
        assert_eq!(is_allowed, naive(&acls, &principal.to_string(), name), "{text:?}");
    }
}

fn acl([principal, name, host, flags]: [&str; 4]) -> Acl {
    let pattern_type = if flags.contains('p') { PatternType::Prefixed } else { PatternType::Literal };
    let permission = if flags.contains('d') { Permission::Deny } else { Permission::Allow };
    Acl {
        resource_type: ResourceType::Topic,
        resource_name: name.to_owned(),
        pattern_type,
        principal: format!("User:{principal}"),
        host: if host.is_empty() { ANY } else { host }.to_owned(),
        operation: Operation::Read,
        permission,
    }
}

fn naive(acls: &[Arc<Acl>], principal: &str, name: &str) -> bool {
    let of = |permission: Permission| {
        let is_theirs = |acl: &Acl| acl.principal == principal || acl.principal == "User:*";
        acls.iter().any(|acl| acl.permission == permission && acl.is_about(ResourceType::Topic, name) && is_theirs(acl))
    };
    of(Permission::Allow) && !of(Permission::Deny)
}
