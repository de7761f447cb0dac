-- Uploads that go on over several requests or come in parts; their bytes are in the staging area.

create table upload (
    id           text primary key,             -- random, in the URL of tus
    draft_id     text not null references draft (id) on delete cascade,
    key          text,                         -- of the file; none for a part of a tus concatenation
    account_id   bigint,                       -- who began it
    kind         text not null,                -- tus, partial, final, parts, put
    status       text not null,                -- open, done
    name         text,                         -- in the staging area, as long as the bytes are this upload's
    size         bigint,                       -- declared, in bytes; none while tus defers it
    arrived      bigint not null,              -- durable bytes of one that comes in order
    state        text,                         -- what the store needs to go on
    part_size    bigint,
    handle       text,                         -- the store's, of an upload in parts
    checksum     text,                         -- of the whole, as declared: md5:… or sha256:…
    metadata     text,                         -- Upload-Metadata as it was sent
    sources      text,                         -- Upload-Concat as it was sent
    lease        text,                         -- who writes now
    leased_until bigint not null,
    expires      bigint not null,
    created      bigint not null,
    updated      bigint not null
);
create unique index upload_file on upload (draft_id, key);
create index upload_expires on upload (expires);

create table upload_part (
    upload_id text not null references upload (id) on delete cascade,
    number    bigint not null,                 -- from 1
    size      bigint not null,
    sha256    text not null,
    md5       text not null,
    tag       text not null,                   -- what the store wants to hear when the parts are joined
    created   bigint not null,
    primary key (upload_id, number)
);
