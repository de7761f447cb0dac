# Formats a record can be had in, and the words of a citation.
format-bibtex = BibTeX
format-ris = RIS (EndNote, Zotero)
format-csl = CSL JSON
format-datacite-json = DataCite JSON
format-datacite-xml = DataCite XML
format-dublincore = Dublin Core
format-json-ld = schema.org JSON-LD
citation-in-version = Version { $version }
