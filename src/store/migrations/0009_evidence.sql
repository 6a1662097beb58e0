-- Raw answers behind verdicts and changes: where each lies, what may not be dropped, and the chain
-- that shows whether anything was altered. The bytes themselves lie outside the database.

-- A file of records of one class and one day (Asia/Shanghai), written by one process.
create table evidence_segments (
    id         bigint generated always as identity primary key,
    name       text not null unique check (name <> ''),
    class      text not null
        check (class in ('change', 'proof', 'routine', 'trouble', 'resource')),
    day        date not null,
    opened_at  timestamptz not null,
    -- Set once it is closed and lies in the store.
    bytes      bigint check (bytes >= 0),
    digest     bytea check (octet_length(digest) = 32),
    stored_at  timestamptz,
    -- Set when its records went: by retention, or into another segment.
    dropped_at timestamptz,
    check ((bytes is null) = (digest is null) and (bytes is null) = (stored_at is null))
);

create index evidence_segments_kept on evidence_segments (day, class) where dropped_at is null;

-- One answer each. Rows stay for ever: the leaf is what the chain is made of. The body goes with its
-- segment.
create table evidence (
    id          bigint generated always as identity primary key,
    -- The UUID of its WARC records.
    record      bytea not null unique check (octet_length(record) = 16),
    -- Whose page was read; null for documents of the program's own.
    account_id  bigint,
    page        text,
    -- Start of the visit.
    visited_at  timestamptz,
    recorded_at timestamptz not null,
    form        text not null
        check (form in ('response', 'revisit', 'not_modified', 'conversion', 'resource')),
    class       text not null
        check (class in ('change', 'proof', 'routine', 'trouble', 'resource')),
    -- SHA-256 of a zero byte and the stored bytes (the leaf of RFC 6962).
    leaf        bytea not null check (octet_length(leaf) = 32),
    -- SHA-256 of the body, also where the body is not kept.
    payload     bytea check (octet_length(payload) = 32),
    -- The record that holds the same body.
    refers_to   bigint references evidence,
    segment_id  bigint not null references evidence_segments,
    byte_offset bigint not null check (byte_offset >= 0),
    byte_length bigint not null check (byte_length > 0),
    -- The day under whose root it stands, and its place there; null until that day is sealed.
    day         date,
    leaf_index  bigint check (leaf_index >= 0),
    check ((account_id is null) = (page is null) and (page is null) = (visited_at is null)),
    check ((form = 'revisit') = (refers_to is not null)),
    check ((day is null) = (leaf_index is null))
);

create index evidence_account on evidence (account_id, visited_at);
create index evidence_payload on evidence (account_id, payload) where form = 'response';
create index evidence_refers_to on evidence (refers_to) where refers_to is not null;
create index evidence_segment on evidence (segment_id);
create index evidence_unsealed on evidence (recorded_at) where day is null;
create unique index evidence_leaves on evidence (day, leaf_index) where day is not null;

-- One root a day (Asia/Shanghai), without gaps, each chained to the day before.
create table evidence_days (
    day       date primary key,
    leaves    bigint not null check (leaves >= 0),
    root      bytea not null check (octet_length(root) = 32),
    previous  bytea not null check (octet_length(previous) = 32),
    chain     bytea not null unique check (octet_length(chain) = 32),
    sealed_at timestamptz not null
);

-- What may not be dropped, and on whose account. Findings and assessments are made elsewhere: no
-- foreign key, so that either can be there first.
create table evidence_pins (
    holder      text not null check (holder in ('finding', 'assessment')),
    holder_id   bigint not null,
    evidence_id bigint not null references evidence,
    pinned_at   timestamptz not null,
    primary key (holder, holder_id, evidence_id)
);

create index evidence_pins_record on evidence_pins (evidence_id);

-- The first record of the visit's answer (further pages have the same account, page and start); or
-- why an answer that should have been kept was not. Both null: there was no answer to keep.
alter table visits
    add column evidence bigint,
    add column evidence_missing text,
    add check (evidence is null or evidence_missing is null);
