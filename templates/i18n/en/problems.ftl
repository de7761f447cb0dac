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
