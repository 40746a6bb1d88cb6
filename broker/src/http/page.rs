//! The page for people: topics, partitions, groups with their lag, and the settings that were given; server-rendered. While
//! it is open, its script asks for `/metrics` every two seconds and draws what is written and read as small charts.

use std::fmt::Write;

use barnabas_config::Source;
use barnabas_storage::PartitionIndex;

use super::lag::of_groups;
use crate::broker::Broker;

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Barnabas</title><style>\
body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222}\
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #ddd}th{font-weight:600}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}svg{background:#f6f6f6;vertical-align:middle}\
code{background:#f3f3f3;padding:0 .3rem}</style></head><body>";

/// Draws the records that were written and read each second.
const SCRIPT: &str = "<script>\
const past={};\
function sum(text,name){let s=0;for(const l of text.split('\\n'))if(l.startsWith(name+'{'))s+=+l.slice(l.lastIndexOf(' '));return s}\
function draw(id,v){const p=past[id]??={l:null,t:0,a:[]},n=performance.now();\
if(p.l!==null){p.a.push(Math.max(0,(v-p.l)/((n-p.t)/1000)));if(p.a.length>60)p.a.shift()}p.l=v;p.t=n;\
const m=Math.max(1,...p.a),e=document.getElementById(id);\
e.firstElementChild.setAttribute('points',p.a.map((y,i)=>i*4+','+(38-y/m*36)).join(' '));\
e.nextElementSibling.textContent=' '+(p.a.at(-1)??0).toFixed(1)+'/s'}\
async function look(){try{const t=await(await fetch('/metrics')).text();\
draw('written',sum(t,'kafka_topic_partition_current_offset'));\
draw('read',sum(t,'kafka_consumergroup_current_offset'))}catch(e){}}\
look();setInterval(look,2000)</script></body></html>";

/// All of it. Reads headers of batches from disk.
pub(super) fn html(broker: &Broker) -> String {
    let mut page = HEAD.to_owned();
    let image = broker.controller.image();
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "<h1>Barnabas {} · broker {} · cluster <code>{}</code></h1>{}{}",
        env!("CARGO_PKG_VERSION"),
        broker.id.0,
        escape(image.cluster_id()),
        chart("written", "records written"),
        chart("read", "offsets committed")
    );
    topics(broker, &mut page);
    groups(broker, &mut page);
    settings(broker, &mut page);
    page + SCRIPT
}

fn chart(id: &str, title: &str) -> String {
    format!(
        "<p>{title}: <svg id=\"{id}\" width=\"240\" height=\"40\"><polyline fill=\"none\" stroke=\"#36c\" points=\"\"/>\
         </svg><span></span></p>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A table of cells; those of columns that begin with `#` are numbers.
fn table(page: &mut String, title: &str, command: &str, heads: &[&str], rows: &[Vec<String>]) {
    let _ = write!(page, "<h2>{title}</h2><p><code>{command}</code></p><table><tr>");
    let class = |head: &str| if head.starts_with('#') { " class=\"n\"" } else { "" };
    for head in heads {
        let _ = write!(page, "<th{}>{}</th>", class(head), head.trim_start_matches('#'));
    }
    page.push_str("</tr>");
    for row in rows {
        page.push_str("<tr>");
        for (head, cell) in heads.iter().zip(row) {
            let _ = write!(page, "<td{}>{}</td>", class(head), escape(cell));
        }
        page.push_str("</tr>");
    }
    page.push_str("</table>");
}

fn topics(broker: &Broker, page: &mut String) {
    let image = broker.controller.image();
    let mut topics = Vec::new();
    let mut partitions = Vec::new();
    for topic in image.topics() {
        let (mut records, mut bytes) = (0, 0);
        for (partition, index) in topic.partitions.iter().zip(0..) {
            let Some(led) = broker.partitions.by_name(&topic.name, PartitionIndex(index)) else { continue };
            let (start, end, size) = (led.log().log_start_offset().0, led.high_watermark().0, led.log().size_bytes());
            records += end - start;
            bytes += size;
            let leader = partition.leader.map_or_else(|| "none".to_owned(), |leader| leader.0.to_string());
            if crate::partition::is_internal_topic(&topic.name) {
                continue;
            }
            partitions.push(vec![
                topic.name.to_string(),
                index.to_string(),
                leader,
                start.to_string(),
                end.to_string(),
                size.to_string(),
            ]);
        }
        let configs: Vec<String> = topic.configs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        topics.push(vec![
            topic.name.to_string(),
            topic.partitions.len().to_string(),
            records.to_string(),
            bytes.to_string(),
            configs.join(" "),
        ]);
    }
    let heads = ["topic", "#partitions", "#records", "#bytes", "settings"];
    table(page, "Topics", "barnabas topics list", &heads, &topics);
    let heads = ["topic", "#partition", "#leader", "#start", "#end", "#bytes"];
    table(page, "Partitions", "barnabas topics describe TOPIC", &heads, &partitions);
}

fn groups(broker: &Broker, page: &mut String) {
    let mut rows = Vec::new();
    for group in of_groups(broker) {
        let (listed, members) = (&group.group.listed, group.group.members.to_string());
        let place = |topic: &str, partition: String, committed: String, records: String, seconds: String| {
            let (id, state) = (listed.id.to_string(), listed.state.name().to_owned());
            vec![id, state, members.clone(), topic.to_owned(), partition, committed, records, seconds]
        };
        if group.lags.is_empty() {
            rows.push(place("", String::new(), String::new(), String::new(), String::new()));
        }
        for lag in &group.lags {
            let seconds = lag.seconds.map_or_else(String::new, |seconds| format!("{seconds:.1}"));
            let records = lag.records.map_or_else(String::new, |records| records.to_string());
            rows.push(place(&lag.at.topic, lag.at.partition.to_string(), lag.committed.to_string(), records, seconds));
        }
    }
    let heads = ["group", "state", "#members", "topic", "#partition", "#committed", "#lag", "#lag s"];
    table(page, "Groups", "barnabas groups lag", &heads, &rows);
}

fn settings(broker: &Broker, page: &mut String) {
    let given = barnabas_config::table::names().filter_map(|name| {
        let source = broker.config.source(name);
        let value = || broker.config.shown(name).unwrap_or("").to_owned();
        (source != Source::Default).then(|| vec![name.to_owned(), value(), source.to_string()])
    });
    let rows: Vec<Vec<String>> = given.collect();
    table(page, "Settings that were given", "barnabas serve --help", &["setting", "value", "source"], &rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_the_page() {
        let mut page = String::new();
        table(&mut page, "T", "c", &["a", "#b"], &[vec!["<script>&\"".to_owned(), "1".to_owned()]]);
        assert!(page.contains("<td>&lt;script&gt;&amp;&quot;</td><td class=\"n\">1</td>"), "{page}");
    }
}
