#!/usr/bin/env python3
"""OAI-PMH harvested by Sickle, and every answer held against the schemas with lxml.

The schemas are not ours to pass on: they are read from $KHO_SHARED/fixtures/standards (default ../shared) when that
is there, and the validation is left out, saying so, when it is not.
"""

import os
import pathlib
import urllib.parse

from kho import a_server, hold, metadata, say, skip, until

try:
    from lxml import etree
    from sickle import Sickle, oaiexceptions
except ImportError as missing:
    skip(f"{missing} (tests/outside/requirements.txt)")

ROOT = pathlib.Path(__file__).parents[2]
STANDARDS = pathlib.Path(os.environ.get("KHO_SHARED", ROOT.parent / "shared")) / "fixtures" / "standards"
OAI = "{http://www.openarchives.org/OAI/2.0/}"
PAYLOADS = {
    "{http://www.openarchives.org/OAI/2.0/oai_dc/}dc": "oai-pmh/oai_dc.xsd",
    "{http://schema.datacite.org/oai/oai-1.1/}oai_datacite": "datacite/oai-1.1/oai.xsd",
    "{http://datacite.org/schema/kernel-4}resource": "datacite/xsd/kernel-4/metadata.xsd",
}
RECORDS = 230


class Schemas:
    def __init__(self):
        self.envelope = self._read("oai-pmh/OAI-PMH.xsd")
        self.payloads = {tag: self._read(path) for tag, path in PAYLOADS.items()}
        self.checked = 0

    @staticmethod
    def _read(path):
        return etree.XMLSchema(etree.parse(str(STANDARDS / path)))

    def check(self, body, asked):
        tree = etree.fromstring(body)
        self._hold(self.envelope, tree, asked)
        for element in tree.iter(*self.payloads):
            self._hold(self.payloads[element.tag], element, asked)

    def _hold(self, schema, element, asked):
        # A copy of its own: validating in place would see the namespaces of the envelope.
        alone = etree.fromstring(etree.tostring(element))
        hold(schema.validate(alone), f"{asked}: {schema.error_log.last_error}\n{etree.tostring(alone)[:1500].decode()}")
        self.checked += 1


def fill(kho):
    """More records than a page holds, and one with all that a record can say."""
    rich = metadata(
        "Độ mặn <trên> sông & biển",
        additional_titles=[{"title": "Salinity at the river mouth", "type": {"id": "translated-title"}, "lang": {"id": "eng"}}],
        description="<p>Đo mỗi giờ tại 12 trạm.</p>",
        additional_descriptions=[{"description": "Hourly, 12 stations.", "type": {"id": "methods"}, "lang": {"id": "eng"}}],
        contributors=[{"person_or_org": {"type": "organizational", "name": "Viện Hải dương học"}, "role": {"id": "hostinginstitution"}}],
        subjects=[{"subject": "độ mặn"}, {"subject": "salinity"}],
        dates=[{"date": "2025-01/2025-12", "type": {"id": "collected"}}],
        related_identifiers=[
            {"identifier": "10.1371/journal.pone.0090081", "scheme": "doi", "relation_type": {"id": "issupplementto"}},
        ],
        version="1.0",
        sizes=["12 stations"],
        formats=["text/csv"],
        locations={"features": [{"geometry": {"type": "Point", "coordinates": [106.7, 10.8]}, "place": "Cần Giờ"}]},
        funding=[{"funder": {"name": "NAFOSTED"}, "award": {"title": {"en": "Delta"}, "number": "105.06-2025.01"}}],
    )
    first = kho.create(rich)["id"]
    kho.upload(first, "a.csv", b"t,v\n1,2\n")
    kho.publish(first)
    for n in range(1, RECORDS):
        record = kho.create(metadata(f"Bộ dữ liệu số {n}"), files={"enabled": False})["id"]
        kho.publish(record)
    return first


def raw(kho, **arguments):
    return kho.call("GET", "/oai2d?" + urllib.parse.urlencode(arguments), token=None)


def errors(kho):
    """Each wrong question has its code, and HTTP 200."""
    for code, arguments in (
        ("badVerb", {}),
        ("badVerb", {"verb": "Nonsense"}),
        ("badArgument", {"verb": "ListRecords"}),
        ("badArgument", {"verb": "Identify", "extra": "1"}),
        ("badArgument", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "yesterday"}),
        ("badArgument", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "2026-01-02", "until": "2026-01-01"}),
        ("badArgument", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "2026-01-02", "until": "2026-01-03T00:00:00Z"}),
        ("badResumptionToken", {"verb": "ListRecords", "resumptionToken": "not-one-of-ours"}),
        ("cannotDisseminateFormat", {"verb": "ListRecords", "metadataPrefix": "nope"}),
        ("idDoesNotExist", {"verb": "GetRecord", "metadataPrefix": "oai_dc", "identifier": "oai:kho:nothing-here"}),
        ("noRecordsMatch", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "until": "1999-01-01"}),
    ):
        answer = raw(kho, **arguments)
        hold(answer.status == 200, f"{arguments}: HTTP {answer.status}")
        seen = [e.get("code") for e in etree.fromstring(answer.body).iter(OAI + "error")]
        hold(seen == [code], f"{arguments}: {seen} instead of {code}")
        yield answer, arguments


def harvest(kho, first):
    oai = Sickle(kho.url + "/oai2d", timeout=60)
    me = oai.Identify()
    hold(me.granularity == "YYYY-MM-DDThh:mm:ssZ" and me.deletedRecord == "persistent", f"{me.granularity}, {me.deletedRecord}")
    formats = {f.metadataPrefix for f in oai.ListMetadataFormats()}
    hold({"oai_dc", "oai_datacite"} <= formats, f"formats: {formats}")
    # A repository without sets may say so.
    try:
        say(f"{len(list(oai.ListSets()))} sets")
    except oaiexceptions.NoSetHierarchy:
        say("no sets")

    def all_of(prefix):
        return [r.header.identifier for r in oai.ListRecords(metadataPrefix=prefix)]

    hold(until(lambda: len(all_of("oai_dc")) >= RECORDS), f"{len(all_of('oai_dc'))} records instead of {RECORDS}")
    everything = all_of("oai_dc")
    hold(len(everything) == len(set(everything)), "a full harvest gives records twice")
    for prefix in sorted(formats):
        hold(set(all_of(prefix)) == set(everything), f"{prefix} gives other records than oai_dc")
    headers = list(oai.ListIdentifiers(metadataPrefix="oai_dc"))
    hold([h.identifier for h in headers] == everything, "ListIdentifiers and ListRecords differ")
    stamps = [h.datestamp for h in headers]
    hold(all(s.endswith("Z") and len(s) == 20 for s in stamps), f"datestamps: {stamps[:2]}")

    middle = sorted(stamps)[len(stamps) // 2]
    late = {h.identifier for h in oai.ListIdentifiers(**{"metadataPrefix": "oai_dc", "from": middle})}
    early = {h.identifier for h in oai.ListIdentifiers(metadataPrefix="oai_dc", until=middle)}
    at = {h.identifier for h in headers if h.datestamp == middle}
    hold(late | early == set(everything) and late & early == at, "from and until are not inclusive to the second")

    one = next(i for i in everything if i.endswith(first))
    for prefix in sorted(formats):
        record = oai.GetRecord(identifier=one, metadataPrefix=prefix)
        hold("Độ mặn <trên> sông & biển" in "".join(etree.fromstring(record.raw.encode()).itertext()), f"{prefix} garbles the title")
    dublin = oai.GetRecord(identifier=one, metadataPrefix="oai_dc").metadata
    hold(any("10.5072/" in i for i in dublin["identifier"]), f"oai_dc has no DOI among {dublin['identifier']}")
    say(f"Sickle harvested {len(everything)} records in {len(formats)} formats, by date too")
    return one, formats


def tokens(kho):
    """A token is good for ever and for as often as one likes; POST is the same as GET."""
    first = raw(kho, verb="ListRecords", metadataPrefix="oai_dc")
    token = etree.fromstring(first.body).findtext(f".//{OAI}resumptionToken")
    hold(token, f"{RECORDS} records came without a resumption token")
    pages = [raw(kho, verb="ListRecords", resumptionToken=token) for _ in range(2)]
    ids = [[h.text for h in etree.fromstring(p.body).iter(OAI + "identifier")] for p in pages]
    hold(ids[0] == ids[1] and ids[0], "the same token gives another page")
    form = urllib.parse.urlencode({"verb": "ListRecords", "resumptionToken": token}).encode()
    posted = kho.call("POST", "/oai2d", form, token=None, content_type="application/x-www-form-urlencoded")
    hold([h.text for h in etree.fromstring(posted.body).iter(OAI + "identifier")] == ids[0], f"POST differs ({posted.status})")
    for bad in (token[:-3], token + "x", token[::-1]):
        codes = [e.get("code") for e in etree.fromstring(raw(kho, verb="ListRecords", resumptionToken=bad).body).iter(OAI + "error")]
        hold(codes in (["badResumptionToken"], ["noRecordsMatch"]), f"a damaged token gives {codes}")


with a_server() as kho:
    first = fill(kho)
    one, formats = harvest(kho, first)
    tokens(kho)
    wrong = list(errors(kho))
    say(f"{len(wrong)} wrong questions answered with their codes")
    if (STANDARDS / "oai-pmh" / "OAI-PMH.xsd").exists():
        schemas = Schemas()
        for answer, asked in wrong:
            schemas.check(answer.body, asked)
        for asked in (
            {"verb": "Identify"},
            {"verb": "ListSets"},
            {"verb": "ListMetadataFormats"},
            {"verb": "ListMetadataFormats", "identifier": one},
            {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc"},
            *({"verb": "ListRecords", "metadataPrefix": f} for f in sorted(formats)),
            *({"verb": "GetRecord", "metadataPrefix": f, "identifier": one} for f in sorted(formats)),
        ):
            answer = raw(kho, **asked)
            hold(answer.status == 200 and answer.headers["Content-Type"].startswith("text/xml"), f"{asked}: {answer.status}")
            schemas.check(answer.body, asked)
        say(f"{schemas.checked} documents are valid against their schemas")
    else:
        say(f"no schemas at {STANDARDS} (KHO_SHARED names the folder): the validation was left out")
