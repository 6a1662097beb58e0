-- Every account of the ledger, closed and cancelled ones too: their past is still asked about. What
-- counts accounts asks grafana_accounts, which leaves these out.
create view grafana_ledger with (security_barrier) as
select a.key, a.platform, a.name, a.sponsor, a.supervisor, a.region as area_code, a.category,
       a.level, a.role, a.lifecycle, not a.judged as closed, a.closed_on, a.url, a.filed_on,
       a.opened_on, a.exemption, a.exempt_until, a.operator, a.contract_until,
       p.name as shown_name, p.verified_as, xunjian_count_words(p.followers) as followers_words,
       xunjian_count_words(p.posts_total) as posts_total_words
from xunjian_seen_accounts a
left join account_profiles p on p.account_id = a.id;

do $$ begin
    if exists (select from pg_roles where rolname = 'xunjian_grafana') then
        grant select on grafana_ledger to xunjian_grafana;
    end if;
exception when insufficient_privilege then
    raise notice 'xunjian_grafana was not granted its views: %', sqlerrm;
end $$;
