//! `partition.metadata`: the topic id of a partition's directory (FORMAT.md 7).

use std::path::Path;

use crate::error::LogDirError;
use crate::ids::TopicId;
use crate::seam::Disk;
use crate::whole_file;

/// The file's name.
pub(crate) const NAME: &str = "partition.metadata";

/// Reads the topic id; `None` when there is no such file.
pub(crate) fn read(disk: &dyn Disk, directory: &Path) -> Result<Option<TopicId>, LogDirError> {
    let path = directory.join(NAME);
    let bytes =
        whole_file::read(disk, &path).map_err(|source| LogDirError::Io { act: "read", path: path.clone(), source })?;
    let Some(bytes) = bytes else { return Ok(None) };
    let parsed = std::str::from_utf8(&bytes).ok().and_then(parse);
    parsed.map(Some).ok_or_else(|| LogDirError::Malformed {
        file: path,
        reason: "expected the lines `version: 0` and `topic_id: <22 characters>`; restore the file".to_owned(),
    })
}

/// Writes the topic id, durably.
pub(crate) fn write(disk: &dyn Disk, directory: &Path, topic_id: TopicId) -> Result<(), LogDirError> {
    let path = directory.join(NAME);
    let written = whole_file::replace(disk, &path, format!("version: 0\ntopic_id: {topic_id}").as_bytes());
    written.map_err(|source| LogDirError::Io { act: "write", path, source })
}

fn parse(text: &str) -> Option<TopicId> {
    let field = |name: &str| {
        text.lines().find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == name)).map(|(_, v)| v.trim())
    };
    if field("version")? != "0" {
        return None;
    }
    TopicId::parse(field("topic_id")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kafkas_text_is_read() {
        let id = parse("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ\n").unwrap();
        assert_eq!(id.0.as_u128(), 1);
        assert_eq!(parse("version: 1\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ"), None);
        assert_eq!(parse("topic_id: AAAAAAAAAAAAAAAAAAAAAQ"), None);
    }
}
