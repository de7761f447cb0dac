//! Answers a request: one query, one string.

use std::fmt::Write;

use crate::{
    catalog::{self, Format, Item, Walk},
    ctx::Ctx,
    error::Result,
    ids::RecordId,
    oai::{
        request::{self, Code, Fault, List, Request},
        sets, token, xml,
    },
    publish,
};

/// Records a page. Larger pages are hardly faster, and a harvester that fails begins its page again.
pub const RECORDS: u64 = 100;
/// Headers a page.
pub const IDENTIFIERS: u64 = 500;
/// Seconds by which the date of an answer stands behind the clock.
///
/// Harvesters give it back as `from` next time. A change takes its stamp a moment before others can see
/// it, so a change of the last second may not be in this answer; told an earlier date, a harvester meets it.
const SETTLING: i64 = 5;
/// Bytes set aside for a header, so that the answer is not moved about while it grows.
const USUAL_HEADER: usize = 400;

/// The answer to a query string or form, whatever it holds.
pub async fn answer(ctx: &Ctx, encoded: &[u8]) -> Result<String> {
    let arguments = request::arguments(encoded);
    match request::parse(&arguments) {
        Ok(request) => {
            let asked = Asked {
                ctx,
                attributes: echo(arguments),
            };
            asked.answer(request).await
        }
        Err(faults) => {
            // The arguments are repeated unless they are what is wrong (section 3.2).
            let wrong = |f: &Fault| matches!(f.code, Code::BadVerb | Code::BadArgument);
            let attributes = if faults.iter().any(wrong) {
                Vec::new()
            } else {
                echo(arguments)
            };
            Ok(Asked { ctx, attributes }.faults(&faults))
        }
    }
}

/// The arguments as attributes of `<request>`, without those whose value its schema could not take.
fn echo(mut arguments: request::Arguments) -> request::Arguments {
    arguments.retain(|(name, value)| match name.as_str() {
        "identifier" => is_uri(value),
        "metadataPrefix" => request::is_name(value),
        _ => true,
    });
    arguments
}

/// The characters of a URI (RFC 2396), without escapes, of which none of our identifiers has any.
fn is_uri(text: &str) -> bool {
    text.bytes()
        .all(|c| c.is_ascii_alphanumeric() || b"-_.!~*'();/?:@&=+$,".contains(&c))
}

/// A request that can be answered, and what of it is repeated in the answer.
struct Asked<'a> {
    ctx: &'a Ctx,
    attributes: request::Arguments,
}

impl Asked<'_> {
    async fn answer(&self, request: Request) -> Result<String> {
        match request {
            Request::Identify => self.identify().await,
            Request::ListMetadataFormats { identifier } => self.formats(identifier).await,
            Request::ListSets => self.sets().await,
            Request::GetRecord { identifier, format } => self.record(&identifier, format).await,
            Request::List { list, resumed } => self.list(list, resumed).await,
        }
    }

    fn date(&self) -> i64 {
        self.ctx.now().timestamp() - SETTLING
    }

    fn base_url(&self) -> String {
        format!("{}/oai2d", self.ctx.env.config.base_url)
    }

    fn head(&self, capacity: usize) -> String {
        xml::head(capacity, self.date(), &self.base_url(), &self.attributes)
    }

    fn faults(&self, faults: &[Fault]) -> String {
        let mut out = self.head(0);
        for fault in faults {
            xml::fault(&mut out, fault);
        }
        xml::foot(&mut out);
        out
    }

    /// What stands before an id to make it an OAI identifier.
    fn identifiers(&self) -> String {
        publish::oai_identifier(self.ctx, "")
    }

    async fn identify(&self) -> Result<String> {
        let config = &self.ctx.env.config;
        let earliest = catalog::harvest_earliest(self.ctx)
            .await?
            .unwrap_or_else(|| self.date());
        let mut out = self.head(1_024);
        out.push_str("<Identify>\n");
        for (name, text) in [
            ("repositoryName", config.repository_name.as_str()),
            ("baseURL", &self.base_url()),
            ("protocolVersion", "2.0"),
            ("adminEmail", &address(&config.admin_email)),
            ("earliestDatestamp", &xml::second(earliest)),
            ("deletedRecord", "persistent"),
            ("granularity", "YYYY-MM-DDThh:mm:ssZ"),
            ("compression", "gzip"),
            ("compression", "br"),
        ] {
            xml::element(&mut out, name, text);
            out.push('\n');
        }
        let namespace = publish::oai_namespace(self.ctx);
        if is_domain(&namespace) {
            let _ = writeln!(
                out,
                "<description><oai-identifier xmlns=\"http://www.openarchives.org/OAI/2.0/oai-identifier\" \
                 xsi:schemaLocation=\"http://www.openarchives.org/OAI/2.0/oai-identifier \
                 http://www.openarchives.org/OAI/2.0/oai-identifier.xsd\"><scheme>oai</scheme>\
                 <repositoryIdentifier>{namespace}</repositoryIdentifier><delimiter>:</delimiter>\
                 <sampleIdentifier>oai:{namespace}:k3f9a-2bq71</sampleIdentifier></oai-identifier></description>"
            );
        }
        out.push_str("</Identify>");
        xml::foot(&mut out);
        Ok(out)
    }

    async fn formats(&self, identifier: Option<String>) -> Result<String> {
        if let Some(identifier) = identifier
            && self.find(&identifier, None).await?.is_none()
        {
            return Ok(self.faults(&[unknown()]));
        }
        let mut out = self.head(1_024);
        out.push_str("<ListMetadataFormats>\n");
        for format in Format::ALL {
            let (schema, namespace) = described(format);
            out.push_str("<metadataFormat>");
            xml::element(&mut out, "metadataPrefix", request::prefix(format));
            xml::element(&mut out, "schema", schema);
            xml::element(&mut out, "metadataNamespace", namespace);
            out.push_str("</metadataFormat>\n");
        }
        out.push_str("</ListMetadataFormats>");
        xml::foot(&mut out);
        Ok(out)
    }

    async fn sets(&self) -> Result<String> {
        let sets = sets::with_standing(catalog::harvest_sets(self.ctx).await?);
        let mut out = self.head(sets.len() * 160);
        out.push_str("<ListSets>\n");
        for spec in sets {
            out.push_str("<set>");
            xml::element(&mut out, "setSpec", &spec);
            xml::element(&mut out, "setName", &sets::name(&spec));
            out.push_str("</set>\n");
        }
        out.push_str("</ListSets>");
        xml::foot(&mut out);
        Ok(out)
    }

    async fn record(&self, identifier: &str, format: Format) -> Result<String> {
        let Some(item) = self.find(identifier, Some(format)).await? else {
            return Ok(self.faults(&[unknown()]));
        };
        let mut out = self.head(item.payload.len() + 1_024);
        out.push_str("<GetRecord>\n");
        xml::record(&mut out, &self.identifiers(), &item);
        out.push_str("</GetRecord>");
        xml::foot(&mut out);
        Ok(out)
    }

    async fn find(&self, identifier: &str, format: Option<Format>) -> Result<Option<Item>> {
        let id: Option<RecordId> = identifier
            .strip_prefix(&self.identifiers())
            .and_then(|id| id.parse().ok());
        match id {
            Some(id) => catalog::harvest_item(self.ctx, &id, format).await,
            None => Ok(None),
        }
    }

    async fn list(&self, list: List, resumed: bool) -> Result<String> {
        let (verb, most) = if list.payloads {
            ("ListRecords", RECORDS)
        } else {
            ("ListIdentifiers", IDENTIFIERS)
        };
        let format = list.payloads.then_some(list.format);
        let (items, more) = catalog::harvest_page(self.ctx, &list.walk, format, most).await?;
        let Some(last) = items.last() else {
            return Ok(self.faults(&[nothing(&list.walk, resumed)]));
        };
        let identifiers = self.identifiers();
        let size = items.iter().map(|item| item.payload.len()).sum::<usize>();
        let mut out = self.head(size + items.len() * USUAL_HEADER);
        let _ = writeln!(out, "<{verb}>");
        for item in &items {
            if list.payloads {
                xml::record(&mut out, &identifiers, item);
            } else {
                xml::header(&mut out, &identifiers, item);
                out.push('\n');
            }
        }
        if more {
            xml::element(
                &mut out,
                "resumptionToken",
                &token::encode(&list, last.place),
            );
        } else if resumed {
            // An empty one says that this was the last of several pages (section 3.5).
            out.push_str("<resumptionToken/>");
        }
        let _ = write!(out, "\n</{verb}>");
        xml::foot(&mut out);
        Ok(out)
    }
}

fn unknown() -> Fault {
    Fault::new(
        Code::IdDoesNotExist,
        "There is no item with this identifier.",
    )
}

fn nothing(walk: &Walk, resumed: bool) -> Fault {
    let message = if resumed {
        // Only with `until`: what was left has changed since then, and will be met by the next harvest.
        "The list has come to its end: what was left of it has changed since."
    } else if walk.set.is_some() {
        "No record of this set was changed between these dates; ListSets names the sets there are."
    } else {
        "No record was changed between these dates."
    };
    Fault::new(Code::NoRecordsMatch, message)
}

/// Where a format is described: its schema and its namespace.
fn described(format: Format) -> (&'static str, &'static str) {
    match format {
        Format::OaiDc => (
            "http://www.openarchives.org/OAI/2.0/oai_dc.xsd",
            "http://www.openarchives.org/OAI/2.0/oai_dc/",
        ),
        Format::OaiDatacite => (
            "http://schema.datacite.org/oai/oai-1.1/oai.xsd",
            "http://schema.datacite.org/oai/oai-1.1/",
        ),
    }
}

/// A mail address as the schema wants it, with a dot behind the `@`. The default has none, because nobody
/// was named; `.invalid` says so (RFC 2606).
fn address(email: &str) -> String {
    match email.split_once('@') {
        Some((_, host)) if host.contains('.') => email.to_owned(),
        Some(_) => format!("{email}.invalid"),
        None => "nobody@localhost.invalid".to_owned(),
    }
}

/// Can this host name a repository? The schema of `oai-identifier` takes domain names only.
fn is_domain(host: &str) -> bool {
    let named = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    host.contains('.') && host.split('.').all(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_domain_names_name_a_repository() {
        for (host, is) in [
            ("data.example.vn", true),
            ("localhost", false),
            ("127.0.0.1", false),
            ("a..b", false),
            ("[::1]", false),
        ] {
            assert_eq!(is_domain(host), is, "{host}");
        }
    }

    #[test]
    fn an_address_has_a_dot_behind_the_at() {
        assert_eq!(address("a@data.example.vn"), "a@data.example.vn");
        assert_eq!(address("admin@localhost"), "admin@localhost.invalid");
        assert_eq!(address(""), "nobody@localhost.invalid");
    }

    #[test]
    fn what_the_schema_could_not_take_is_not_repeated() {
        let sent = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let kept = echo(vec![
            sent("verb", "GetRecord"),
            sent("identifier", "oai:x:\u{1}<"),
            sent("metadataPrefix", "no such"),
        ]);
        assert_eq!(kept, vec![sent("verb", "GetRecord")]);
    }
}
