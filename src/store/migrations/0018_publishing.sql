-- Published bulletins (通报): an issue is written once, whole, and never changed; a correction is the
-- next issue. Namings belong to an issue, and stand as long as nothing corrects it.

create sequence bulletin_numbers;

create table bulletins (
    id            bigint primary key,
    assessment_id bigint not null references assessments,
    -- As those of the assessment: together they name the series of issues.
    period        text not null,
    scheme        text,
    issue         integer not null check (issue > 0),
    supersedes    bigint unique references bulletins,
    -- Why it corrects the one before.
    reason        text not null,
    published_at  timestamptz not null,
    actor         text not null check (actor <> ''),
    -- By when the failed accounts are to be mended.
    due           date not null,
    -- The document as JSON, whose bytes the digest covers: text, since jsonb would reorder.
    document      text not null,
    digest        text not null unique,
    unique nulls not distinct (period, scheme, issue),
    check ((issue = 1) = (supersedes is null)),
    check (supersedes is null or reason <> '')
);

-- Every failed account of the assessment: named, with the findings that say so, or withheld, with
-- the reason. They are written before their bulletin, which is checked at the end of the
-- transaction: once it stands, none can be added.
create table bulletin_accounts (
    bulletin_id bigint not null references bulletins deferrable initially deferred,
    place       integer not null check (place > 0),
    key         text not null,
    account_id  bigint references accounts,
    findings    bigint[] not null,
    withheld    text check (withheld <> ''),
    primary key (bulletin_id, place),
    unique (bulletin_id, key),
    check (withheld is not null or (cardinality(findings) > 0 and account_id is not null))
);

create function xunjian_bulletin_is_whole() returns trigger language plpgsql as $$
begin
    if exists (select from bulletins where id = new.bulletin_id) then
        raise exception 'bulletin % is published: no account is added to it', new.bulletin_id
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

-- Who could not be judged, or passed, is never among the failed, let alone the named.
create function xunjian_bulletin_lists_the_failed() returns trigger language plpgsql as $$
declare stranger text;
begin
    select b.key into stranger
    from bulletin_accounts b
    left join assessment_accounts a on a.assessment_id = new.assessment_id and a.key = b.key
    where b.bulletin_id = new.id and a.verdict is distinct from 'fail' limit 1;
    if stranger is not null then
        raise exception '% did not fail in assessment %: no bulletin lists it', stranger,
            new.assessment_id using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create trigger bulletin_accounts_whole before insert on bulletin_accounts
    for each row execute function xunjian_bulletin_is_whole();
create trigger bulletins_list_the_failed before insert on bulletins
    for each row execute function xunjian_bulletin_lists_the_failed();
create trigger bulletin_accounts_frozen before update or delete on bulletin_accounts
    for each row execute function xunjian_append_only();
create trigger bulletin_accounts_kept before truncate on bulletin_accounts
    for each statement execute function xunjian_append_only();
create trigger bulletins_frozen before update or delete on bulletins
    for each row execute function xunjian_append_only();
create trigger bulletins_kept before truncate on bulletins
    for each statement execute function xunjian_append_only();

-- Roll-ups and rankings of an assessment: the lines of its bundle after those of the accounts, under
-- the same digest, written before it as these are.
create table assessment_summaries (
    assessment_id bigint not null references assessments deferrable initially deferred,
    place         bigint not null check (place > 0),
    line          text not null,
    primary key (assessment_id, place)
);
create trigger assessment_summaries_whole before insert on assessment_summaries
    for each row execute function xunjian_assessment_is_whole();
create trigger assessment_summaries_frozen before update or delete on assessment_summaries
    for each row execute function xunjian_append_only();
create trigger assessment_summaries_kept before truncate on assessment_summaries
    for each statement execute function xunjian_append_only();

-- The issue that named; null in rows from before bulletins were kept.
alter table namings add column issue bigint references bulletins;

-- A finding of a rule that speaks of one check at a time stands beside an open one of another.
alter table findings add column per_occasion boolean not null default false;
drop index findings_one_open;
create unique index findings_one_open on findings
    (rule, account_id, unit_id, area, (case when per_occasion then occasion end))
    nulls not distinct where state not in ('closed', 'dismissed');

-- As before, but a naming counts once an issue, and not where a correction stands in its stead.
create or replace view grafana_findings as
select f.id, f.rule, f.rule_title, f.clause, f.severity, f.state, f.state_since, f.statement,
       f.advice, f.raised_at, f.updated_at, f.deadline, f.doubt, f.needs_approval,
       f.approved_by is not null as approved,
       a.key, a.name, a.platform, coalesce(u.name, s.name) as sponsor,
       coalesce(a.region, f.area) as area_code, a.exemption,
       coalesce(a.exempt_until, x.until) as exempt_until, e.expires_on as explained_until,
       n.notices, n.missed, g.namings
from findings f
left join accounts a on a.id = f.account_id
left join units u on u.id = a.sponsor_id
left join units s on s.id = f.unit_id
left join lateral (
    select max(p.until) as until from exemptions p
    where p.account_id = f.account_id and (p.rule is null or p.rule = f.rule)) x on true
left join lateral (
    select p.expires_on from explanations p where p.finding_id = f.id
    order by p.id desc limit 1) e on true
left join lateral (
    select count(p.issued_at) as notices, count(*) filter (where p.outcome = 'missed') as missed
    from notices p where p.finding_id = f.id) n on true
left join lateral (
    select count(distinct p.bulletin) as namings from namings p
    where p.account_id = f.account_id
      and not exists (select from bulletins c where c.supersedes = p.issue)) g on true;
