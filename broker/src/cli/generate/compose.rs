//! `barnabas generate compose`: a file for docker compose, of one broker.

use crate::cli::Failure;

const TEMPLATE: &str = include_str!("compose.yaml");

/// What differs from machine to machine.
#[derive(Debug, clap::Args)]
pub(super) struct Compose {
    /// The image: packaging/Dockerfile says how to make it.
    #[arg(long, default_value = "barnabas")]
    image: String,
    /// The name by which clients reach this machine.
    #[arg(long, default_value = "localhost")]
    host: String,
    /// The port for clients.
    #[arg(long, default_value_t = 9092, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// The port on this machine alone for metrics, health and the page.
    #[arg(long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..))]
    http_port: u16,
}

pub(super) fn text(compose: &Compose) -> Result<String, Failure> {
    let image = plain("--image", &compose.image, "/:@_.-")?;
    let host = plain("--host", &compose.host, "_.-[]:")?;
    let text = TEMPLATE.replace("@IMAGE@", image).replace("@HOST@", host);
    Ok(text.replace("@PORT@", &compose.port.to_string()).replace("@HTTP_PORT@", &compose.http_port.to_string()))
}

/// A word that means itself between quotes.
fn plain<'a>(option: &str, word: &'a str, also: &str) -> Result<&'a str, Failure> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || also.contains(letter);
    if word.is_empty() || !word.chars().all(is_plain) {
        return Err(Failure::usage(format!("{option}: '{word}' may have letters, digits and any of {also}")));
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use barnabas_config::{Config, ConfigSources};
    use clap::Parser;
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        compose: Compose,
    }

    fn compose(words: &[&str]) -> Result<String, Failure> {
        text(&Line::parse_from([&["compose"], words].concat()).compose)
    }

    #[test]
    fn the_container_is_told_settings_that_there_are() {
        let text =
            compose(&["--image", "registry:5000/b:1.0", "--host", "kafka.example.com", "--port", "9093"]).unwrap();
        assert!(!text.contains('@'), "{text}");
        let file: Value = serde_saphyr::from_str(&text).unwrap();
        let service = &file["services"]["barnabas"];
        assert_eq!(service["image"], "registry:5000/b:1.0");
        assert_eq!(service["ports"], serde_json::json!(["9093:9092", "127.0.0.1:8080:8080"]));
        let environment: HashMap<String, String> = serde_json::from_value(service["environment"].clone()).unwrap();
        let nothing = |_: &std::path::Path| Ok(String::new());
        let (config, warnings) = Config::load(&ConfigSources {
            files: Vec::new(),
            environment: environment.into_iter().collect(),
            assignments: vec!["config.unknown.keys=error".to_owned()],
            read_file: &nothing,
        })
        .unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        assert_eq!(config.listeners().len(), 2);
        assert_eq!(
            config.text("advertised.listeners"),
            Some("PLAINTEXT://kafka.example.com:9093,INSIDE://barnabas:19092")
        );
        assert_eq!(config.text("barnabas.http.listener"), Some("0.0.0.0:8080"));
    }

    #[test]
    fn what_yaml_would_read_otherwise_is_refused() {
        for word in ["", "a\"b", "a b", "a\nb", "${HOME}"] {
            assert!(compose(&["--image", word]).is_err(), "{word}");
            assert!(compose(&["--host", word]).is_err(), "{word}");
        }
    }
}
