//! APIs of client quotas, and what they share: the entities of the wire.

pub mod alter_client_quotas;
pub mod describe_client_quotas;

use barnabas_raft::{QuotaEntity, QuotaName};

/// Kafka's names of the kinds of entities.
const USER: &str = "user";
const CLIENT_ID: &str = "client-id";
const IP: &str = "ip";

/// The parts of an entity in Kafka's words, with their names; `None` stands for the default.
fn parts(entity: &QuotaEntity) -> Vec<(&'static str, Option<&str>)> {
    let parts = [(USER, &entity.user), (CLIENT_ID, &entity.client_id), (IP, &entity.ip)];
    parts.into_iter().filter_map(|(kind, name)| Some((kind, name.as_ref()?.name()))).collect()
}

/// The place of a kind's name in an entity.
fn part_mut<'a>(entity: &'a mut QuotaEntity, kind: &str) -> Option<&'a mut Option<QuotaName>> {
    match kind {
        USER => Some(&mut entity.user),
        CLIENT_ID => Some(&mut entity.client_id),
        IP => Some(&mut entity.ip),
        _ => None,
    }
}
