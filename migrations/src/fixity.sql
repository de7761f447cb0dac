-- What was checked when, and what was found.

create table fixity_run (
    id            {auto},
    kind          text not null,               -- all, least_recent, share
    day           text unique,                 -- of a share; null for what somebody started
    state         text not null,               -- running, done
    quota         bigint not null,             -- objects to check; 0: all
    started       bigint not null,
    finished      bigint,
    leased_until  bigint not null,             -- then somebody else may go on
    objects       bigint not null,
    files         bigint not null,
    bytes         bigint not null,
    findings      bigint not null
);

-- The newest check of each object. What the archive has and no concept does is named by its folder.
create table fixity_object (
    object   text primary key,                 -- the concept's id, or a folder of the archive
    checked  bigint not null,
    good     bigint,                           -- last time nothing was found
    millis   bigint not null,                  -- how long it took
    files    bigint not null,
    bytes    bigint not null,
    findings bigint not null
);
create index fixity_object_checked on fixity_object (checked);

-- Every check of each object.
create table fixity_check (
    id       {auto},
    run_id   bigint not null,
    object   text not null,
    at       bigint not null,
    millis   bigint not null,
    files    bigint not null,
    bytes    bigint not null,
    outcome  text not null                     -- good, bad
);
create index fixity_check_object on fixity_check (object, at);
create index fixity_check_at on fixity_check (at);

-- What was found; kept after it was mended.
create table fixity_finding (
    id         {auto},
    object     text not null,
    record_id  text not null,                  -- the version or draft it is about; empty: none
    path       text not null,
    code       text not null,
    detail     text not null,
    first_seen bigint not null,
    last_seen  bigint not null,
    gone       bigint                          -- when a check did not find it any more; null: open
);
create index fixity_finding_object on fixity_finding (object);
create index fixity_finding_gone on fixity_finding (gone);
