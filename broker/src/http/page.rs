//! The page for people: groups with their lag, topics, partitions, and the settings that were given; server-rendered, and
//! readable without its script. While it is open, the script asks for `/metrics` every two seconds and draws what is written
//! and read as small charts; it also leaves out the rows that do not hold what was typed into the filter.

use std::fmt::Write;

use barnabas_config::Source;
use barnabas_storage::PartitionIndex;

use super::lag::of_groups;
use crate::broker::Broker;
use crate::limits::PAGE_ROWS_MAX;

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>Barnabas</title><style>\
body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#222}\
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:0;display:inline}summary{cursor:pointer;padding:.3rem 0}\
details{margin-top:1.6rem}summary span{color:#666;margin-left:.4rem}\
table{border-collapse:collapse;width:100%}tr:hover td{background:#f7f9ff}\
th,td{text-align:left;padding:.2rem 1.2rem .2rem 0;border-bottom:1px solid #ddd;overflow-wrap:anywhere}\
th{font-weight:600;position:sticky;top:0;background:#fff}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
.charts{display:flex;flex-wrap:wrap;gap:2rem;margin:1.2rem 0}.charts svg{background:#f6f6f6;display:block}\
.charts b{font-variant-numeric:tabular-nums}nav{display:flex;flex-wrap:wrap;gap:1rem;align-items:center}\
input{font:inherit;padding:.2rem .5rem;width:22rem;max-width:100%}p{color:#666;margin:.3rem 0}\
code{background:#f3f3f3;padding:0 .3rem;color:#222}</style></head><body>";

/// Draws the records that were written and read each second, and filters rows.
const SCRIPT: &str = "<script>\
const past={};\
function sum(text,name){let s=0;for(const l of text.split('\\n'))if(l.startsWith(name+'{'))s+=+l.slice(l.lastIndexOf(' '));return s}\
function draw(id,v){const p=past[id]??={l:null,t:0,a:[]},n=performance.now();\
if(p.l!==null){p.a.push(Math.max(0,(v-p.l)/((n-p.t)/1000)));if(p.a.length>60)p.a.shift()}p.l=v;p.t=n;\
const m=Math.max(1,...p.a),e=document.getElementById(id);\
e.firstElementChild.setAttribute('points',p.a.map((y,i)=>i*5+','+(46-y/m*44)).join(' '));\
e.parentElement.querySelector('b').textContent=(p.a.at(-1)??0).toFixed(1)+'/s'}\
async function look(){try{const t=await(await fetch('/metrics')).text();\
draw('written',sum(t,'kafka_topic_partition_current_offset'));\
draw('read',sum(t,'kafka_consumergroup_current_offset'))}catch(e){}}\
look();setInterval(look,2000);\
const f=document.getElementById('filter');f.hidden=false;f.oninput=()=>{const w=f.value.toLowerCase();\
for(const r of document.querySelectorAll('tbody tr'))r.hidden=!r.textContent.toLowerCase().includes(w);\
if(w)for(const d of document.querySelectorAll('details'))d.open=true}\
</script></body></html>";

/// All of it. Reads headers of batches from disk.
pub(super) fn html(broker: &Broker) -> String {
    let sections = [groups(broker), topics(broker), partitions(broker), settings(broker)];
    let mut page = HEAD.to_owned();
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "<h1>Barnabas {} · broker {} · cluster <code>{}</code></h1><div class=\"charts\">{}{}</div><nav>\
         <input id=\"filter\" type=\"search\" placeholder=\"show rows that hold ...\" hidden>",
        env!("CARGO_PKG_VERSION"),
        broker.id.0,
        escape(broker.controller.image().cluster_id()),
        chart("written", "records written"),
        chart("read", "offsets committed")
    );
    for section in &sections {
        let _ = write!(page, "<a href=\"#{}\">{}</a>", section.id(), section.title);
    }
    page.push_str("</nav>");
    for section in &sections {
        section.write(&mut page);
    }
    page + SCRIPT
}

fn chart(id: &str, title: &str) -> String {
    format!(
        "<div>{title} <b></b><svg id=\"{id}\" width=\"300\" height=\"48\"><polyline fill=\"none\" stroke=\"#36c\" \
         stroke-width=\"1.5\" points=\"\"/></svg></div>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A table that can be folded.
struct Section {
    title: &'static str,
    /// The command that tells the same.
    command: &'static str,
    /// What to say where there are no rows.
    none: &'static str,
    /// Names of the columns; those that begin with `#` hold numbers.
    heads: &'static [&'static str],
    /// At most [`PAGE_ROWS_MAX`].
    rows: Vec<Vec<String>>,
    /// Rows that there are.
    count: usize,
    /// Whether it is folded when it is long.
    folds: bool,
}

/// Longer sections that fold are folded.
const ROWS_UNFOLDED: usize = 50;

impl Section {
    fn id(&self) -> String {
        self.title.to_lowercase().replace(' ', "-")
    }

    fn push(&mut self, row: Vec<String>) {
        self.count += 1;
        if self.rows.len() < PAGE_ROWS_MAX {
            self.rows.push(row);
        }
    }

    fn write(&self, page: &mut String) {
        let open = if self.folds && self.count > ROWS_UNFOLDED { "" } else { " open" };
        let (id, title) = (self.id(), self.title);
        let _ =
            write!(page, "<details id=\"{id}\"{open}><summary><h2>{title}</h2><span>{}</span></summary>", self.count);
        if self.count == 0 {
            let _ = write!(page, "<p>{}</p></details>", self.none);
            return;
        }
        let _ = write!(page, "<p><code>{}</code></p><table><thead><tr>", self.command);
        let class = |head: &str| if head.starts_with('#') { " class=\"n\"" } else { "" };
        for head in self.heads {
            let _ = write!(page, "<th{}>{}</th>", class(head), head.trim_start_matches('#'));
        }
        page.push_str("</tr></thead><tbody>");
        for row in &self.rows {
            page.push_str("<tr>");
            for (head, cell) in self.heads.iter().zip(row) {
                let _ = write!(page, "<td{}>{}</td>", class(head), escape(cell));
            }
            page.push_str("</tr>");
        }
        page.push_str("</tbody></table>");
        if self.count > self.rows.len() {
            let more = self.count - self.rows.len();
            let _ = write!(page, "<p>and {more} more: <code>{}</code> tells them all</p>", self.command);
        }
        page.push_str("</details>");
    }
}

/// Bytes as people read them.
fn bytes(count: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let (mut value, mut unit) = (count as f64 / 1024.0, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        (value, unit) = (value / 1024.0, unit + 1);
    }
    format!("{value:.1} {}", units[unit])
}

fn topics(broker: &Broker) -> Section {
    let mut section = Section {
        title: "Topics",
        command: "barnabas topics list",
        none: "None yet: <code>barnabas topics create NAME</code> makes one.",
        heads: &["topic", "#partitions", "#records", "#size", "settings"],
        rows: Vec::new(),
        count: 0,
        folds: false,
    };
    for topic in broker.controller.image().topics() {
        let (mut records, mut size) = (0, 0);
        for (_, index) in topic.partitions.iter().zip(0..) {
            let Some(led) = broker.partitions.by_name(&topic.name, PartitionIndex(index)) else { continue };
            records += led.high_watermark().0 - led.log().log_start_offset().0;
            size += led.log().size_bytes();
        }
        let configs: Vec<String> = topic.configs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        section.push(vec![
            topic.name.to_string(),
            topic.partitions.len().to_string(),
            records.to_string(),
            bytes(size),
            configs.join(" "),
        ]);
    }
    section
}

fn partitions(broker: &Broker) -> Section {
    let mut section = Section {
        title: "Partitions",
        command: "barnabas topics describe TOPIC",
        none: "None yet.",
        heads: &["topic", "#partition", "#leader", "#start", "#end", "#size"],
        rows: Vec::new(),
        count: 0,
        folds: true,
    };
    let image = broker.controller.image();
    for topic in image.topics().filter(|topic| !crate::partition::is_internal_topic(&topic.name)) {
        for (partition, index) in topic.partitions.iter().zip(0..) {
            let Some(led) = broker.partitions.by_name(&topic.name, PartitionIndex(index)) else { continue };
            section.push(vec![
                topic.name.to_string(),
                index.to_string(),
                partition.leader.map_or_else(|| "none".to_owned(), |leader| leader.0.to_string()),
                led.log().log_start_offset().to_string(),
                led.high_watermark().to_string(),
                bytes(led.log().size_bytes()),
            ]);
        }
    }
    section
}

fn groups(broker: &Broker) -> Section {
    let mut section = Section {
        title: "Groups",
        command: "barnabas groups lag",
        none: "None yet: a consumer with a <code>group.id</code> makes one.",
        heads: &["group", "state", "#members", "topic", "#partition", "#committed", "#lag", "#lag in s"],
        rows: Vec::new(),
        count: 0,
        folds: false,
    };
    for group in of_groups(broker) {
        let (listed, members) = (&group.group.listed, group.group.members.to_string());
        let place = |topic: &str, partition: String, committed: String, records: String, seconds: String| {
            let (id, state) = (listed.id.to_string(), listed.state.name().to_owned());
            vec![id, state, members.clone(), topic.to_owned(), partition, committed, records, seconds]
        };
        if group.lags.is_empty() {
            section.push(place("", String::new(), String::new(), String::new(), String::new()));
        }
        for lag in &group.lags {
            let seconds = lag.seconds.map_or_else(String::new, |seconds| format!("{seconds:.1}"));
            let records = lag.records.map_or_else(String::new, |records| records.to_string());
            let (partition, committed) = (lag.at.partition.to_string(), lag.committed.to_string());
            section.push(place(&lag.at.topic, partition, committed, records, seconds));
        }
    }
    section
}

fn settings(broker: &Broker) -> Section {
    let mut section = Section {
        title: "Settings that were given",
        command: "barnabas configs render --explain",
        none: "None: all are the defaults.",
        heads: &["setting", "value", "source"],
        rows: Vec::new(),
        count: 0,
        folds: false,
    };
    for name in barnabas_config::table::names() {
        let source = broker.config.source(name);
        if source != Source::Default {
            let value = broker.config.shown(name).unwrap_or("").to_owned();
            section.push(vec![name.to_owned(), value, source.to_string()]);
        }
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(rows: &[&str]) -> String {
        let rows: Vec<Vec<String>> = rows.iter().map(|row| vec![(*row).to_owned(), "1".to_owned()]).collect();
        let heads = &["a", "#b"];
        let mut section =
            Section { title: "T", command: "c", none: "none", heads, rows: Vec::new(), count: 0, folds: false };
        rows.into_iter().for_each(|row| section.push(row));
        let mut page = String::new();
        section.write(&mut page);
        page
    }

    #[test]
    fn names_cannot_break_the_page() {
        let page = section(&["<script>&\""]);
        assert!(page.contains("<td>&lt;script&gt;&amp;&quot;</td><td class=\"n\">1</td>"), "{page}");
    }

    #[test]
    fn a_section_without_rows_says_so_and_a_long_one_ends() {
        assert!(section(&[]).contains("<p>none</p>"));
        let many = section(&vec!["row"; PAGE_ROWS_MAX + 3]);
        assert_eq!(many.matches("<td>row</td>").count(), PAGE_ROWS_MAX);
        assert!(many.contains("and 3 more"), "the end of {} bytes", many.len());
    }

    #[test]
    fn bytes_have_units() {
        assert_eq!([0, 1023, 1024, 5 << 20, 3 << 40].map(bytes), ["0 B", "1023 B", "1.0 KiB", "5.0 MiB", "3.0 TiB"]);
    }
}
