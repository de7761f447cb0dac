# Downloading everything: manifests and links to them; folders of files.
manifest-embargoed = The files of this record are withheld: they are under embargo until { $date }.
manifest-restricted = The files of this record are withheld: they are open only to people who were given access.
