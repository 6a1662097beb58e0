-- What the boards show, and to whom: each login of a board has an area, and every view grafana_*
-- shows it that area only.
--
-- The views are their owner's, so that a login needs no right on any table, and each takes what it
-- shows from accounts of `xunjian_seen_accounts`, or holds it against `xunjian_board_area` itself.
-- They are security barriers: no condition or function of whoever asks sees a row before that.

-- Roles belong to the whole server and may be made there by anybody; here stands what each may see in
-- this database. A login without a row sees nothing.
create table board_logins (
    -- The role's name.
    login      text primary key check (login <> ''),
    -- The first digits of the region subtree; empty: all areas.
    area       text not null check (area ~ '^([0-9]{2}){0,3}$'),
    created_by text not null check (created_by <> ''),
    created_at timestamptz not null
);

-- The area of whoever asks: one row, null for nobody's. The owner of the tables, and whoever may act
-- as the owner, sees everything.
create view xunjian_board_area as
select coalesce(
    (select l.area from board_logins l where l.login = current_user),
    (select '' from pg_class c
     where c.oid = 'board_logins'::regclass and pg_has_role(current_user, c.relowner, 'usage'))
) as area;

-- Closed ones too: what was found or frozen of them is still shown.
create view xunjian_seen_accounts as
select a.id, a.key, a.platform, a.name, a.sponsor_id, u.name as sponsor, a.supervisor_id,
       v.name as supervisor, a.region, a.category, a.level, a.role, a.lifecycle,
       a.lifecycle not in ('closed', 'cancelled') as judged, a.url, a.filed_on, a.opened_on,
       a.closed_on, a.exemption, a.exempt_until, a.operator, a.contract_until
from accounts a
left join units u on u.id = a.sponsor_id
left join units v on v.id = a.supervisor_id
where a.in_ledger and starts_with(a.region, (select area from xunjian_board_area));

-- A sponsor's or supervisor's own matter is seen by who sees all that it answers for; the digits that
-- all of it begins with are its area.
create view xunjian_seen_units as
select u.id, u.name, coalesce(o.area_code, '') as area_code
from units u
left join (
    select unit_id, bool_and(starts_with(region, (select area from xunjian_board_area))) as all_seen,
           case when min(region) = max(region) then min(region)
                when left(min(region), 4) = left(max(region), 4) then left(min(region), 4)
                when left(min(region), 2) = left(max(region), 2) then left(min(region), 2)
           end as area_code
    from (select sponsor_id as unit_id, region from accounts where in_ledger
          union all select supervisor_id, region from accounts where in_ledger) answered
    group by unit_id
) o on o.unit_id = u.id
where coalesce(o.all_seen, (select area from xunjian_board_area) = '');

create view xunjian_seen_findings as
select f.* from findings f
where f.account_id in (select id from xunjian_seen_accounts)
   or f.unit_id in (select id from xunjian_seen_units)
   or starts_with(f.area, (select area from xunjian_board_area));

-- A count as a list shows it: what is hidden is not 0, and a lower bound is said to be one.
create function xunjian_count_words(count jsonb) returns text language sql immutable as $$
    select case
        when count is null then null
        when jsonb_typeof(count) = 'number' then count::text
        when count ? 'hidden' then '不可见'
        when count ? 'low' and count->>'high' is null then '≥' || (count->>'low')
        when count ? 'low' then format('%s（%s–%s）', count->>'value', count->>'low', count->>'high')
        else count->>'value'
    end
$$;

-- The covered time that the newest verdict rests on, merged as `observe` does: what was voided is left
-- out, of several parts what all have.
alter table account_states add column covered tstzmultirange not null default '{}';
-- It is told when an account is judged, which all are at the next opportunity.
update account_states set news = news + 1;

-- What a list shows of a frozen account's line, taken out when it is written: a line holds every post
-- of a quarter, too much to be read for each look.
create function xunjian_frozen_card(line text) returns jsonb language plpgsql immutable as $$
declare
    whole jsonb := line::jsonb;
    card jsonb := whole->'card';
begin
    return jsonb_build_object(
        'name', whole->'name', 'sponsor', whole->'sponsor', 'supervisor', whole->'supervisor',
        'lifecycle', whole->'lifecycle', 'exemption', whole->'exemption',
        'scheme', whole->'scheme', 'last_post_at', whole->'last_post_at',
        'reasons', card->'verdict'->'reasons',
        'scores', (select coalesce(jsonb_agg(d - 'lines'), '[]')
            from jsonb_array_elements(card->'dimensions') as d));
end $$;
alter table assessment_accounts
    add column shown jsonb not null generated always as (xunjian_frozen_card(line)) stored;

create or replace view grafana_overview with (security_barrier) as
select a.platform, a.region as area_code, s.activity, s.reason,
       count(*) as accounts,
       avg(s.coverage) as coverage_ratio,
       min(s.last_observation_at) as oldest_observation_at
from xunjian_seen_accounts a join account_states s on s.account_id = a.id
where a.judged
group by a.platform, a.region, s.activity, s.reason;

create or replace view grafana_silent with (security_barrier) as
select a.key, a.platform, a.name, a.sponsor, a.supervisor, a.region as area_code,
       a.category, a.lifecycle, a.url, s.activity, s.activity_since, s.last_post_at,
       s.last_observation_at, s.silence_deadline_at, s.coverage as coverage_ratio,
       a.exemption, a.exempt_until, s.judged_at
from xunjian_seen_accounts a
join account_states s on s.account_id = a.id
where a.judged and s.activity in ('zombie', 'dormant', 'watch', 'empty', 'gone');

create or replace view grafana_undetermined with (security_barrier) as
select a.key, a.platform, a.name, a.sponsor, a.region as area_code, a.category,
       a.lifecycle, a.url, s.reason, s.activity_since, s.last_post_at, s.last_observation_at,
       s.coverage as coverage_ratio, t.last_visit_at, t.last_outcome, t.last_reason, t.fails,
       s.judged_at, t.last_detail
from xunjian_seen_accounts a
join account_states s on s.account_id = a.id
left join lateral (
    select c.last_visit_at, c.last_outcome, c.last_reason, c.fails, c.last_detail
    from crawl_targets c where c.account_id = a.id and c.speaks
    order by c.last_visit_at desc nulls last limit 1
) t on true
where a.judged and s.activity = 'undetermined';

-- A site is its accounts': whoever sees one of them sees it.
create or replace view grafana_sites with (security_barrier) as
select a.name, s.host, s.address, s.platform,
       p.probes_open, p.probes_failed, p.probes_unknown,
       p.probes_failed::double precision / nullif(p.probes_open + p.probes_failed, 0)
           as failed_ratio,
       l.last_at as home_read_at, l.newest_at as home_newest_at,
       c.columns, c.blank_columns, a.area_code
from sites s
join lateral (
    select min(o.name) as name, min(o.region) as area_code
    from crawl_targets t join xunjian_seen_accounts o on o.id = t.account_id
    where t.host = s.host
) a on a.name is not null
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

create or replace view grafana_warnings with (security_barrier) as
select a.key, a.platform, a.name, a.sponsor, a.region as area_code, w.quiet_days,
       w.surprise_bits, w.silent_by_deadline, w.last_post_at, w.deadline_at, w.computed_at
from warnings w
join xunjian_seen_accounts a on a.id = w.account_id
where a.judged;

-- Overdue is what was told of, has a deadline behind it and is not done with.
create or replace view grafana_findings with (security_barrier) as
select f.id, f.rule, f.rule_title, f.clause, f.severity, f.state, f.state_since, f.statement,
       f.advice, f.raised_at, f.updated_at, f.deadline, f.doubt, f.needs_approval,
       f.approved_by is not null as approved,
       a.key, a.name, a.platform, coalesce(a.sponsor, s.name) as sponsor,
       coalesce(a.region, f.area, s.area_code) as area_code, a.exemption,
       coalesce(a.exempt_until, x.until) as exempt_until, e.expires_on as explained_until,
       n.notices, n.missed, g.namings,
       f.state not in ('closed', 'dismissed') as open,
       f.state not in ('closed', 'dismissed') and coalesce(f.deadline < now(), false) as overdue,
       f.window_from, f.window_to, r.rectified_at, r.reopened, c.closed_at
from xunjian_seen_findings f
left join xunjian_seen_accounts a on a.id = f.account_id
left join xunjian_seen_units s on s.id = f.unit_id
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
      and not exists (select from bulletins c where c.supersedes = p.issue)) g on true
left join lateral (
    select max(p.at) filter (where p.to_state = 'rectified') as rectified_at,
           count(*) filter (where p.to_state = 'reopened') as reopened
    from finding_events p where p.finding_id = f.id) r on true
left join lateral (
    select max(p.at) as closed_at from finding_events p
    where p.finding_id = f.id and p.to_state = 'closed' and f.state = 'closed') c on true;

-- The log of a finding: every step, the letters to the sponsor among them.
create view grafana_finding_log with (security_barrier) as
select f.id as finding, f.rule_title, a.key, a.name, a.platform, coalesce(a.sponsor, u.name) as sponsor,
       coalesce(a.region, f.area, u.area_code) as area_code, l.at, l.actor, l.by_job, l.step, l.from_state,
       l.to_state, l.reason, l.stage, l.deadline, l.outcome, l.channel, l.letter_state
from xunjian_seen_findings f
left join xunjian_seen_accounts a on a.id = f.account_id
left join xunjian_seen_units u on u.id = f.unit_id
join lateral (
    select e.at, e.actor, e.by_job, e.step, e.from_state, e.to_state, e.reason,
           null::integer as stage, null::timestamptz as deadline, null::text as outcome,
           null::text as channel, null::text as letter_state
    from finding_events e where e.finding_id = f.id
    union all
    select coalesce(n.issued_at, r.created_at), 'notify', true, 'notice', null, f.state,
           coalesce(n.doubt, r.last_error, ''), n.stage, n.deadline, n.outcome, r.channel, r.state
    from notices n join letters r on r.id = n.letter_id where n.finding_id = f.id
) l on true;

-- Every account that is judged, as the ledger and the newest verdict have it.
create view grafana_accounts with (security_barrier) as
select a.key, a.platform, a.name, a.sponsor, a.supervisor, a.region as area_code, a.category,
       a.level, a.role, a.lifecycle, a.url, a.filed_on, a.opened_on, a.exemption, a.exempt_until,
       a.operator, a.contract_until, s.activity, s.reason, s.activity_since, s.last_post_at,
       s.last_observation_at, s.silence_deadline_at, s.coverage as coverage_ratio, s.judged_at,
       p.name as shown_name, p.verified_as,
       coalesce((p.followers->>'value')::bigint, case when jsonb_typeof(p.followers) = 'number'
           then p.followers::bigint end) as followers,
       xunjian_count_words(p.followers) as followers_words,
       xunjian_count_words(p.posts_total) as posts_total_words,
       coalesce(f.open, 0) as open_findings, coalesce(f.overdue, 0) as overdue_findings
from xunjian_seen_accounts a
join account_states s on s.account_id = a.id
left join account_profiles p on p.account_id = a.id
left join (
    select account_id, count(*) as open, count(*) filter (where deadline < now()) as overdue
    from findings where state not in ('closed', 'dismissed') group by account_id
) f on f.account_id = a.id
where a.judged;

-- The subtrees that hold accounts, from the login's own downwards: 2, 4 and 6 digits.
create view grafana_areas with (security_barrier) as
select left(a.region, n) as area, n as digits, count(*) as accounts
from xunjian_seen_accounts a, unnest(array[2, 4, 6]) as n
where a.judged and n >= length((select area from xunjian_board_area))
group by 1, 2;

-- A post at its claimed time, where none is claimed at its first sight.
create view grafana_posts with (security_barrier) as
select a.key, a.platform, a.region as area_code, p.ref, coalesce(p.claimed_at, p.first_seen) as at,
       p.claimed_precision as precision, p.claimed_at is null as undated, p.title, p.url, p.form,
       p.origin, p.first_seen, p.last_seen, p.missed_by, p.page,
       p.import_id is not null as imported,
       xunjian_count_words(p.reads) as reads, xunjian_count_words(p.likes) as likes,
       xunjian_count_words(p.comments) as comments, xunjian_count_words(p.shares) as shares
from xunjian_seen_accounts a
join posts p on p.account_id = a.id;

create view grafana_visits with (security_barrier) as
select a.key, a.platform, a.region as area_code, v.started_at as at, v.page, v.part, v.source,
       v.outcome, v.reason, v.detail, v.cause, v.status, v.items, v.new_items, v.as_of, v.span_low,
       v.span_high, v.exhausted, v.confirming, v.duration_ms, v.evidence is not null as evidence_kept,
       v.evidence_missing
from xunjian_seen_accounts a
join visits v on v.account_id = a.id;

-- The stretches of an account's time, `(since, until]`: covered, or a gap with the newest failure in
-- it. A gap is unknown and never silent. The last reaches to now.
create view grafana_coverage with (security_barrier) as
select a.key, a.platform, a.region as area_code, c.since, c.until, c.state,
       case when c.state = 'gap' then coalesce((
           select v.reason from visits v
           where v.account_id = a.id and v.started_at > c.since and v.started_at <= c.until
             and v.outcome = 'failed'
           order by v.started_at desc limit 1), 'not_covered') end as cause
from xunjian_seen_accounts a
join account_states s on s.account_id = a.id
cross join lateral (
    select lower(r) as since, upper(r) as until, 'covered' as state from unnest(s.covered) as r
    union all
    select upper(r), coalesce(lead(lower(r)) over (order by r), greatest(now(), upper(r))), 'gap'
    from unnest(s.covered) as r
    union all
    select (select min(v.started_at) from visits v where v.account_id = a.id), now(), 'gap'
    where isempty(s.covered)
) c
where a.judged and c.since < c.until;

-- The newest scores, not frozen: they still move.
create view grafana_scores with (security_barrier) as
with newest as (
    select distinct on (r.scheme) r.id, r.scheme, r.period, r.cutoff from score_runs r
    where r.finished_at is not null and r.known_at = (
        select k.known_at from score_runs k where k.finished_at is not null
        order by k.finished_at desc, k.id desc limit 1)
    order by r.scheme, r.finished_at desc, r.id desc
)
select a.key, a.platform, a.name, a.sponsor, a.region as area_code, n.period, n.scheme, n.cutoff,
       s.dimension, s.points, s.interval_low as points_low, s.interval_high as points_high, s.reason,
       s.coverage as coverage_ratio
from newest n
join scores s on s.run_id = n.id
join xunjian_seen_accounts a on a.id = s.account_id;

-- Frozen accounts are seen by the region under which they were frozen.
create view xunjian_seen_frozen as
select f.* from assessment_accounts f
where starts_with(f.region, (select area from xunjian_board_area));

-- Every version of every assessment that has an account to show; `accounts` counts these.
create view grafana_assessments with (security_barrier) as
select s.id as assessment, s.period, s.scheme, s.version, n.id is null as standing, s.cutoff,
       s.known_at, s.frozen_at, s.actor, s.reason, s.digest, f.accounts, f.passed, f.failed,
       f.undetermined, f.not_judged, f.passed::numeric / nullif(f.passed + f.failed, 0) as pass_ratio
from assessments s
left join assessments n on n.supersedes = s.id
join (
    select assessment_id, count(*) as accounts,
           count(*) filter (where verdict = 'pass') as passed,
           count(*) filter (where verdict = 'fail') as failed,
           count(*) filter (where verdict = 'undetermined') as undetermined,
           count(*) filter (where verdict = 'not_judged') as not_judged
    from xunjian_seen_frozen group by assessment_id
) f on f.assessment_id = s.id;

-- Each account of an assessment with its verdict.
create view grafana_assessed with (security_barrier) as
select s.id as assessment, s.period, s.version, n.id is null as standing, f.key,
       f.shown->>'name' as name, f.platform, f.shown->>'sponsor' as sponsor,
       f.shown->>'supervisor' as supervisor, f.region as area_code, f.shown->>'lifecycle' as lifecycle,
       f.shown->>'exemption' as exemption, f.shown->>'scheme' as scheme, f.verdict,
       (select string_agg(r, '；') from jsonb_array_elements_text(
           case jsonb_typeof(f.shown->'reasons') when 'array' then f.shown->'reasons' end) as r)
           as reasons,
       (f.shown->>'last_post_at')::timestamptz as last_post_at
from xunjian_seen_frozen f
join assessments s on s.id = f.assessment_id
left join assessments n on n.supersedes = s.id;

-- The places of every ranking of an assessment, by key; whose bounds overlap share a place.
create view xunjian_places as
select s.assessment_id, l.r->>'scheme' as scheme, l.r->>'of' as of,
       jsonb_object_agg(p->>'key', p - 'key') as by_key
from assessment_summaries s
cross join lateral (select s.line::jsonb->'ranking' as r offset 0) l
cross join jsonb_array_elements(l.r->'places') as p
where starts_with(s.line, '{"ranking":')
group by s.assessment_id, l.r->>'scheme', l.r->>'of';

-- Each score of an assessment with its bounds, and its place among all that are ranked, seen or not.
create view grafana_assessed_scores with (security_barrier) as
with places as materialized (select * from xunjian_places)
select s.id as assessment, s.period, s.version, n.id is null as standing, f.key,
       f.shown->>'name' as name, f.platform, f.shown->>'sponsor' as sponsor, f.region as area_code,
       f.shown->>'scheme' as scheme, d->>'id' as dimension, d->>'title' as title,
       (d->'outcome'->'scored'->>'points')::numeric as points,
       (d->'outcome'->'scored'->>'low')::numeric as points_low,
       (d->'outcome'->'scored'->>'high')::numeric as points_high,
       (d->>'max')::numeric as points_max, d->'outcome'->'not_scored'->>'reason' as reason,
       (d->>'coverage')::double precision as coverage_ratio,
       (p.by_key->f.key->>'place')::integer as place, (p.by_key->f.key->>'best')::integer as best,
       (p.by_key->f.key->>'worst')::integer as worst
from xunjian_seen_frozen f
join assessments s on s.id = f.assessment_id
left join assessments n on n.supersedes = s.id
cross join jsonb_array_elements(f.shown->'scores') as d
left join places p on p.assessment_id = f.assessment_id and p.scheme = f.shown->>'scheme'
    and p.of = d->>'id';

-- What sponsors, supervisors and areas have in an assessment; seen by who sees all that they answer
-- for in it.
create view grafana_assessed_units with (security_barrier) as
with places as materialized (select * from xunjian_places)
select s.id as assessment, s.period, s.version, n.id is null as standing, r->>'scheme' as scheme,
       r->>'id' as rollup, r->>'title' as title, r->>'to' as subject_kind, r->>'subject' as subject,
       (r->>'accounts')::integer as accounts,
       (r->'outcome'->'scored'->>'points')::numeric as points,
       (r->'outcome'->'scored'->>'low')::numeric as points_low,
       (r->'outcome'->'scored'->>'high')::numeric as points_high,
       r->'outcome'->'not_scored'->>'reason' as reason,
       jsonb_array_length(r->'vetoed') as vetoed,
       (p.by_key->(r->>'subject')->>'place')::integer as place,
       (p.by_key->(r->>'subject')->>'best')::integer as best,
       (p.by_key->(r->>'subject')->>'worst')::integer as worst
from assessment_summaries l
join assessments s on s.id = l.assessment_id
left join assessments n on n.supersedes = s.id
cross join lateral (select l.line::jsonb->'rollup' as r offset 0) whole
left join (
    select f.assessment_id, v.kind, v.subject,
           bool_and(starts_with(f.region, (select area from xunjian_board_area))) as all_seen
    from assessment_accounts f
    cross join lateral (values ('sponsor', f.shown->>'sponsor'),
        ('supervisor', f.shown->>'supervisor')) as v (kind, subject)
    group by f.assessment_id, v.kind, v.subject
) o on o.assessment_id = s.id and o.kind = r->>'to' and o.subject = r->>'subject'
left join places p on p.assessment_id = s.id and p.scheme = r->>'scheme' and p.of = r->>'id'
where starts_with(l.line, '{"rollup":')
  and case
      when r->>'to' in ('region', 'city', 'province')
      then starts_with(r->>'subject', (select area from xunjian_board_area))
      else coalesce(o.all_seen, (select area from xunjian_board_area) = '')
  end;

-- Published bulletins with those whom they list, named or withheld.
create view grafana_bulletins with (security_barrier) as
select b.id as bulletin, b.period, b.scheme, b.issue, n.id is null as standing, b.published_at,
       b.actor, b.reason, b.due, l.key, f.name, f.platform, f.sponsor, f.region as area_code,
       l.withheld is null as named, l.withheld
from bulletins b
left join bulletins n on n.supersedes = b.id
join bulletin_accounts l on l.bulletin_id = b.id
join lateral (
    select o.shown->>'name' as name, o.platform, o.shown->>'sponsor' as sponsor, o.region
    from xunjian_seen_frozen o where o.assessment_id = b.assessment_id and o.key = l.key
) f on true;

-- Hosts that serve accounts seen, with what is due there for these. What all accounts of a host share,
-- its budget and what was spent of it, is told to logins of all areas.
create view grafana_hosts with (security_barrier) as
select h.host, t.platforms, t.accounts, t.targets, t.due, t.oldest_due_at, t.failing,
       t.newest_visit_at, h.rest_until, h.rest_until is not null and h.rest_until > now() as resting,
       h.speed, h.troubles,
       case when w.area = '' then h.owner end as owner,
       case when w.area = '' then b.per_day end as budget_per_day,
       case when w.area = '' then case when h.spent_on = (now() at time zone 'Asia/Shanghai')::date
           then h.spent else 0 end end as spent_today,
       case when w.area = '' then b.price end as price
from host_leases h
cross join xunjian_board_area w
join (
    select c.host, string_agg(distinct a.platform, ',' order by a.platform) as platforms,
           count(distinct c.account_id) as accounts, count(*) as targets,
           count(*) filter (where c.due_at <= now()) as due,
           min(c.due_at) filter (where c.due_at <= now()) as oldest_due_at,
           count(*) filter (where c.fails > 0) as failing, max(c.last_visit_at) as newest_visit_at
    from crawl_targets c join xunjian_seen_accounts a on a.id = c.account_id
    where a.judged
    group by c.host
) t on t.host = h.host
left join host_budgets b on b.host = h.host;

-- Pages of accounts: what is due, and how each ended when it was last read.
create view grafana_targets with (security_barrier) as
select a.key, a.platform, a.name, a.sponsor, a.region as area_code, c.page, c.part, c.host, c.due_at,
       c.due_at <= now() as due, c.deadline_at, c.purpose, c.fails, c.last_visit_at, c.last_outcome,
       c.last_reason, c.last_detail, c.fell, c.lease_owner is not null as being_read
from crawl_targets c
join xunjian_seen_accounts a on a.id = c.account_id
where a.judged;

-- Stretches in which a page kind did not yield what it used to; what was read meanwhile is void.
create view grafana_drifts with (security_barrier) as
select d.platform, d.host, d.page, d.since, d.until, d.until is null as open,
       case when (select area from xunjian_board_area) = '' then d.compared end as compared,
       case when (select area from xunjian_board_area) = '' then d.fallen end as fallen
from yield_drifts d
where exists (
    select from crawl_targets c join xunjian_seen_accounts a on a.id = c.account_id
    where a.platform = d.platform and d.host in ('*', c.host) and c.page = d.page);

-- The newest look at any canary of a host and page kind.
create view grafana_canaries with (security_barrier) as
select distinct on (l.host, l.page) l.host, l.page, l.at, l.healthy
from canary_looks l
where exists (
    select from crawl_targets c join xunjian_seen_accounts a on a.id = c.account_id
    where c.host = l.host and c.page = l.page)
order by l.host, l.page, l.at desc, l.healthy;

-- The daemons on this database; told to logins of all areas.
create view grafana_daemons with (security_barrier) as
select d.owner, d.started_at, d.seen_until, d.seen_until > now() as alive,
       (select count(*) from host_leases h where h.owner = d.owner) as hosts
from daemons d
where (select area from xunjian_board_area) = '';

do $$ declare view text; begin
    if exists (select from pg_roles where rolname = 'xunjian_grafana') then
        for view in select viewname from pg_views
            where schemaname = current_schema() and viewname like 'grafana\_%' loop
            execute format('grant select on %I to xunjian_grafana', view);
        end loop;
    end if;
exception when insufficient_privilege then
    raise notice 'xunjian_grafana was not granted its views: %', sqlerrm;
end $$;
