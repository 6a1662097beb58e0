-- What visits found: posts, their numbers over time, the accounts' numbers, citizens' messages.
--
-- A count is a JSON number where exact, {"value","low","high"} where rounded or capped,
-- {"hidden":"reason"} where the platform hides it, null where no page carried it.

create table posts (
    account_id        bigint not null,
    ref               text not null,
    page              text not null,
    part              text not null,
    url               text,
    title             text,
    form              text check (form in ('text', 'image', 'video', 'article', 'live')),
    origin            text not null check (origin in ('original', 'repost', 'unknown')),
    -- The time as first claimed; never overwritten.
    claimed_at        timestamptz,
    claimed_precision text check (claimed_precision in ('second', 'minute', 'hour', 'day')),
    claimed_text      text,
    first_seen        timestamptz not null,
    last_seen         timestamptz not null,
    -- As-of times of earlier observations: the last that should have listed it, the last at all.
    missed_by         timestamptz,
    seen_before       timestamptz,
    text_digest       text,
    text_simhash      text,
    reads             jsonb,
    likes             jsonb,
    comments          jsonb,
    shares            jsonb,
    sampled_at        timestamptz,
    recorded_at       timestamptz not null,
    primary key (account_id, ref),
    check ((claimed_at is null) = (claimed_precision is null))
) partition by hash (account_id);

-- Space is left on each page: last_seen moves at every visit, and moves in place.
do $$ begin
    for remainder in 0..7 loop
        execute format(
            'create table posts_%s partition of posts
                 for values with (modulus 8, remainder %s) with (fillfactor = 85)',
            remainder, remainder);
    end loop;
end $$;

create index posts_claimed_brin on posts using brin (claimed_at);
create index posts_account_time on posts (account_id, (coalesce(claimed_at, first_seen)) desc);
create index posts_account_first_seen on posts (account_id, first_seen desc);

-- Whether a post came to 1, 3 or 7 days of age in (sampled_at, seen_at]: interactions are compared
-- at these ages, so that a sample is due even where no number changed.
create function xunjian_passed_age(
    claimed_at timestamptz, sampled_at timestamptz, seen_at timestamptz
) returns boolean language sql immutable as $$
    select coalesce(bool_or(claimed_at + age.hours * interval '1 hour' > sampled_at
        and claimed_at + age.hours * interval '1 hour' <= seen_at), false)
    from unnest(array[24, 72, 168]) as age (hours)
$$;

-- Append only: written when a number changed or the post passed 1, 3 or 7 days.
create table post_samples (
    account_id  bigint not null,
    ref         text not null,
    at          timestamptz not null,
    recorded_at timestamptz not null,
    reads       jsonb,
    likes       jsonb,
    comments    jsonb,
    shares      jsonb,
    primary key (account_id, ref, at)
) partition by range (at);

-- Append only: written when a number changed.
create table account_samples (
    account_id  bigint not null,
    at          timestamptz not null,
    recorded_at timestamptz not null,
    followers   jsonb,
    posts_total jsonb,
    primary key (account_id, at)
) partition by range (at);

-- How the account shows itself now.
create table account_profiles (
    account_id  bigint primary key references accounts,
    handle      text,
    name        text,
    verified_as text,
    followers   jsonb,
    posts_total jsonb,
    sampled_at  timestamptz not null
);

-- Neither words nor names of citizens: the ref is a keyed digest of the message's id.
create table inquiries (
    account_id    bigint not null,
    ref           text not null,
    asked_at      timestamptz,
    -- The first answer that was seen; never overwritten.
    replied_at    timestamptz,
    precision     text check (precision in ('second', 'minute', 'hour', 'day')),
    official      boolean not null,
    first_seen    timestamptz not null,
    last_seen     timestamptz not null,
    reply_seen_at timestamptz,
    recorded_at   timestamptz not null,
    primary key (account_id, ref)
);

-- Creates the partition of one month (UTC) of a table, if it is missing. The new table is filled
-- from nothing and then attached, which does not block readers or writers of the others.
create function xunjian_ensure_month(parent text, month date) returns boolean
language plpgsql as $$
declare
    first_day date := date_trunc('month', month)::date;
    partition text := format('%s_%s', parent, to_char(first_day, 'YYYY_MM'));
begin
    if to_regclass(partition) is not null then
        return false;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('xunjian partitions', 0));
    if to_regclass(partition) is not null then
        return false;
    end if;
    execute format('create table %I (like %I including defaults including constraints)',
        partition, parent);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)',
        parent, partition,
        first_day::timestamp at time zone 'UTC',
        (first_day + interval '1 month')::timestamp at time zone 'UTC');
    return true;
end $$;

-- Creates the missing partitions of the months from the older of `since` and the oldest month that
-- has visits to two months after `until`; returns how many were created. The oldest month is read
-- off the partitions: a visit without one cannot be there.
create function xunjian_ensure_partitions(since timestamptz, until timestamptz) returns integer
language sql as $$
    select count(*) filter (where xunjian_ensure_month(parent, month::date))::integer
    from unnest(array['visits', 'post_samples', 'account_samples']) as parent,
         generate_series(
             least(date_trunc('month', since at time zone 'UTC'),
                 (select min(to_date(right(c.relname, 7), 'YYYY_MM'))
                  from pg_inherits i join pg_class c on c.oid = i.inhrelid
                  where i.inhparent = 'visits'::regclass)),
             date_trunc('month', until at time zone 'UTC') + interval '2 months',
             interval '1 month') as month
$$;
