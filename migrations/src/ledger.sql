-- The ledger: what was published and withdrawn, as an append-only tree ---------------------------------

create table ledger_leaf (
    idx        bigint primary key,             -- its place in the log: from 0, without gaps
    record_id  text not null,
    concept_id text not null,
    event      text not null,                  -- publish, revise, withdraw, restore
    revision   bigint not null,
    entry      text not null,                  -- canonical JSON
    salt       text,                           -- base64; seals the leaf of what is not public
    at         bigint not null
);
create index ledger_leaf_record on ledger_leaf (record_id, idx);
create index ledger_leaf_concept on ledger_leaf (concept_id, idx);

create table ledger_tile (
    level  bigint not null,
    n      bigint not null,
    hashes text not null,                      -- base64 of 1 to 256 hashes; only ever grows
    primary key (level, n)
);

create table ledger_checkpoint (
    size bigint primary key,                   -- leaves
    root text not null,                        -- hexadecimal
    note text not null,                        -- signed by the log
    at   bigint not null
);

create table ledger_cosignature (
    size    bigint not null references ledger_checkpoint (size),
    witness text not null,                     -- its verifier key
    stamp   bigint not null,                   -- seconds since 1970, as the witness says
    line    text not null,                     -- the signature line
    primary key (size, witness)
);
create index ledger_cosignature_witness on ledger_cosignature (witness, size);

create table ledger_state (
    id     bigint primary key,                 -- 1
    origin text,                               -- the log's name, once it has signed
    vkey   text,                               -- the key it signs with
    filled boolean not null                    -- versions older than the ledger have their entries
);
