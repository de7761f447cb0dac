-- Files that Kho brings into a draft itself: fetched from a URL, unpacked from an archive that was uploaded.
create table intake (
    draft_id text not null,
    key      text not null,                    -- the file to come; the archive to unpack
    kind     text not null,                    -- fetch, unpack
    url      text,                             -- of a fetch; it may hold a secret and is never shown
    state    text not null,                    -- waiting, running, done, failed
    received bigint not null,                  -- bytes so far
    total    bigint,                           -- bytes to come, where known
    problem  text,                             -- JSON: code and values of what went wrong
    created  bigint not null,
    updated  bigint not null,
    primary key (draft_id, key),
    foreign key (draft_id, key) references draft_file (draft_id, key) on delete cascade
);
