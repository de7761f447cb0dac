-- How much may be stored: what an administrator allowed in place of the defaults of the settings.
create table quota (
    scope   text not null,                     -- record (a concept), account, community
    subject text not null,                     -- concept id, account id, slug
    bytes   bigint not null,
    reason  text not null,
    set_by  bigint not null,                   -- account
    at      bigint not null,
    primary key (scope, subject)
);

-- Bytes that this version brought and no earlier one had; null: published before they were counted.
alter table record add column own_bytes bigint;
