-- What is visited and when, who holds it, and what came of each visit.

-- A host belongs to one daemon at a time, so that its limit holds across daemons.
create table host_leases (
    host        text primary key,
    owner       text,
    lease_until timestamptz,
    check ((owner is null) = (lease_until is null))
);

create table crawl_targets (
    account_id       bigint not null references accounts,
    page             text not null,
    -- The part of the account that the page kind lists: 'all', or a named part.
    part             text not null,
    host             text not null references host_leases,
    is_canary        boolean not null default false,
    due_at           timestamptz not null,
    lease_owner      text,
    lease_until      timestamptz,
    -- Claims since the last finished visit; above 1 where a holder died.
    attempt          integer not null default 0,
    -- Failed visits since the last that was observed.
    fails            integer not null default 0,
    last_visit_at    timestamptz,
    last_outcome     text,
    last_reason      text,
    etag             text,
    last_modified    text,
    -- Digest of the newest body, and the as-of time of the first answer that carried it.
    body_digest      text,
    body_as_of       timestamptz,
    -- Upper end of the newest covered span, as-of time of the newest observation.
    span_high        timestamptz,
    observed_at      timestamptz,
    -- As-of times of the newest visit that confirms what it says, and of the one before.
    confirmed_at     timestamptz,
    confirmed_before timestamptz,
    -- Gamma posterior of the posting rate: shape, and rate in days.
    rate_alpha       double precision,
    rate_beta        double precision,
    primary key (account_id, page),
    check ((lease_owner is null) = (lease_until is null)),
    check (confirmed_before < confirmed_at)
);

create index crawl_targets_due on crawl_targets (host, due_at);
create index crawl_targets_held on crawl_targets (lease_owner) where lease_owner is not null;
create index crawl_targets_canaries on crawl_targets (host, page) where is_canary;

-- Append only: every attempt to read a page, and what it proves.
create table visits (
    account_id           bigint not null,
    started_at           timestamptz not null,
    page                 text not null,
    part                 text not null,
    recorded_at          timestamptz not null,
    host                 text,
    adapter              text not null,
    source               text not null check (source in ('crawl', 'bridge', 'import', 'person')),
    outcome              text not null check (outcome in ('observed', 'gone', 'failed')),
    reason               text,
    status               smallint,
    bytes                bigint,
    duration_ms          integer,
    items                integer not null default 0,
    as_of                timestamptz,
    span_low             timestamptz,
    span_high            timestamptz,
    exhausted            boolean not null default false,
    empty                boolean not null default false,
    confirming           boolean not null default false,
    posts_total          jsonb,
    new_items            integer not null default 0,
    upstream_success     timestamptz,
    registered_at        timestamptz,
    registered_precision text check (registered_precision in ('second', 'minute', 'hour', 'day')),
    body_digest          text,
    primary key (account_id, started_at, page),
    check ((outcome = 'failed') = (reason is not null)),
    check ((outcome = 'failed') = (as_of is null)),
    check ((span_low is null) = (span_high is null)),
    check ((registered_at is null) = (registered_precision is null))
) partition by range (started_at);

-- Append only: one look at a canary of a host and page kind.
create table canary_looks (
    host        text not null,
    page        text not null,
    at          timestamptz not null,
    account_id  bigint not null references accounts,
    adapter     text not null,
    healthy     boolean not null,
    recorded_at timestamptz not null,
    primary key (host, page, at, account_id)
);
