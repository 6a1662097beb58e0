-- What stands beside the lists of posts: how accounts show themselves over time, why a visit ended
-- as it did, sites with their columns and availability, what readings yield, and who handed in what.

-- Append only: each value that a page kind showed of an account, for as long as it stood unchanged.
-- Another value, also one shown before, begins a row of its own.
create table account_identities (
    account_id  bigint not null references accounts,
    field       text not null check (field in ('handle', 'name', 'verified_as')),
    page        text not null,
    value       text not null,
    first_seen  timestamptz not null,
    last_seen   timestamptz not null,
    recorded_at timestamptz not null,
    primary key (account_id, page, field, first_seen),
    check (first_seen <= last_seen)
) with (fillfactor = 85);

create index account_identities_recorded on account_identities (recorded_at);

-- Why it ended so, in the words of the page or of the transport; of an account that is gone, the
-- class of those words. A visit with part '' speaks for no list: messages, a site's home page.
alter table visits
    add column detail text check (length(detail) <= 200),
    add column cause text check (cause in ('missing', 'cancelled', 'banned', 'migrated')),
    -- What the first page yielded beside `items`: with a time, with a name (id or address), with a
    -- number; and whether the page said whose it is. Null where no page was answered.
    add column dated integer,
    add column named integer,
    add column counted integer,
    add column identified boolean;

alter table crawl_targets
    -- Whether the page kind speaks for the account: lists and profiles do.
    add column speaks boolean not null default true,
    -- Where the address is none of the ledger's: a message board found on a site's home page.
    add column address text,
    add column last_detail text,
    -- The newest readings, oldest first: {"at", "adapter", "read", "items", "dated", …}.
    add column yields jsonb not null default '[]',
    -- Whether the newest reading yielded far less than the ones before it; null until enough are
    -- known to tell.
    add column fell boolean;

-- Between `since` and `until` a page kind did not yield what it used to, over many accounts: what
-- was observed meanwhile is void, and while it is open, silent verdicts are frozen. The host '*'
-- means every host of the platform.
create table yield_drifts (
    platform    text not null,
    host        text not null,
    page        text not null,
    since       timestamptz not null,
    until       timestamptz,
    -- Accounts that could be compared, and those whose reading had fallen, when it was noticed.
    compared    integer not null,
    fallen      integer not null,
    recorded_at timestamptz not null,
    primary key (platform, host, page, since),
    check (until > since)
);

create unique index yield_drifts_open on yield_drifts (platform, host, page) where until is null;

-- What a reading usually yields: medians over the accounts of a host and page kind, by adapter.
create table yield_baselines (
    platform   text not null,
    host       text not null,
    page       text not null,
    adapter    text not null,
    judged_at  timestamptz not null,
    accounts   integer not null,
    compared   integer not null,
    fallen     integer not null,
    items      double precision not null,
    dated      double precision not null,
    named      double precision not null,
    counted    double precision not null,
    identified double precision not null,
    primary key (platform, host, page, adapter)
);

-- A government site: what is asked for its availability, its home page, its columns.
create table sites (
    host        text primary key references host_leases,
    address     text not null,
    platform    text not null,
    -- Stands for the site among the targets; outside the ledger.
    account_id  bigint not null unique references accounts,
    active      boolean not null default true,
    probe_due_at timestamptz not null
);

create index sites_probe_due on sites (probe_due_at) where active;

-- Append only: one attempt to open a site's home page. 'unknown' says nothing of the site: our own
-- outage, our pacing, a wall in front of us, robots.txt.
create table site_probes (
    host        text not null,
    at          timestamptz not null,
    outcome     text not null check (outcome in ('open', 'failed', 'unknown')),
    reason      text,
    status      smallint,
    duration_ms integer,
    -- Who proved that our own network was up: another host that answered at that time.
    witness     text,
    recorded_at timestamptz not null,
    primary key (host, at),
    check ((outcome = 'open') = (reason is null)),
    check (outcome <> 'failed' or witness is not null)
) partition by range (at);

-- Append only, written when what is dated on the page changed, or the page could not be read.
create table site_looks (
    host        text not null,
    at          timestamptz not null,
    last_at     timestamptz not null,
    -- Digest of the dated items; null where the page was not read.
    fingerprint text,
    items       integer,
    newest_at   timestamptz,
    columns     integer,
    reason      text,
    recorded_at timestamptz not null,
    primary key (host, at),
    check ((fingerprint is null) = (reason is not null))
);

-- The columns (栏目) that a site's home page leads to, as they stand now.
create table site_columns (
    host        text not null references sites on delete cascade,
    address     text not null,
    name        text not null,
    class       text not null check (class in ('news', 'notices', 'policies', 'messages', 'other')),
    first_seen  timestamptz not null,
    last_seen   timestamptz not null,
    -- The newest look that read it, and what it showed: items, the newest dated one.
    looked_at   timestamptz,
    items       integer,
    newest_at   timestamptz,
    -- Since when it has been read without any item.
    blank_since timestamptz,
    -- Why the newest look did not read it.
    reason      text,
    primary key (host, address)
) with (fillfactor = 85);

-- Every table that is divided by months, whatever its name: a new one needs no line here.
create or replace function xunjian_ensure_partitions(since timestamptz, until timestamptz)
returns integer language sql as $$
    select count(*) filter (where xunjian_ensure_month(parents.name, month::date))::integer
    from (select c.relname::text as name
          from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
          where p.partstrat = 'r' and c.relnamespace = current_schema()::regnamespace) as parents,
         generate_series(
             least(date_trunc('month', since at time zone 'UTC'),
                 (select min(to_date(right(c.relname, 7), 'YYYY_MM'))
                  from pg_inherits i join pg_class c on c.oid = i.inhrelid
                  where i.inhparent = 'visits'::regclass)),
             date_trunc('month', until at time zone 'UTC') + interval '2 months',
             interval '1 month') as month
$$;

-- Append only: who handed in what, when, and what came of it.
create table imports (
    id             bigint generated always as identity primary key,
    source         text not null,
    title          text not null,
    -- 授权接口 or 人工填报.
    class          text not null check (class in ('owner_api', 'office_file')),
    file           text not null,
    file_digest    text not null,
    mapping_digest text not null,
    -- What was declared with it beside its rows: the account, since and until when it is complete.
    declared       text not null,
    actor          text not null,
    imported_at    timestamptz not null,
    accounts       integer not null,
    posts          integer not null,
    inquiries      integer not null,
    new_posts      integer not null,
    conflicts      integer not null,
    unique (source, file_digest, mapping_digest, declared)
);

-- Which import gave a value; null: read from a public page.
alter table visits add column import_id bigint;
alter table posts
    add column import_id bigint,
    -- The current numbers that an import gave, by field: {"reads": 3}.
    add column imported jsonb not null default '{}';
alter table post_samples add column import_id bigint;
alter table inquiries add column import_id bigint, add column page text;

-- Append only: two sources that say different things of one post or message. Both are kept: what
-- stood before stays where it is, and what was offered stands here.
create table import_conflicts (
    account_id  bigint not null references accounts,
    ref         text not null,
    field       text not null,
    import_id   bigint not null references imports,
    kept        text not null,
    -- The import that gave what was kept; null: read from a public page.
    kept_from   bigint references imports,
    offered     text not null,
    recorded_at timestamptz not null,
    primary key (account_id, ref, field, import_id)
);

-- A failure of a page that speaks for the account, with its words.
create or replace view grafana_undetermined as
select a.key, a.platform, a.name, u.name as sponsor, a.region as area_code, a.category,
       a.lifecycle, a.url, s.reason, s.activity_since, s.last_post_at, s.last_observation_at,
       s.coverage as coverage_ratio, t.last_visit_at, t.last_outcome, t.last_reason, t.fails,
       s.judged_at, t.last_detail
from accounts a
join account_states s on s.account_id = a.id
left join units u on u.id = a.sponsor_id
left join lateral (
    select c.last_visit_at, c.last_outcome, c.last_reason, c.fails, c.last_detail
    from crawl_targets c where c.account_id = a.id and c.speaks
    order by c.last_visit_at desc nulls last limit 1
) t on true
where a.in_ledger and a.lifecycle not in ('closed', 'cancelled')
  and s.activity = 'undetermined';

-- Each site with the probes of the last week and the state of its columns; shares only, no verdict:
-- that needs a full week of monitoring, which the API tells.
create view grafana_sites as
select a.name, s.host, s.address, s.platform,
       p.probes_open, p.probes_failed, p.probes_unknown,
       p.probes_failed::double precision / nullif(p.probes_open + p.probes_failed, 0)
           as failed_ratio,
       l.last_at as home_read_at, l.newest_at as home_newest_at,
       c.columns, c.blank_columns
from sites s
join lateral (
    select min(o.name) as name from crawl_targets t join accounts o on o.id = t.account_id
    where t.host = s.host and o.in_ledger
) a on true
cross join lateral (
    select count(*) filter (where outcome = 'open') as probes_open,
           count(*) filter (where outcome = 'failed') as probes_failed,
           count(*) filter (where outcome = 'unknown') as probes_unknown
    from site_probes b where b.host = s.host and b.at >= now() - interval '7 days'
) p
left join lateral (
    select k.last_at, k.newest_at from site_looks k
    where k.host = s.host and k.fingerprint is not null order by k.at desc limit 1
) l on true
cross join lateral (
    select count(*) as columns, count(*) filter (where b.blank_since is not null) as blank_columns
    from site_columns b where b.host = s.host
) c
where s.active;

do $$ begin
    if exists (select from pg_roles where rolname = 'xunjian_grafana') then
        grant select on grafana_sites to xunjian_grafana;
    end if;
exception when insufficient_privilege then
    raise notice 'xunjian_grafana was not granted its views: %', sqlerrm;
end $$;
