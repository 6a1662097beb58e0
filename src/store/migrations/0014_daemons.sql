-- Many daemons on one database: who there is, and what one leaves behind for the next at a host.

create table daemons (
    owner      text primary key,
    started_at timestamptz not null,
    -- It counts until then; said anew long before.
    seen_until timestamptz not null
);

alter table host_leases
    -- Nobody asks the host before that, and from then on by the pace below: when its last holder
    -- gave it back. A holder that died could ask it until its lease ended.
    add column released_at timestamptz,
    -- The share of the host's limit in use, and troubles in a row.
    add column speed      double precision not null default 1 check (speed > 0 and speed <= 1),
    add column troubles   integer not null default 0 check (troubles >= 0),
    -- The host is to be left alone until then: Retry-After, an open circuit, quiet hours.
    add column rest_until timestamptz;

create index host_leases_held on host_leases (owner) where owner is not null;
