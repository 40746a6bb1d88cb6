//! What packages are made of is there, and what their unit starts is in them.

use crate::edges::metadata;
use crate::source::{nothing_in, root};

/// What the build makes, and packaging/deb.sh in a directory of its own.
const BUILT: &str = "target/release/";
const WRITTEN: &str = "target/release/package";

/// What cargo-deb is told: what is packed, and to where.
fn assets(package: &serde_json::Value) -> Vec<(&str, &str)> {
    let assets = package["metadata"]["deb"]["assets"].as_array().unwrap();
    assets.iter().map(|asset| (asset[0].as_str().unwrap(), asset[1].as_str().unwrap())).collect()
}

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join("packaging").join(name)).unwrap()
}

#[test]
fn a_debian_package_is_made_of_what_is_there() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let broker = packages.iter().find(|package| package["name"] == "barnabas-broker").unwrap();
    let deb = &broker["metadata"]["deb"];
    let mut findings = Vec::new();
    for (from, _) in assets(broker) {
        if !from.starts_with(BUILT) && !root().join("broker").join(from).is_file() {
            findings.push(format!("{from} is packed and does not exist"));
        }
    }
    let kept: Vec<&str> = deb["conf-files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    let settings: Vec<String> =
        assets(broker).iter().filter(|(_, to)| to.starts_with("etc/")).map(|(_, to)| format!("/{to}")).collect();
    assert_eq!(kept, settings, "what an operator may edit is kept at an upgrade");

    let unit = text("debian/barnabas.service");
    let started = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let is_packed = |file: &str| assets(broker).iter().any(|(_, to)| *to == file || format!("{to}barnabas") == file);
    for file in started.split(' ').filter_map(|word| word.strip_prefix('/')) {
        assert!(is_packed(file), "the unit starts {file}, which is not packed");
    }
    let user = text("debian/barnabas.sysusers");
    assert!(unit.contains("User=barnabas\n") && user.starts_with("u barnabas "), "the unit's user is made");
    assert!(text("deb.sh").contains(&format!("package={WRITTEN}\n")), "pages and completions are written elsewhere");
    let is_made = |from: &str| from == "target/release/barnabas" || from.starts_with(WRITTEN);
    assert!(assets(broker).iter().all(|(from, _)| !from.starts_with(BUILT) || is_made(from)), "nobody makes it");
    nothing_in(&findings);
}

/// Debian has /bin/kill in a package that a small system lacks.
#[test]
fn the_unit_runs_nothing_but_what_is_packed_and_the_shell() {
    let unit = text("debian/barnabas.service");
    let commands = unit.lines().filter(|line| line.starts_with("Exec")).filter_map(|line| line.split_once('='));
    let programs: Vec<&str> = commands.filter_map(|(_, command)| command.split(' ').next()).collect();
    assert_eq!(programs, ["/usr/bin/barnabas", "/bin/sh"]);
}

#[test]
fn a_package_has_no_debug_information_unless_told() {
    assert!(text("deb.sh").contains("set -- --strip"), "the binary of a release build has line tables, 90 MB of them");
    assert!(text("Dockerfile").contains("strip -o target/image/barnabas"), "so has that of an image");
}

#[test]
fn the_image_needs_only_the_binary() {
    let image = text("Dockerfile");
    let copied: Vec<&str> =
        image.lines().filter(|line| line.starts_with("COPY ") || line.starts_with("ADD ")).collect();
    assert_eq!(copied, ["COPY barnabas /usr/bin/barnabas"]);
}
