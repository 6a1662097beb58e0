-- What is learned of each target for its next visits, and what is spent on each host.

alter table crawl_targets
    -- When the account was seen to publish, as the scheduler wrote it: since when (seconds), then
    -- its newest pushes, four bytes each.
    add column rhythm      bytea,
    -- The most posts that one visit can list.
    add column capacity    integer check (capacity > 0),
    -- When a visit is owed, whatever stands before it: a silence crossing, a confirmation, a
    -- cutoff, a sample at a fixed age.
    add column deadline_at timestamptz,
    -- What the next visit is for; it explains and decides nothing.
    add column purpose     text check (purpose in ('first', 'posts', 'canary', 'crossing',
        'confirmation', 'appointment', 'retry'));

create index crawl_targets_owed on crawl_targets (host, deadline_at)
    where deadline_at is not null;

-- Counted with each claim: targets claimed ever, and on the Shanghai day `spent_on`.
alter table host_leases
    add column claimed  bigint not null default 0,
    add column spent_on date,
    add column spent    bigint not null default 0;

-- What may be spent on a host and at what price, set every few minutes from what was claimed.
create table host_budgets (
    host       text primary key references host_leases,
    -- Ordinary visits in a Shanghai day; what is owed may go beyond, up to the host's limit.
    per_day    double precision not null check (per_day > 0),
    -- Targets claimed at once, so that a slow host's claims do not wait long for their turn.
    claims_max integer not null check (claims_max > 0),
    -- Push-hours of waiting that a visit must save: settled, and as it is now.
    settled    double precision not null check (settled > 0),
    price      double precision not null check (price > 0),
    -- Visits in each of the last 24 hours, as the scheduler wrote it; and `claimed` as counted then.
    spending   jsonb not null,
    counted    bigint not null,
    priced_at  timestamptz not null
);
