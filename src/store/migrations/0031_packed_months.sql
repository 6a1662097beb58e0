-- Visits, samples and posts of ended months once more, packed: a quarter of a nation is read in the
-- order of its accounts without being sorted, and without a row for each of them.

create table packed_months (
    packed text not null check (packed in ('visits', 'post_samples', 'posts')),
    -- The first day (UTC).
    month  date not null,
    -- What was packed of each row, and how: a program that reads other things packs anew.
    form   text not null,
    -- What it was read from: a table that was dropped, emptied or put in place of it is another.
    tables text not null,
    -- By the server's clock.
    at     timestamptz not null,
    primary key (packed, month)
);

create table packed_visits (
    account_id bigint not null,
    month      date not null,
    rows       bytea not null,
    primary key (account_id, month)
);

create table packed_samples (
    account_id bigint not null,
    month      date not null,
    rows       bytea not null,
    primary key (account_id, month)
);

create table packed_posts (
    account_id bigint not null,
    month      date not null,
    rows       bytea not null,
    primary key (account_id, month)
);

-- Packed once, read often: what the server would save by packing again it would pay at each reading.
alter table packed_visits alter column rows set storage external;
alter table packed_samples alter column rows set storage external;
alter table packed_posts alter column rows set storage external;

-- Accounts with rows that came, changed or went after their month had ended: what is packed of them
-- does not count until it is packed anew. One row for each of those, and never changed: whoever
-- packs removes those that it sees, and with them what it packed; what it does not see stays.
create table late_rows (
    packed     text not null,
    month      date not null,
    account_id bigint not null
);

create index late_rows_months on late_rows (packed, month, account_id);

-- What a month of a table is stored in now, and since when that belongs to the table; null where
-- there is nothing.
create function xunjian_stored_in(packed text, month date) returns text language sql stable as $$
    select string_agg(c.oid || ':' || pg_relation_filenode(c.oid) || ':' || i.xmin, ' '
        order by c.oid)
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = to_regclass(packed)
      and (packed = 'posts' or c.relname = packed || to_char(month, '_YYYY_MM'))
$$;

-- The packed months that may be read: of the tables that are there, packed three days after their
-- end or later, since when nobody writes to them without telling. A server whose clock was wrong may
-- have packed others.
create view standing_packs as
select packed, month, form
from packed_months
where tables = xunjian_stored_in(packed, month)
  and at >= (month + interval '1 month 3 days')::timestamp at time zone 'UTC' and at <= now();

-- A row belongs to the month of its `at`. Whoever writes one of an ended month says so in the same
-- transaction, whether or not the month is packed.
create function xunjian_tell_late_row(packed text, at timestamptz, account bigint) returns void
language sql set search_path from current as $$
    insert into late_rows (packed, month, account_id)
    values (packed, date_trunc('month', at at time zone 'UTC')::date, account)
$$;

create function xunjian_tell_late_visit() returns trigger
language plpgsql set search_path from current as $$
begin
    if tg_op <> 'INSERT' then
        perform xunjian_tell_late_row('visits', old.started_at, old.account_id);
    end if;
    if tg_op <> 'DELETE' then
        perform xunjian_tell_late_row('visits', new.started_at, new.account_id);
    end if;
    return null;
end $$;

create function xunjian_tell_late_sample() returns trigger
language plpgsql set search_path from current as $$
begin
    if tg_op <> 'INSERT' then
        perform xunjian_tell_late_row('post_samples', old.at, old.account_id);
    end if;
    if tg_op <> 'DELETE' then
        perform xunjian_tell_late_row('post_samples', new.at, new.account_id);
    end if;
    return null;
end $$;

create function xunjian_tell_late_post() returns trigger
language plpgsql set search_path from current as $$
begin
    if tg_op <> 'INSERT' then
        perform xunjian_tell_late_row('posts', greatest(old.claimed_at, old.first_seen),
            old.account_id);
    end if;
    if tg_op <> 'DELETE' then
        perform xunjian_tell_late_row('posts', greatest(new.claimed_at, new.first_seen),
            new.account_id);
    end if;
    return null;
end $$;

create trigger visits_late after insert on visits for each row
    when (new.started_at < date_trunc('month', now(), 'UTC'))
    execute function xunjian_tell_late_visit();
create trigger visits_changed after update or delete on visits for each row
    when (old.started_at < date_trunc('month', now(), 'UTC'))
    execute function xunjian_tell_late_visit();

create trigger post_samples_late after insert on post_samples for each row
    when (new.at < date_trunc('month', now(), 'UTC'))
    execute function xunjian_tell_late_sample();
create trigger post_samples_changed after update or delete on post_samples for each row
    when (old.at < date_trunc('month', now(), 'UTC'))
    execute function xunjian_tell_late_sample();

create trigger posts_late after insert on posts for each row
    when (greatest(new.claimed_at, new.first_seen) < date_trunc('month', now(), 'UTC'))
    execute function xunjian_tell_late_post();
-- What is packed of it; the rest moves more often.
create trigger posts_changed after update on posts for each row
    when (least(greatest(old.claimed_at, old.first_seen), greatest(new.claimed_at, new.first_seen))
            < date_trunc('month', now(), 'UTC')
        and (old.account_id, old.ref, old.page, old.claimed_at, old.claimed_precision,
            old.first_seen, old.missed_by, old.seen_before, old.first_text_digest, old.recorded_at,
            old.title, old.form, old.origin, old.text_digest, old.sampled_at, old.reads, old.likes,
            old.comments, old.shares)
        is distinct from (new.account_id, new.ref, new.page, new.claimed_at, new.claimed_precision,
            new.first_seen, new.missed_by, new.seen_before, new.first_text_digest, new.recorded_at,
            new.title, new.form, new.origin, new.text_digest, new.sampled_at, new.reads, new.likes,
            new.comments, new.shares))
    execute function xunjian_tell_late_post();
create trigger posts_gone after delete on posts for each row
    when (greatest(old.claimed_at, old.first_seen) < date_trunc('month', now(), 'UTC'))
    execute function xunjian_tell_late_post();
