//! `meta.properties`: which cluster, node and directory this is. Java properties, version 1 (KRaft).

use std::io;
use std::path::{Path, PathBuf};

use crate::error::LogDirError;
use crate::ids::TopicId;
use crate::log_dir::MetaProperties;
use crate::seam::Disk;
use crate::whole_file;

const NAME: &str = "meta.properties";

/// Reads the file; `None` when there is none.
pub(crate) fn read(disk: &dyn Disk, dir: &Path) -> Result<Option<MetaProperties>, LogDirError> {
    let path = dir.join(NAME);
    let malformed = |reason: String| LogDirError::Malformed { file: path.clone(), reason };
    let bytes = whole_file::read(disk, &path);
    let bytes = bytes.map_err(|source| LogDirError::Io { act: "read", path: path.clone(), source })?;
    let Some(bytes) = bytes else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|_| malformed("it is not text".to_owned()))?;
    parse(&text).map(Some).map_err(malformed)
}

/// Writes the file.
pub(crate) fn write(disk: &dyn Disk, dir: &Path, meta: &MetaProperties) -> Result<(), LogDirError> {
    let path: PathBuf = dir.join(NAME);
    let written = whole_file::replace(disk, &path, render(meta).as_bytes());
    written.map_err(|source: io::Error| LogDirError::Io { act: "write", path, source })
}

fn render(meta: &MetaProperties) -> String {
    let MetaProperties { cluster_id, node_id, directory_id } = meta;
    format!("#\ncluster.id={}\ndirectory.id={directory_id}\nnode.id={node_id}\nversion=1\n", escape(cluster_id))
}

fn parse(text: &str) -> Result<MetaProperties, String> {
    let value = |key: &str| -> Option<String> {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.starts_with(['#', '!']))
            .filter_map(|line| line.split_once('='))
            .find(|(name, _)| name.trim() == key)
            .map(|(_, value)| unescape(value.trim()))
    };
    let needed = |key: &str| value(key).ok_or_else(|| format!("it has no {key}"));
    let version = needed("version")?;
    if version != "1" {
        return Err(format!("version {version} is not supported: migrate the directory to KRaft with Kafka 3.9 first"));
    }
    let node_id = needed("node.id")?;
    let directory_id = value("directory.id")
        .ok_or("it has no directory.id: start Kafka 3.7 or later on the directory once, which adds it")?;
    Ok(MetaProperties {
        cluster_id: needed("cluster.id")?,
        node_id: node_id.parse().map_err(|_| format!("node.id={node_id} is not a number"))?,
        directory_id: TopicId::parse(&directory_id)
            .ok_or_else(|| format!("directory.id={directory_id} is not a base64url UUID"))?,
    })
}

/// As Java's `Properties.store` does it.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, '=' | ':' | '#' | '!' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

fn unescape(value: &str) -> String {
    let mut characters = value.chars();
    let mut plain = String::with_capacity(value.len());
    while let Some(character) = characters.next() {
        plain.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kafkas_file_is_read_and_ours_reads_back() {
        let kafkas = "#\n#Fri Nov 21 10:00:00 UTC 2026\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\n\
                      directory.id=4nkYrKcQRXqRcWZfYKzCzw\nnode.id=1\nversion=1\n";
        let meta = parse(kafkas).unwrap();
        assert_eq!((meta.cluster_id.as_str(), meta.node_id), ("MkU3OEVBNTcwNTJENDM2Qk", 1));
        assert_eq!(meta.directory_id.to_string(), "4nkYrKcQRXqRcWZfYKzCzw");
        let odd = MetaProperties { cluster_id: "a=b:c\\d".to_owned(), ..meta };
        assert_eq!(parse(&render(&odd)).unwrap(), odd);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        assert!(parse("version=0\nbroker.id=1\n").unwrap_err().contains("version 0"));
        assert!(parse("version=1\nnode.id=1\ncluster.id=c\n").unwrap_err().contains("directory.id"));
        let odd_node = "version=1\nnode.id=x\ncluster.id=c\ndirectory.id=4nkYrKcQRXqRcWZfYKzCzw\n";
        assert!(parse(odd_node).unwrap_err().contains("node.id=x"));
    }
}
