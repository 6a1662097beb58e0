-- What a visit proves of every post that it lists is written once, at the list, not at each post.

-- The newest list that was read of an account's page.
create table lists (
    account_id bigint not null,
    page       text not null,
    -- As-of time of that list: every post that stands in it was last seen then.
    seen_at    timestamptz not null,
    -- Posts that stand in it.
    holds      integer not null check (holds >= 0),
    primary key (account_id, page)
) with (fillfactor = 50);

alter table posts
    -- Whether the post stands in the newest list of its page. While it does, it was last seen at the
    -- later of `last_seen` and that list's `seen_at`; when it leaves, `last_seen` takes it over.
    add column stands boolean not null default false,
    -- Digest of what its newest listing told, so that a list which tells the same is not compared
    -- value by value; null until a visit has told it.
    add column told bytea;

-- Posts are rewritten only when something about them changes.
do $$ begin
    for remainder in 0..7 loop
        execute format('alter table posts_%s set (fillfactor = 92)', remainder);
    end loop;
end $$;

create or replace view grafana_posts with (security_barrier) as
select a.key, a.platform, a.region as area_code, p.ref, coalesce(p.claimed_at, p.first_seen) as at,
       p.claimed_precision as precision, p.claimed_at is null as undated, p.title, p.url, p.form,
       p.origin, p.first_seen,
       case when p.stands then greatest(p.last_seen, l.seen_at) else p.last_seen end as last_seen,
       p.missed_by, p.page,
       p.import_id is not null as imported,
       xunjian_count_words(p.reads) as reads, xunjian_count_words(p.likes) as likes,
       xunjian_count_words(p.comments) as comments, xunjian_count_words(p.shares) as shares
from xunjian_seen_accounts a
join posts p on p.account_id = a.id
left join lists l on l.account_id = p.account_id and l.page = p.page;
