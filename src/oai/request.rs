//! What a harvester asks: the six verbs and their arguments (OAI-PMH 2.0 sections 3.1.1 and 4).
//!
//! Reading is strict, as the standard wants it: an argument that is unknown, repeated, empty or missing
//! is an error, and all that are wrong are told at once. Pure functions; not here: looking anything up.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use crate::{
    catalog::{Format, Place, Walk},
    oai::token,
};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    Identify,
    ListMetadataFormats { identifier: Option<String> },
    ListSets,
    GetRecord { identifier: String, format: Format },
    List { list: List, resumed: bool },
}

/// `ListRecords` or `ListIdentifiers`, from its beginning or from a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Records with their payloads, or headers only.
    pub payloads: bool,
    pub format: Format,
    pub walk: Walk,
}

/// An error of the standard (section 3.6); answered with status 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub code: Code,
    /// In English: it is read by whoever looks into a harvester's log.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    BadVerb,
    BadArgument,
    BadResumptionToken,
    CannotDisseminateFormat,
    IdDoesNotExist,
    NoRecordsMatch,
}

impl Code {
    pub fn name(self) -> &'static str {
        match self {
            Code::BadVerb => "badVerb",
            Code::BadArgument => "badArgument",
            Code::BadResumptionToken => "badResumptionToken",
            Code::CannotDisseminateFormat => "cannotDisseminateFormat",
            Code::IdDoesNotExist => "idDoesNotExist",
            Code::NoRecordsMatch => "noRecordsMatch",
        }
    }
}

impl Fault {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

/// Arguments as they were sent, in order.
pub type Arguments = Vec<(String, String)>;

/// The verbs with what they may be given; `metadataPrefix` must be given where `resumptionToken` is not.
const VERBS: [(&str, &[&str]); 6] = [
    ("Identify", &[]),
    ("ListMetadataFormats", &["identifier"]),
    ("ListSets", &["resumptionToken"]),
    ("GetRecord", &["identifier", "metadataPrefix"]),
    (
        "ListIdentifiers",
        &["from", "until", "metadataPrefix", "set", "resumptionToken"],
    ),
    (
        "ListRecords",
        &["from", "until", "metadataPrefix", "set", "resumptionToken"],
    ),
];

/// Most arguments looked at; no verb takes more than six.
const MOST_ARGUMENTS: usize = 32;
/// How much of a wrong value is repeated in an error.
const SHOWN: usize = 80;

/// Reads a query string or a form.
pub fn arguments(encoded: &[u8]) -> Arguments {
    url::form_urlencoded::parse(encoded)
        .take(MOST_ARGUMENTS)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// Finds out what is asked, or everything that is wrong with the question.
pub fn parse(arguments: &[(String, String)]) -> Result<Request, Vec<Fault>> {
    let (verb, allowed) = verb(arguments).map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    for (at, (name, value)) in arguments.iter().enumerate() {
        let repeated = arguments[..at].iter().any(|(earlier, _)| earlier == name);
        if name != "verb" && !allowed.contains(&name.as_str()) {
            faults.push(bad(format!(
                "{verb} takes no argument named {:?}.",
                short(name)
            )));
        } else if repeated {
            faults.push(bad(format!("The argument {name} is given more than once.")));
        } else if value.is_empty() {
            faults.push(bad(format!("The argument {name} is empty.")));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let given = |name: &str| {
        arguments
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    };
    match verb {
        "Identify" => Ok(Request::Identify),
        "ListMetadataFormats" => Ok(Request::ListMetadataFormats {
            identifier: given("identifier").map(ToOwned::to_owned),
        }),
        "ListSets" => match given("resumptionToken") {
            Some(_) => Err(vec![bad_token()]),
            None => Ok(Request::ListSets),
        },
        "GetRecord" => {
            let identifier = given("identifier").ok_or_else(|| missing("identifier"));
            match (identifier, wanted_format(given("metadataPrefix"))) {
                (Ok(identifier), Ok(format)) => Ok(Request::GetRecord {
                    identifier: identifier.to_owned(),
                    format,
                }),
                (identifier, format) => {
                    Err(identifier.err().into_iter().chain(format.err()).collect())
                }
            }
        }
        _ => list(verb == "ListRecords", arguments.len(), given),
    }
}

fn verb(arguments: &[(String, String)]) -> Result<(&'static str, &'static [&'static str]), Fault> {
    let mut verbs = arguments
        .iter()
        .filter(|(name, _)| name == "verb")
        .map(|(_, value)| value.as_str());
    let names =
        "Identify, ListMetadataFormats, ListSets, GetRecord, ListIdentifiers or ListRecords";
    match (verbs.next(), verbs.next()) {
        (None, _) => Err(Fault::new(
            Code::BadVerb,
            format!("Say what you want: verb={names}."),
        )),
        (Some(_), Some(_)) => Err(Fault::new(
            Code::BadVerb,
            "The argument verb is given more than once.",
        )),
        (Some(verb), None) => VERBS
            .iter()
            .find(|(name, _)| *name == verb)
            .copied()
            .ok_or_else(|| {
                Fault::new(
                    Code::BadVerb,
                    format!("There is no verb {:?}; use {names}.", short(verb)),
                )
            }),
    }
}

fn list<'a>(
    payloads: bool,
    count: usize,
    given: impl Fn(&str) -> Option<&'a str>,
) -> Result<Request, Vec<Fault>> {
    if let Some(token) = given("resumptionToken") {
        if count > 2 {
            return Err(vec![bad(
                "A resumptionToken says everything: give no other argument beside it.",
            )]);
        }
        return match token::decode(token) {
            Some(list) if list.payloads == payloads => Ok(Request::List {
                list,
                resumed: true,
            }),
            _ => Err(vec![bad_token()]),
        };
    }
    let mut faults = Vec::new();
    let mut take = |outcome: Result<Option<Date>, Fault>| {
        outcome.unwrap_or_else(|fault| {
            faults.push(fault);
            None
        })
    };
    let from = take(given("from").map(|text| date("from", text)).transpose());
    let until = take(given("until").map(|text| date("until", text)).transpose());
    if let (Some(from), Some(until)) = (from, until) {
        if from.whole_day != until.whole_day {
            faults.push(bad("from and until must have the same granularity."));
        } else if from.second > until.second {
            faults.push(bad("from is later than until."));
        }
    }
    let set = given("set");
    if set.is_some_and(|spec| !is_set_spec(spec)) {
        faults.push(bad("set is not written as a setSpec is."));
    }
    match (wanted_format(given("metadataPrefix")), faults.is_empty()) {
        (Ok(format), true) => {
            let walk = Walk {
                set: set.map(ToOwned::to_owned),
                until: until.map(|date| date.second + if date.whole_day { 86_399 } else { 0 }),
                after: Place {
                    stamp: from.map_or(i64::MIN, |date| date.second),
                    seq: 0,
                },
            };
            Ok(Request::List {
                list: List {
                    payloads,
                    format,
                    walk,
                },
                resumed: false,
            })
        }
        (format, _) => {
            faults.extend(format.err());
            Err(faults)
        }
    }
}

/// A date argument: the first second it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Date {
    second: i64,
    whole_day: bool,
}

/// `YYYY-MM-DD` or `YYYY-MM-DDThh:mm:ssZ` (section 3.3) and nothing near to them.
fn date(name: &str, text: &str) -> Result<Date, Fault> {
    let shaped = |shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(c, s)| {
                if s == b'0' {
                    c.is_ascii_digit()
                } else {
                    c == s
                }
            })
    };
    let start = if shaped("0000-00-00") {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .map(|day| day.and_time(NaiveTime::MIN))
    } else if shaped("0000-00-00T00:00:00Z") {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%SZ").ok()
    } else {
        None
    };
    start
        .map(|at| Date {
            second: at.and_utc().timestamp(),
            whole_day: text.len() == 10,
        })
        .ok_or_else(|| {
            let shown = short(text);
            bad(format!(
                "{name} must be a date, YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ, not {shown:?}."
            ))
        })
}

/// The format of a prefix.
pub fn format(text: &str) -> Option<Format> {
    Format::ALL
        .into_iter()
        .find(|format| prefix(*format) == text)
}

/// The `metadataPrefix` of a format.
pub fn prefix(format: Format) -> &'static str {
    match format {
        Format::OaiDc => "oai_dc",
        Format::OaiDatacite => "oai_datacite",
    }
}

fn wanted_format(text: Option<&str>) -> Result<Format, Fault> {
    let text = text.ok_or_else(|| missing("metadataPrefix"))?;
    format(text).ok_or_else(|| {
        Fault::new(
            Code::CannotDisseminateFormat,
            format!(
                "There is no format {:?}; ListMetadataFormats names those there are.",
                short(text)
            ),
        )
    })
}

/// Section 2.6: parts of unreserved characters, divided by colons.
pub fn is_set_spec(text: &str) -> bool {
    text.len() <= 256 && text.split(':').all(is_name)
}

/// The characters of a `metadataPrefix`, or of a part of a `setSpec`: the unreserved ones of RFC 2396.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&c))
}

fn bad(message: impl Into<String>) -> Fault {
    Fault::new(Code::BadArgument, message)
}

fn missing(name: &str) -> Fault {
    bad(format!("The argument {name} is missing."))
}

fn bad_token() -> Fault {
    Fault::new(
        Code::BadResumptionToken,
        "This is no whole resumptionToken of this list. Tokens do not expire: send it exactly as it was given.",
    )
}

fn short(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ask(query: &str) -> Result<Request, Vec<Code>> {
        parse(&arguments(query.as_bytes()))
            .map_err(|faults| faults.into_iter().map(|f| f.code).collect())
    }

    fn walk(query: &str) -> Walk {
        match ask(query) {
            Ok(Request::List { list, .. }) => list.walk,
            other => panic!("{query}: {other:?}"),
        }
    }

    #[test]
    fn each_verb_is_understood() {
        assert_eq!(ask("verb=Identify"), Ok(Request::Identify));
        assert_eq!(ask("verb=ListSets"), Ok(Request::ListSets));
        assert_eq!(
            ask("verb=ListMetadataFormats"),
            Ok(Request::ListMetadataFormats { identifier: None })
        );
        assert_eq!(
            ask("metadataPrefix=oai_dc&verb=GetRecord&identifier=oai%3Ax%3A1"),
            Ok(Request::GetRecord {
                identifier: "oai:x:1".to_owned(),
                format: Format::OaiDc
            })
        );
        let list = |payloads| List {
            payloads,
            format: Format::OaiDatacite,
            walk: Walk {
                set: Some("latest".to_owned()),
                until: None,
                after: Place {
                    stamp: i64::MIN,
                    seq: 0,
                },
            },
        };
        for (verb, payloads) in [("ListRecords", true), ("ListIdentifiers", false)] {
            let asked = ask(&format!(
                "verb={verb}&metadataPrefix=oai_datacite&set=latest"
            ));
            assert_eq!(
                asked,
                Ok(Request::List {
                    list: list(payloads),
                    resumed: false
                })
            );
        }
    }

    #[test]
    fn what_the_standard_forbids_is_refused_with_its_code() {
        use Code::*;
        let dc = "verb=ListRecords&metadataPrefix=oai_dc";
        for (query, codes) in [
            ("", vec![BadVerb]),
            ("verb=", vec![BadVerb]),
            ("verb=identify", vec![BadVerb]),
            ("verb=Identify&verb=Identify", vec![BadVerb]),
            ("verb=Identify&set=latest", vec![BadArgument]),
            ("verb=Identify&x=1&y=2", vec![BadArgument, BadArgument]),
            ("verb=ListSets&resumptionToken=x", vec![BadResumptionToken]),
            ("verb=GetRecord", vec![BadArgument, BadArgument]),
            (
                "verb=GetRecord&identifier=x&metadataPrefix=marc",
                vec![CannotDisseminateFormat],
            ),
            (
                "verb=GetRecord&identifier=x&identifier=x&metadataPrefix=oai_dc",
                vec![BadArgument],
            ),
            ("verb=ListRecords", vec![BadArgument]),
            ("verb=ListRecords&metadataPrefix=", vec![BadArgument]),
            (
                "verb=ListRecords&metadataPrefix=OAI_DC",
                vec![CannotDisseminateFormat],
            ),
            (
                "verb=ListRecords&resumptionToken=x",
                vec![BadResumptionToken],
            ),
            (
                "verb=ListRecords&resumptionToken=x&metadataPrefix=oai_dc",
                vec![BadArgument],
            ),
            (&format!("{dc}&set=a b"), vec![BadArgument]),
            (&format!("{dc}&set=a:"), vec![BadArgument]),
            (&format!("{dc}&from=2026"), vec![BadArgument]),
            (&format!("{dc}&from=2026-02-30"), vec![BadArgument]),
            (&format!("{dc}&from=2026-2-3"), vec![BadArgument]),
            (&format!("{dc}&from=2026-02-03T00:00Z"), vec![BadArgument]),
            (
                &format!("{dc}&from=2026-02-03T00:00:00.0Z"),
                vec![BadArgument],
            ),
            (
                &format!("{dc}&from=2026-02-03T24:00:00Z"),
                vec![BadArgument],
            ),
            (
                &format!("{dc}&from=x&until=y"),
                vec![BadArgument, BadArgument],
            ),
            (
                &format!("{dc}&from=2026-02-03&until=2026-02-04T00:00:00Z"),
                vec![BadArgument],
            ),
            (
                &format!("{dc}&from=2026-02-04&until=2026-02-03"),
                vec![BadArgument],
            ),
        ] {
            assert_eq!(ask(query), Err(codes), "{query}");
        }
    }

    #[test]
    fn days_reach_to_their_last_second() {
        let dc = "verb=ListIdentifiers&metadataPrefix=oai_dc";
        let days = walk(&format!("{dc}&from=2026-02-03&until=2026-02-03"));
        let seconds = walk(&format!(
            "{dc}&from=2026-02-03T00:00:00Z&until=2026-02-03T23:59:59Z"
        ));
        assert_eq!(days, seconds);
        assert_eq!(days.until, Some(days.after.stamp + 86_399));
        assert_eq!(days.after.stamp, 1_770_076_800);
    }

    #[test]
    fn a_token_belongs_to_its_verb() {
        let Ok(Request::List { list, .. }) = ask("verb=ListRecords&metadataPrefix=oai_dc") else {
            panic!()
        };
        let token = token::encode(&list, Place { stamp: 7, seq: 3 });
        assert_eq!(
            walk(&format!("verb=ListRecords&resumptionToken={token}")).after,
            Place { stamp: 7, seq: 3 }
        );
        assert_eq!(
            ask(&format!("verb=ListIdentifiers&resumptionToken={token}")),
            Err(vec![Code::BadResumptionToken])
        );
    }

    proptest! {
        #[test]
        fn no_query_is_a_surprise(query in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&arguments(&query));
        }

        #[test]
        fn no_argument_is_a_surprise(
            verb in prop::sample::select(vec!["ListRecords", "GetRecord", "ListSets", "ListIdentifiers"]),
            name in prop::sample::select(vec!["from", "until", "set", "metadataPrefix", "resumptionToken", "identifier"]),
            value in "\\PC{0,40}",
        ) {
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let sent = [pair("verb", verb), pair("metadataPrefix", "oai_dc"), pair(name, &value)];
            for fault in parse(&sent).err().unwrap_or_default() {
                prop_assert!(fault.message.len() < 600);
            }
        }
    }
}
