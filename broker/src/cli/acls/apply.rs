//! `acls apply`: a file of rules, as `acls list -o json` writes them.

use std::path::PathBuf;

use barnabas_auth::recipe::CLUSTER_NAME;
use barnabas_auth::{Acl, AclFilter, Operation, PatternType, Permission, ResourceType};
use serde_json::Value;

use super::{rules, words};
use crate::cli::Failure;
use crate::cli::confirm::Confirm;
use crate::cli::exit::Exit;
use crate::cli::files;
use crate::cli::output::{Cell, Column, Output, Table, column};
use crate::client::Cluster;

/// What `apply` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A JSON list of objects with principal, permission, operation, resource, pattern and host.
    file: PathBuf,
    /// Removes the rules that the file does not have.
    #[arg(long)]
    prune: bool,
    /// Only shows the plan; ends with 8 when there is something to do.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    confirm: Confirm,
}

const PLAN: &[Column] = &[column("CHANGE", "change"), column("RULE", "rule")];

/// What a rule in a file may say.
const KEYS: [&str; 6] = ["principal", "permission", "operation", "resource", "pattern", "host"];

/// What is to be done.
struct Plan {
    made: Vec<Acl>,
    gone: Vec<Acl>,
    /// Whether rules let somebody change rules, and none would afterwards.
    locks: bool,
}

pub(super) async fn run(arguments: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let wanted = read(&files::read(&arguments.file)?)?;
    let plan = plan(wanted, &rules::describe(cluster, &AclFilter::EVERYTHING).await?, arguments.prune);
    let mut table = Table::new(PLAN);
    for (change, acls) in [("make", &plan.made), ("remove", &plan.gone)] {
        for acl in acls {
            table.row(vec![Cell::text(change), Cell::text(acl.to_string())]);
        }
    }
    output.show(&table)?;
    if table.is_empty() || arguments.dry_run {
        return Ok(if table.is_empty() { Exit::Done } else { Exit::Findings });
    }
    if !plan.gone.is_empty() {
        let locked = if plan.locks { "; afterwards only super users may change rules" } else { "" };
        arguments.confirm.ask(&format!("Removes {} rules{locked}", plan.gone.len()))?;
    }
    // What is wanted is there before what is not wanted goes, so that nothing that is in both is ever refused.
    rules::create(cluster, &plan.made).await?;
    rules::delete(cluster, &plan.gone).await?;
    Ok(Exit::Done)
}

fn plan(wanted: Vec<Acl>, found: &[Acl], prune: bool) -> Plan {
    let gone: Vec<Acl> = found.iter().filter(|acl| prune && !wanted.contains(acl)).cloned().collect();
    let changes_rules = |acl: &Acl| {
        acl.permission == Permission::Allow
            && acl.is_about(ResourceType::Cluster, CLUSTER_NAME)
            && acl.operation.allows(Operation::Alter)
    };
    let left = wanted.iter().chain(found.iter().filter(|acl| !gone.contains(acl)));
    let locks = found.iter().any(changes_rules) && !left.into_iter().any(changes_rules);
    let made = wanted.into_iter().filter(|acl| !found.contains(acl)).collect();
    Plan { made, gone, locks }
}

fn read(text: &str) -> Result<Vec<Acl>, Failure> {
    let list: Vec<Value> =
        serde_json::from_str(text).map_err(|error| Failure::usage(format!("not a JSON list: {error}")))?;
    let mut acls = Vec::new();
    for (number, rule) in (1..).zip(&list) {
        acls.push(one(rule).map_err(|what| Failure::usage(format!("rule {number}: {what}")))?);
    }
    acls.sort();
    acls.dedup();
    Ok(acls)
}

fn one(rule: &Value) -> Result<Acl, String> {
    let object = rule.as_object().ok_or("it is no object")?;
    // A word that is not known may be a misspelt host or permission, without which a rule allows more than was meant.
    if let Some(unknown) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("{unknown} is not known: {}", KEYS.join(", ")));
    }
    let optional = |key: &str| match object.get(key) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| format!("{key} is no text")),
    };
    let word = |key: &str| optional(key)?.ok_or_else(|| format!("{key} is missing"));
    let (kind, name) = words::split(word("resource")?).map_err(|failure| failure.message().to_owned())?;
    let resource_type = words::resource_type(kind).map_err(|failure| failure.message().to_owned())?;
    let pattern = optional("pattern")?.map(|text| PatternType::of_name(text).ok_or(format!("{text} is no pattern")));
    let named = words::named(name, pattern.transpose()?);
    let (operation, permission) = (word("operation")?, optional("permission")?.unwrap_or("allow"));
    Ok(Acl {
        resource_type,
        resource_name: named.name,
        pattern_type: named.pattern,
        principal: words::principal(word("principal")?),
        host: optional("host")?.unwrap_or("*").to_owned(),
        operation: Operation::of_name(operation).ok_or_else(|| format!("{operation} is no operation"))?,
        permission: Permission::of_name(permission).ok_or_else(|| format!("{permission} is no permission"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::acls::list;

    #[test]
    fn a_file_is_read_and_what_is_missing_or_not_known_is_named() {
        let good = r#"[{"principal": "alice", "operation": "write", "resource": "topic:orders-*"}]"#;
        let acls = read(good).unwrap();
        assert_eq!((acls[0].principal.as_str(), acls[0].host.as_str()), ("User:alice", "*"));
        for (bad, what) in [
            ("{}", "not a JSON list"),
            (r#"[{"principal": "a"}]"#, "resource is missing"),
            (r#"[{"principal": "a", "operation": "fly", "resource": "topic:t"}]"#, "fly"),
            (r#"[{"principal": "a", "operation": "read", "resource": "topic:t", "hosts": "10.0.0.1"}]"#, "hosts"),
            (r#"[{"principal": "a", "operation": "read", "resource": "topic:t", "host": null}]"#, "host is no text"),
            (r#"[{"principal": "a", "operation": "read", "resource": "topic:t", "permission": "denied"}]"#, "denied"),
        ] {
            let said = read(bad).unwrap_err().to_string();
            assert!(said.contains(what), "{bad}: {said}");
        }
    }

    #[test]
    fn what_list_writes_is_read_as_it_was() {
        let acl = |resource_type, name: &str, pattern_type| Acl {
            resource_type,
            resource_name: name.to_owned(),
            pattern_type,
            principal: "User:CN=a,O=b".to_owned(),
            host: "10.0.0.0/8".to_owned(),
            operation: Operation::DescribeConfigs,
            permission: Permission::Deny,
        };
        use PatternType::{Literal, Prefixed};
        let mut acls = vec![
            acl(ResourceType::Topic, "orders", Literal),
            acl(ResourceType::Topic, "orders*", Literal),
            acl(ResourceType::Topic, "orders", Prefixed),
            acl(ResourceType::Topic, "orders*", Prefixed),
            acl(ResourceType::Topic, "*", Literal),
            acl(ResourceType::Topic, "*", Prefixed),
            acl(ResourceType::User, "User:a", Literal),
            acl(ResourceType::Cluster, CLUSTER_NAME, Literal),
            acl(ResourceType::Cluster, CLUSTER_NAME, Prefixed),
            acl(ResourceType::TransactionalId, "x", Literal),
        ];
        acls.sort();
        assert_eq!(read(&list::table(&acls).value().to_string()).unwrap(), acls);
    }

    #[test]
    fn a_plan_removes_only_when_told_and_says_when_nobody_is_left() {
        let admin = r#"[{"principal": "admin", "operation": "all", "resource": "cluster"}]"#;
        let (admin, other) = (read(admin).unwrap(), read(&admin.replace("cluster", "topic:t")).unwrap());
        let kept = plan(other.clone(), &admin, false);
        assert_eq!((kept.made, kept.gone.len(), kept.locks), (other.clone(), 0, false));
        let pruned = plan(other, &admin, true);
        assert_eq!((pruned.gone, pruned.locks), (admin.clone(), true));
        let same = plan(admin.clone(), &admin, true);
        assert!(same.made.is_empty() && same.gone.is_empty() && !same.locks);
    }
}
