# Downloading everything: manifests and links to them; folders of files.
manifest-embargoed = The files of this record are withheld: they are under embargo until { $date }.
manifest-restricted = The files of this record are withheld: they are open only to people who were given access.
files-top = All files
files-way = Way to this folder
download-everything = Download everything as a zip ({ $size })
use-everything = Everything (zip)
use-everything-help = Downloads all files as one zip (and resumes when interrupted), unpacks it into one folder, then checks every file against its SHA-256.
use-aria2-help = Downloads all files, several at a time, resumes what was interrupted, and checks every file against its SHA-256.
problem-listing-parameter = The parameter “{ $name }” cannot be read: page and size are numbers from 1, prefix is text in UTF-8.
