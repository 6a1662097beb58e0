-- What is needed to weigh when posts appeared and whether they are still there.

-- The claimed times that the list shows whole, ends excluded: the last instant that the claim of its
-- oldest item allows, the first that the claim of its newest allows. And by how many seconds most
-- known items claim another time than when first listed.
alter table visits
    add column bracket_older timestamptz,
    add column bracket_newer timestamptz,
    add column claims_shift_seconds integer not null default 0,
    add constraint visits_bracket_whole check ((bracket_older is null) = (bracket_newer is null));

-- As-of time of the newest answer that carried another body than the one before: a host whose pages
-- change does not serve all of them from a cache.
alter table crawl_targets add column body_changed_at timestamptz;

-- Digest of the text as first listed; text_digest moves with the text.
alter table posts add column first_text_digest text;

-- Append only: what later visits say of a post that was listed before. While it is listed as ever
-- there is no row. One 'absent' on a day is kept, and one 'listed' after it.
create table post_marks (
    account_id  bigint not null,
    ref         text not null,
    at          timestamptz not null,
    kind        text not null check (kind in ('absent', 'listed', 'gone')),
    page        text not null,
    started_at  timestamptz not null,
    last_seen   timestamptz not null,
    recorded_at timestamptz not null,
    primary key (account_id, ref, at, kind)
);
