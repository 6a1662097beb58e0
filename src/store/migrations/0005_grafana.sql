-- The contract with dashboards: only these views may be read by xunjian_grafana. The views carry no
-- personal columns, and their own columns are only ever added to.

create view grafana_overview as
select a.platform, a.region as area_code, s.activity, s.reason,
       count(*) as accounts,
       avg(s.coverage) as coverage_ratio,
       min(s.last_observation_at) as oldest_observation_at
from accounts a join account_states s on s.account_id = a.id
where a.in_ledger and a.lifecycle not in ('closed', 'cancelled')
group by a.platform, a.region, s.activity, s.reason;

create view grafana_silent as
select a.key, a.platform, a.name, u.name as sponsor, v.name as supervisor, a.region as area_code,
       a.category, a.lifecycle, a.url, s.activity, s.activity_since, s.last_post_at,
       s.last_observation_at, s.silence_deadline_at, s.coverage as coverage_ratio,
       a.exemption, a.exempt_until, s.judged_at
from accounts a
join account_states s on s.account_id = a.id
left join units u on u.id = a.sponsor_id
left join units v on v.id = a.supervisor_id
where a.in_ledger and a.lifecycle not in ('closed', 'cancelled')
  and s.activity in ('zombie', 'dormant', 'watch', 'empty', 'gone');

create view grafana_undetermined as
select a.key, a.platform, a.name, u.name as sponsor, a.region as area_code, a.category,
       a.lifecycle, a.url, s.reason, s.activity_since, s.last_post_at, s.last_observation_at,
       s.coverage as coverage_ratio, t.last_visit_at, t.last_outcome, t.last_reason, t.fails,
       s.judged_at
from accounts a
join account_states s on s.account_id = a.id
left join units u on u.id = a.sponsor_id
left join lateral (
    select c.last_visit_at, c.last_outcome, c.last_reason, c.fails
    from crawl_targets c where c.account_id = a.id
    order by c.last_visit_at desc nulls last limit 1
) t on true
where a.in_ledger and a.lifecycle not in ('closed', 'cancelled')
  and s.activity = 'undetermined';

-- Roles belong to the whole server: another database may have made it, and a managed server may
-- not let us. Without the role everything works but the dashboards' own login.
do $$ begin
    if not exists (select from pg_roles where rolname = 'xunjian_grafana') then
        create role xunjian_grafana nologin;
    end if;
exception when duplicate_object or unique_violation or insufficient_privilege then
    raise notice 'role xunjian_grafana was not created: %', sqlerrm;
end $$;

do $$ begin
    if exists (select from pg_roles where rolname = 'xunjian_grafana') then
        execute format('grant usage on schema %I to xunjian_grafana', current_schema());
        grant select on grafana_overview, grafana_silent, grafana_undetermined to xunjian_grafana;
    end if;
exception when insufficient_privilege then
    raise notice 'xunjian_grafana was not granted its views: %', sqlerrm;
end $$;
