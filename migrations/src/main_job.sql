-- People -----------------------------------------------------------------------------------------

create table account (
    id          {auto},
    email       text not null unique,          -- lower case
    name        text not null,
    password    text,                          -- argon2id, PHC string; null: cannot sign in with one
    role        text not null,                 -- depositor, curator, admin
    locale      text not null,
    disabled    boolean not null,
    created     bigint not null                -- all times: microseconds since 1970, UTC
);

create table session (
    id          text primary key,              -- SHA-256 of the cookie's secret
    account_id  bigint not null references account (id) on delete cascade,
    csrf        text not null,
    created     bigint not null,
    expires     bigint not null
);
create index session_account on session (account_id);
create index session_expires on session (expires);

create table token (
    id          {auto},
    account_id  bigint not null references account (id) on delete cascade,
    name        text not null,
    hash        text not null unique,          -- SHA-256 of the token
    scopes      text not null,                 -- space-separated; empty: all the account may do
    created     bigint not null,
    expires     bigint,
    last_used   bigint
);
create index token_account on token (account_id);

create table setup_link (
    hash        text primary key,
    created     bigint not null
);

-- Deposits ---------------------------------------------------------------------------------------

create table parent (
    id            text primary key,
    owner_id      bigint not null references account (id),
    doi           text,
    communities   text not null,               -- space-separated slugs
    versions      bigint not null,             -- how many were ever published
    latest        text,                        -- record id of the newest published version
    archive_head  bigint not null,             -- newest OCFL version that is listed here
    created       bigint not null,
    updated       bigint not null
);
create index parent_owner on parent (owner_id);
create index parent_doi on parent (doi);

create table draft (
    id              text primary key,
    parent_id       text not null references parent (id),
    published       boolean not null,          -- an edit of a published version
    version_index   bigint not null,
    metadata        text not null,             -- JSON as it was sent
    access          text not null,
    custom_fields   text not null,
    doi             text,
    doi_provider    text,                      -- ours or external
    files_enabled   boolean not null,
    default_preview text,
    revision        bigint not null,
    created         bigint not null,
    updated         bigint not null
);
create index draft_parent on draft (parent_id);

create table draft_file (
    draft_id  text not null references draft (id) on delete cascade,
    key       text not null,
    status    text not null,                   -- pending, completed
    size      bigint,
    sha256    text,
    md5       text,
    mimetype  text not null,
    staged    text,                            -- name in the staging area, once received
    content   text,                            -- path in the archive, when taken over from a version
    metadata  text not null,
    created   bigint not null,
    updated   bigint not null,
    primary key (draft_id, key)
);
create index draft_file_staged on draft_file (staged);

-- Published --------------------------------------------------------------------------------------

create table record (
    id              text primary key,
    parent_id       text not null references parent (id),
    version_index   bigint not null,
    metadata        text not null,
    access          text not null,
    custom_fields   text not null,
    doi             text,
    doi_provider    text,
    doi_state       text not null,             -- reserved, registered, external, none
    files_enabled   boolean not null,
    file_count      bigint not null,
    total_bytes     bigint not null,
    default_preview text,
    title           text not null,
    revision        bigint not null,
    archive_version bigint not null,
    is_latest       boolean not null,
    withdrawn       text,                      -- the tombstone, JSON
    created         bigint not null,
    updated         bigint not null,
    published       bigint not null
);
create unique index record_version on record (parent_id, version_index);
create index record_published on record (published, id);
create index record_doi on record (doi);

create table record_file (
    record_id text not null references record (id),
    key       text not null,
    size      bigint not null,
    sha256    text not null,
    md5       text not null,
    mimetype  text not null,
    content   text not null,                   -- path in the archive
    metadata  text not null,
    primary key (record_id, key)
);

create table record_revision (
    record_id       text not null references record (id),
    revision        bigint not null,
    archive_version bigint not null,
    metadata        text not null,
    access          text not null,
    account_id      bigint not null,
    at              bigint not null,
    primary key (record_id, revision)
);

-- Harvesting: one row an item, kept for ever, written with the record --------------------------------

create table harvest_item (
    id            text primary key,
    stamp         bigint not null,             -- whole seconds, never going backwards
    seq           bigint not null,             -- number of the change: one more than the one before
    deleted       boolean not null,
    sets          text not null,               -- space-separated
    oai_dc        text not null,
    oai_datacite  text not null
);
create unique index harvest_item_place on harvest_item (stamp, seq);

create table harvest_set (
    spec    text not null,
    stamp   bigint not null,
    seq     bigint not null,
    item_id text not null references harvest_item (id),
    primary key (spec, stamp, seq)
);
create index harvest_set_item on harvest_set (item_id);

-- Work -------------------------------------------------------------------------------------------

create table change (
    seq       {auto},
    record_id text not null,
    at        bigint not null
);

create table job (
    id           {auto},
    kind         text not null,
    payload      text not null,
    state        text not null,                -- queued, running, done, failed
    attempts     bigint not null,
    run_at       bigint not null,
    leased_until bigint not null,
    last_error   text,
    created      bigint not null,
    updated      bigint not null
);
create index job_due on job (state, run_at);

create table idempotency (
    account_id  bigint not null,
    key         text not null,
    fingerprint text not null,                 -- SHA-256 of what was asked
    record_id   text not null,                 -- what it made
    created     bigint not null,
    primary key (account_id, key)
);
