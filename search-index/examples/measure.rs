//! Speed, size and memory of an index of invented records, printed: not a test, no number is judged.
//!
//! `cargo run --release -p search-index --example measure -- 1000000`

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring tool")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use search_index::index::REBUILD_MEMORY;
use search_index::{Document, Facet, Index, PUBLIC, Person, Rebuild, Request, Sort};

const SYLLABLES: &str = "dữ liệu nghiên cứu khoa học công nghệ môi trường nước sông biển rừng đất lúa gạo năng suất \
    khí hậu biến đổi bão lũ mưa nhiệt độ ảnh vệ tinh giống cây trồng bệnh viện sức khỏe cộng đồng dân tộc tiếng Việt \
    ngữ văn bản luật kinh tế xã hội giáo dục đào tạo vật hóa sinh máy tính mạng học sâu quan trắc khảo sát bản đồ \
    địa chất trầm tích muối cá tôm nuôi thủy sản tỉnh thành phố Hà Nội Cần Thơ Đà Nẵng đồng bằng cao nguyên";

fn main() {
    let count: u64 = std::env::args()
        .nth(1)
        .map_or(100_000, |n| n.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let mut rebuild = Rebuild::begin(folder.path(), REBUILD_MEMORY).unwrap();
    let mut dice = Dice(1);
    for _ in 0..count / 1_000 {
        let page: Vec<Document> = (0..1_000).map(|_| record(&mut dice)).collect();
        rebuild.upsert(&page).unwrap();
    }
    rebuild.finish(1).unwrap();
    let took = start.elapsed();
    println!(
        "rebuild: {count} records in {took:.1?}, {:.0}/s",
        count as f64 / took.as_secs_f64()
    );
    println!(
        "on disk: {:.0} bytes a record",
        bytes(folder.path()) as f64 / count as f64
    );

    let start = Instant::now();
    let index = Index::open(folder.path()).unwrap();
    println!(
        "open: {:.1?}; anonymous memory {} KiB",
        start.elapsed(),
        anonymous_kib()
    );

    let commits = (0..20).map(|n| {
        let start = Instant::now();
        let mut batch = index.begin().unwrap();
        batch.upsert(&[record(&mut dice)]).unwrap();
        batch.commit(n).unwrap();
        start.elapsed()
    });
    print_times("commit of one", commits.collect());

    let words: Vec<&str> = SYLLABLES.split_whitespace().collect();
    let mut queries = Vec::new();
    for length in 1..=4 {
        for _ in 0..50 {
            let typed: Vec<&str> = (0..length)
                .map(|_| words[dice.below(words.len())])
                .collect();
            queries.push(typed.join(" "));
        }
    }
    let facets = Facet::ALL.to_vec();
    let chosen = BTreeMap::from([(Facet::Language, vec!["vie".to_owned()])]);
    let plain = Request::default();
    let counted = Request {
        facets: facets.clone(),
        highlight: true,
        ..plain.clone()
    };
    let narrowed = Request {
        chosen,
        ..counted.clone()
    };
    let newest = Request {
        sort: Sort::Newest,
        ..counted.clone()
    };
    for (name, request) in [
        ("search", plain),
        ("with facets and snippets", counted),
        ("one facet chosen", narrowed),
        ("newest first", newest),
    ] {
        let times = queries.iter().map(|text| {
            let start = Instant::now();
            index
                .search(&Request {
                    text: text.clone(),
                    ..request.clone()
                })
                .unwrap();
            start.elapsed()
        });
        print_times(name, times.collect());
    }
    let everything = (0..5).map(|_| {
        let start = Instant::now();
        index
            .search(&Request {
                facets: facets.clone(),
                ..Request::default()
            })
            .unwrap();
        start.elapsed()
    });
    print_times("everything, facets", everything.collect());
    index.rest().unwrap();
    println!("at rest: anonymous memory {} KiB", anonymous_kib());
}

fn record(dice: &mut Dice) -> Document {
    let words: Vec<&str> = SYLLABLES.split_whitespace().collect();
    let mut text = |length: usize| {
        let rare = format!("mẫu{}", dice.below(50_000));
        let mut picked: Vec<&str> = (0..length)
            .map(|_| words[dice.skewed(words.len())])
            .collect();
        picked.push(&rare);
        picked.join(" ")
    };
    Document {
        titles: vec![text(10), text(10)],
        descriptions: vec![text(120)],
        subjects: vec![text(1), text(2)],
        creators: vec![Person {
            name: text(3),
            ..Person::default()
        }],
        id: format!("r{}", dice.next()),
        readers: vec![PUBLIC.to_owned()],
        is_latest: true,
        resource_type: ["dataset", "software", "publication-article"][dice.below(3)].to_owned(),
        access_status: ["open", "restricted"][dice.below(2)].to_owned(),
        languages: vec![["vie", "eng"][dice.below(2)].to_owned()],
        licences: vec!["cc-by-4.0".to_owned()],
        publication_date: Some(format!("{}", 1990 + dice.below(36))),
        published: dice.below(1 << 30) as i64,
        file_names: vec!["data.csv".to_owned()],
        ..Document::default()
    }
}

/// The same records on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 16
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Small numbers more often, as words are.
    fn skewed(&mut self, n: usize) -> usize {
        self.below(n).min(self.below(n)).min(self.below(n))
    }
}

fn print_times(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{name}: p50 {:.2?} p95 {:.2?} p99 {:.2?}",
        at(0.5),
        at(0.95),
        at(0.99)
    );
}

fn bytes(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().flatten();
    entries
        .map(|entry| match entry.metadata().unwrap() {
            folder if folder.is_dir() => bytes(&entry.path()),
            file => file.len(),
        })
        .sum()
}

/// Linux only; 0 elsewhere.
fn anonymous_kib() -> u64 {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let line = rollup.lines().find(|line| line.starts_with("Anonymous:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}
