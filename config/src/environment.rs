//! Settings from environment variables, named as Apache Kafka's container image names them: `KAFKA_LOG_DIRS` is
//! `log.dirs`, two underscores are one, three are a dash. `KAFKA_CFG_` and `BARNABAS_` work the same way.

/// In this order: a later prefix wins.
const PREFIXES: [&str; 3] = ["KAFKA_", "KAFKA_CFG_", "BARNABAS_"];

/// Variables of those prefixes that are meant for start scripts, the JVM or the log output, not for the broker.
const EXCLUDED: [&str; 18] = [
    "KAFKA_VERSION",
    "KAFKA_HOME",
    "KAFKA_DEBUG",
    "KAFKA_OPTS",
    "KAFKA_HEAP_OPT",
    "KAFKA_HEAP_OPTS",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_PORT",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
    "KAFKA_CLUSTER_ID",
    "BARNABAS_LOG",
    "BARNABAS_LOG_FORMAT",
];

/// A setting taken from a variable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Assignment<'a> {
    pub(crate) variable: &'a str,
    pub(crate) key: String,
    pub(crate) value: &'a str,
}

/// The settings among the variables, in order of precedence, the strongest last.
pub(crate) fn assignments(variables: &[(String, String)]) -> Vec<Assignment<'_>> {
    let mut ranked: Vec<(usize, Assignment<'_>)> = variables.iter().filter_map(read).collect();
    ranked.sort_by(|(a, left), (b, right)| (a, left.variable).cmp(&(b, right.variable)));
    ranked.into_iter().map(|(_, assignment)| assignment).collect()
}

fn read((variable, value): &(String, String)) -> Option<(usize, Assignment<'_>)> {
    if EXCLUDED.contains(&variable.as_str()) {
        return None;
    }
    let (rank, rest) = PREFIXES
        .iter()
        .enumerate()
        .filter_map(|(rank, prefix)| Some((rank, variable.strip_prefix(prefix)?)))
        .min_by_key(|(_, rest)| rest.len())?;
    Some((rank, Assignment { variable, key: key(rest), value }))
}

fn key(rest: &str) -> String {
    const DASH: &str = "\u{1}";
    const UNDERSCORE: &str = "\u{2}";
    let marked = rest.to_ascii_lowercase().replace("___", DASH).replace("__", UNDERSCORE);
    marked.replace('_', ".").replace(DASH, "-").replace(UNDERSCORE, "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(variables: &[(&str, &str)]) -> Vec<String> {
        let owned: Vec<_> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assignments(&owned).into_iter().map(|one| format!("{}={}", one.key, one.value)).collect()
    }

    #[test]
    fn underscores_become_dots_underscores_and_dashes() {
        assert_eq!(keys(&[("KAFKA_LOG_DIRS", "/d")]), ["log.dirs=/d"]);
        assert_eq!(keys(&[("KAFKA_A__B___C_D", "1")]), ["a_b-c.d=1"]);
    }

    #[test]
    fn our_own_prefix_wins_over_kafkas() {
        let variables = [("BARNABAS_NODE_ID", "3"), ("KAFKA_NODE_ID", "1"), ("KAFKA_CFG_NODE_ID", "2")];
        assert_eq!(keys(&variables), ["node.id=1", "node.id=2", "node.id=3"]);
    }

    #[test]
    fn variables_of_scripts_and_strangers_are_left_alone() {
        assert!(keys(&[("KAFKA_OPTS", "-X"), ("KAFKA_HEAP_OPTS", "-Xmx1G"), ("PATH", "/bin")]).is_empty());
    }
}
