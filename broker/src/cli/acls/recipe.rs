//! From the words of `acls grant` to rules: operations on resources, or what an ordinary program needs.

use barnabas_auth::recipe::{Grantee, Named};
use barnabas_auth::{Acl, Operation, PatternType, Permission, ResourceType};

use super::words;
use crate::cli::Failure;

/// What is to be granted, and on what.
pub(super) struct Grant<'a> {
    /// To whom.
    pub(super) grantee: Grantee,
    /// Operations between commas, or a recipe.
    pub(super) what: &'a str,
    /// Resources as they are typed.
    pub(super) on: Vec<String>,
    /// Whether stars are letters.
    pub(super) is_literal: bool,
    /// Whether it is to be denied.
    pub(super) is_denied: bool,
}

/// A resource: its type as it was typed, and its name.
struct On {
    kind: String,
    named: Named,
}

impl Grant<'_> {
    /// The rules, in order, each once.
    pub(super) fn rules(&self) -> Result<Vec<Acl>, Failure> {
        let pattern = self.is_literal.then_some(PatternType::Literal);
        let mut on = Vec::new();
        for text in &self.on {
            let (kind, name) = words::split(text)?;
            on.push(On { kind: kind.to_ascii_lowercase(), named: words::named(name, pattern) });
        }
        let mut acls = match self.what {
            "producer" => self.producer(&on)?,
            "consumer" => self.consumer(&on)?,
            "streams" => self.streams(&on)?,
            "connect" => self.connect(&on)?,
            operations => self.operations(operations, &on)?,
        };
        if self.is_denied {
            acls.iter_mut().for_each(|acl| acl.permission = Permission::Deny);
        }
        acls.sort();
        acls.dedup();
        Ok(acls)
    }

    fn operations(&self, operations: &str, on: &[On]) -> Result<Vec<Acl>, Failure> {
        let operations = operations.split(',').map(words::operation).collect::<Result<Vec<Operation>, _>>()?;
        if on.is_empty() {
            return Err(Failure::usage("name at least one resource, as --topic orders or group:billing"));
        }
        let mut acls = Vec::new();
        for On { kind, named } in on {
            acls.extend(self.grantee.allow(words::resource_type(kind)?, named, &operations));
        }
        Ok(acls)
    }

    fn producer(&self, on: &[On]) -> Result<Vec<Acl>, Failure> {
        let [topics, ids] = self.sorted(on, ["topic", "transactional-id"])?;
        if topics.is_empty() {
            return Err(Failure::usage("a producer needs a topic, as --topic orders"));
        }
        let writes = topics.iter().flat_map(|topic| self.grantee.producer(topic));
        Ok(writes.chain(ids.iter().flat_map(|id| self.grantee.transactions(id))).collect())
    }

    fn consumer(&self, on: &[On]) -> Result<Vec<Acl>, Failure> {
        let [topics, groups] = self.sorted(on, ["topic", "group"])?;
        if topics.is_empty() || groups.is_empty() {
            return Err(Failure::usage("a consumer needs a topic and a group, as --topic orders --group billing"));
        }
        let pairs = topics.iter().flat_map(|topic| groups.iter().map(move |group| (topic, group)));
        Ok(pairs.flat_map(|(topic, group)| self.grantee.consumer(topic, group)).collect())
    }

    fn streams(&self, on: &[On]) -> Result<Vec<Acl>, Failure> {
        let [apps, inputs, outputs] = self.sorted(on, ["app", "input", "output"])?;
        match &apps[..] {
            // What belongs to an application begins with its id.
            [app] if app.pattern == PatternType::Literal => Ok(self.grantee.streams(&app.name, &inputs, &outputs)),
            _ => {
                Err(Failure::usage("streams needs the application's id, as app:my-app, and input:TOPIC, output:TOPIC"))
            }
        }
    }

    fn connect(&self, on: &[On]) -> Result<Vec<Acl>, Failure> {
        let [groups, topics] = self.sorted(on, ["group", "topic"])?;
        match &groups[..] {
            [group] if group.pattern == PatternType::Literal => Ok(self.grantee.connect(&group.name, &topics)),
            _ => Err(Failure::usage("connect needs the workers' group, as --group connect-cluster, and its topics")),
        }
    }

    /// Names by the types that the recipe takes.
    fn sorted<const TYPES: usize>(&self, on: &[On], taken: [&str; TYPES]) -> Result<[Vec<Named>; TYPES], Failure> {
        let mut sorted = [const { Vec::new() }; TYPES];
        for On { kind, named } in on {
            let at = taken
                .iter()
                .position(|taken| is_same(taken, kind))
                .ok_or_else(|| Failure::usage(format!("{}: {kind}: it takes {}", self.what, taken.join(", "))))?;
            sorted[at].push(named.clone());
        }
        Ok(sorted)
    }
}

/// Types of resources have several spellings.
fn is_same(left: &str, right: &str) -> bool {
    left == right || ResourceType::of_name(left).is_some_and(|of_left| ResourceType::of_name(right) == Some(of_left))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(what: &str, on: &[&str]) -> Result<Vec<Acl>, Failure> {
        let on = on.iter().map(|one| (*one).to_owned()).collect();
        let grantee = Grantee::everywhere(words::principal("alice"));
        Grant { grantee, what, on, is_literal: false, is_denied: false }.rules()
    }

    #[test]
    fn words_become_rules() {
        assert_eq!(of("read,describe-configs", &["topic:orders-*", "cluster"]).unwrap().len(), 4);
        assert_eq!(of("producer", &["topic:a", "topic:b", "transactional-id:x"]).unwrap().len(), 8);
        assert_eq!(of("producer", &["topic:a", "TransactionalId:x"]).unwrap().len(), 5);
        assert_eq!(of("consumer", &["topic:a", "topic:b", "group:g"]).unwrap().len(), 5);
        assert_eq!(of("streams", &["app:my", "input:a", "output:b"]).unwrap().len(), 8);
        assert_eq!(of("connect", &["group:connect-cluster", "topic:connect-configs"]).unwrap().len(), 9);
        for (what, on) in [
            ("fly", "topic:a"),
            ("read", "planet:a"),
            ("read", "topic"),
            ("read", "topic:"),
            ("producer", "group:g"),
            ("consumer", "topic:a"),
            ("streams", "app:my-*"),
            ("connect", "topic:a"),
        ] {
            assert!(of(what, &[on]).is_err(), "{what} {on}");
        }
        assert!(of("read", &[]).is_err());
    }

    #[test]
    fn a_rule_is_shown_as_it_is_typed() {
        let shown = |text: &str| words::of_acl(&of("read", &[text]).unwrap()[0]);
        for text in ["topic:orders-*", "topic:*", "topic:**", "group:g", "cluster", "transactional-id:x", "user:User:a"]
        {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn a_star_can_be_a_letter() {
        let grantee = Grantee::everywhere("User:a");
        let on = vec!["group:odd*".to_owned()];
        let acls = Grant { grantee, what: "read", on, is_literal: true, is_denied: true }.rules().unwrap();
        assert_eq!((acls[0].resource_name.as_str(), acls[0].pattern_type), ("odd*", PatternType::Literal));
        assert_eq!(acls[0].permission, Permission::Deny);
    }
}
