//! `topics add-partitions` and `topics delete`.

use crate::cli::Failure;
use crate::cli::exit::Exit;
use crate::client::Cluster;

/// Gives a topic more partitions.
pub(super) async fn add_partitions(name: &str, to: i32, cluster: &mut Cluster) -> Result<Exit, Failure> {
    let results = cluster.create_partitions(&[(name, to)]).await?;
    let result = results.first().ok_or("the broker answered for no topic")?;
    if result.error_code != 0 {
        let act = format!("give topic {name} {to} partitions");
        return Err(Failure::refused(act, result.error_code, result.error_message.as_deref()));
    }
    eprintln!("topic {name} has {to} partitions");
    Ok(Exit::Done)
}

/// Deletes topics with everything in them.
pub(super) async fn delete(names: &[String], if_exists: bool, cluster: &mut Cluster) -> Result<Exit, Failure> {
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let (mut failures, mut any_done) = (Vec::new(), false);
    for result in cluster.delete_topics(&wanted).await? {
        let name = result.name.as_ref().map_or("", |name| name.as_str());
        let failure =
            || Failure::refused(format!("delete topic {name}"), result.error_code, result.error_message.as_deref());
        if result.error_code == 0 {
            any_done = true;
            eprintln!("deleted topic {name}");
        } else if !(if_exists && failure().exit() == Exit::NotFound) {
            failures.push(failure());
        }
    }
    Failure::all_or_some(failures, any_done)
}
