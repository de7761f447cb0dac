# Sentences of problems: `problem-<code>`.
problem-record-id = This is not a record id.

# Names with a grammar.
problem-doi = This is not a DOI. A DOI looks like 10.5072/abc-123.
problem-orcid = This is not an ORCID iD. An ORCID iD looks like 0000-0002-1825-0097.
problem-orcid-check-digit = The last character of this ORCID iD does not fit the others: one of them is mistyped.
problem-ror = This is not a ROR id. A ROR id looks like 02h40vc28.
problem-ror-check-digit = The last two digits of this ROR id do not fit the rest: one character is mistyped.
problem-file-key-empty = The file has no name.
problem-file-key-too-long = The file name is too long. Shorten it, or use fewer folders.
problem-file-key-path = A file name is a path below the dataset: it may not start with "/", and no part of it may be empty, "." or "..".
problem-file-key-character = The file name contains a character that cannot be seen or stored, such as a control character. Rename the file.
problem-sha256 = This is not a SHA-256 checksum: it must be 64 hexadecimal digits.
problem-md5 = This is not an MD5 checksum: it must be 32 hexadecimal digits.

# Bytes of uploads.
problem-upload-length = { $received } bytes arrived where { $expected } were announced. Nothing was kept: please upload the file again.
problem-content-path = This is not the path of a file in the archive.

# Metadata and the checklist
problem-metadata-too-large = The metadata is larger than { $limit } bytes.
problem-too-long = This text is too long; the limit is { $limit }.
problem-too-many = There are too many entries here; the limit is { $limit }.
problem-too-deep = This is nested too deeply; the limit is { $limit } levels.
problem-not-an-object = An object is expected here.
problem-not-a-list = A list is expected here.
problem-not-text = Text is expected here.
problem-not-a-boolean = true or false is expected here.
problem-unknown-field = There is no field “{ $value }”; it was ignored.
problem-missing-id = The id is missing.
problem-agent-type = “{ $value }” is neither “personal” nor “organizational”.
problem-affiliation-empty = An affiliation needs a ROR id or a name.
problem-rights-empty = A licence needs an id, or a title of its own.
problem-rights-both = Give either the id of a licence or a title and link of your own, not both.
problem-subject-empty = A subject needs an id or a keyword.
problem-date-missing = The date is missing.
problem-date = “{ $value }” is not a date. Write 2026, 2026-02, 2026-02-14 or a span such as 2018/2020-09.
problem-date-order = The span “{ $value }” ends before it begins.
problem-day = “{ $value }” is not a day. Write it as 2026-02-14.
problem-visibility = “{ $value }” is neither “public” nor “restricted”; restricted was assumed.
problem-identifier = “{ $value }” is not a valid identifier of its scheme.
problem-identifier-empty = The identifier is missing.
problem-scheme-missing = The scheme of “{ $value }” cannot be told; please choose it.
problem-reference-empty = A reference needs its text.
problem-funder-empty = The funder needs a ROR id or a name.
problem-award-empty = An award needs a number, a title or an id.
problem-custom-field-key = “{ $value }” is not the name of a custom field. It looks like journal:title.
problem-geometry = This is not a GeoJSON geometry.
problem-geometry-range = Coordinates are longitude (−180 to 180), then latitude (−90 to 90).
problem-geometry-ring = A polygon must end where it begins.
problem-geometry-too-large = This shape has too many points; please put it into a file.
problem-isbn = “{ $value }” is not an ISBN, or a digit is mistyped.
problem-issn = “{ $value }” is not an ISSN, or a digit is mistyped.
problem-isni = “{ $value }” is not an ISNI, or a digit is mistyped.
problem-arxiv = “{ $value }” is not an arXiv id. It looks like arXiv:2101.00001.
problem-handle = “{ $value }” is not a handle. It looks like 2381/12345.
problem-url = “{ $value }” is not a web address. It begins with https:// or http://.
problem-urn = “{ $value }” is not a URN. It begins with urn:.
problem-unknown-resource-type = There is no resource type “{ $value }”.
problem-unknown-licence = There is no licence with the SPDX id “{ $value }”.
problem-unknown-language = There is no language with the ISO 639-3 code “{ $value }”.
problem-unknown-role = There is no role “{ $value }”.
problem-unknown-date-type = There is no type of date “{ $value }”.
problem-unknown-title-type = There is no type of title “{ $value }”.
problem-unknown-description-type = There is no type of description “{ $value }”.
problem-unknown-relation-type = There is no relation “{ $value }”.
problem-unknown-removal-reason = There is no reason for withdrawal “{ $value }”.
problem-unknown-community-type = There is no type of community “{ $value }”.
problem-unknown-subject = There is no subject with the id “{ $value }”. A keyword of your own goes into “subject”.
problem-unknown-affiliation = The organisation “{ $value }” is not known.
problem-unknown-funder = The funder “{ $value }” is not known.
problem-unknown-scheme = “{ $value }” is not a scheme of identifiers that fits here.
problem-required = Missing data for required field.
problem-title-too-short = The title needs at least 3 characters.
problem-resource-type-not-depositable = A record cannot be of this type; other records may only refer to it.
problem-scheme-twice = There are two identifiers of the scheme “{ $value }”; keep one.
problem-files-missing = Missing uploaded files. To publish without files, mark the record as metadata-only.
problem-files-pending = { $count ->
    [one] One upload is not finished. Finish it or delete the file.
   *[other] { $count } uploads are not finished. Finish them or delete the files.
 }
problem-files-not-expected = The record is marked as metadata-only but has { $count ->
    [one] one file
   *[other] { $count } files
 }. Please remove all files first.
problem-embargo-inactive = There is an end of an embargo, but the embargo is not active.
problem-embargo-without-end = An embargo needs the day on which it ends.
problem-embargo-past = The embargo must end on a day to come.
problem-embargo-of-nothing = An embargo needs something to hold back: restrict the files or the record.
problem-recommended-description = A description makes the record understandable and findable.
problem-recommended-translation = A title in the second language lets more people find the record.
problem-recommended-licence = Without a licence nobody knows what they may do with the data.
problem-recommended-licence-link = A licence in your own words should link to its full text.
problem-recommended-keywords = Keywords or subjects make the record findable.
problem-recommended-orcid = An ORCID iD of each author makes sure the right person is credited.
problem-recommended-language = The language of the record lets it be shown and searched rightly.

# The archive.
problem-archive-head = The archive holds another version of this record than expected. Somebody may have just published it: please look at the record and try again.
problem-file-key-twice = Two files have the same name.
problem-file-key-folder = The same name is used for a file and for a folder: { $path }
problem-ocfl-version = This is not a version of an OCFL object, such as v1.
problem-ocfl-path = This is not a path of an OCFL object.
problem-database-not-empty = The database is not empty. Only an empty one can be filled.
