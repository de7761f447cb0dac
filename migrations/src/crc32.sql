-- What a zip names a file by beside its size; null where the bytes came before this was kept.
alter table draft_file add column crc32 bigint;
alter table record_file add column crc32 bigint;
