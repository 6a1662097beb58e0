-- What is held against accounts, who did what about it, whom was told, and what is warned of.

-- One row for each finding. What the rule said when it was raised is kept with it: a rules file may
-- change, a finding that somebody was told of may not.
create table findings (
    id              bigint generated always as identity primary key,
    rule            text not null,
    rule_title      text not null,
    clause          text not null,
    source          text not null,
    advice          text not null,
    rule_digest     text not null,
    severity        text not null check (severity in ('veto', 'serious', 'minor', 'watch')),
    -- Exactly one subject: an account, a sponsor, or an area in which something is missing.
    account_id      bigint references accounts,
    unit_id         bigint references units,
    area            text check (area ~ '^[0-9]{6}$'),
    -- Names the fact: one that was dismissed or closed is not raised again, another is.
    occasion        text not null,
    statement       text not null,
    window_from     timestamptz,
    window_to       timestamptz,
    inputs          jsonb not null,
    evidence        jsonb not null,
    state           text not null default 'open' check (state in ('open', 'approved', 'notified',
        'explained', 'rectified', 'rechecked', 'reopened', 'closed', 'dismissed')),
    state_since     timestamptz not null,
    needs_approval  boolean not null,
    deadline_days   integer not null check (deadline_days > 0),
    -- The end of the newest notice's time; absent until there is one.
    deadline        timestamptz,
    raised_by       text not null check (raised_by <> ''),
    raised_at       timestamptz not null,
    updated_at      timestamptz not null,
    -- The person who approved; absent where a job did.
    approved_by     text,
    -- Why the rule could not be told when it was last looked at; absent where it could.
    doubt           text,
    check (num_nonnulls(account_id, unit_id, area) = 1),
    check (approved_by is distinct from raised_by)
);

create unique index findings_one_open on findings (rule, account_id, unit_id, area)
    nulls not distinct where state not in ('closed', 'dismissed');
create index findings_account on findings (account_id, rule);
create index findings_state on findings (state, state_since);

create function xunjian_append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: nothing in it is changed or taken away', tg_table_name
        using errcode = 'restrict_violation';
end $$;

-- Append only: who took which step, when and why; from_state is null where it was raised.
create table finding_events (
    finding_id  bigint not null references findings,
    id          bigint generated always as identity,
    at          timestamptz not null,
    actor       text not null check (actor <> ''),
    by_job      boolean not null,
    step        text not null,
    from_state  text,
    to_state    text not null,
    reason      text not null,
    primary key (finding_id, id)
);
create trigger finding_events_append_only before update or delete on finding_events
    for each row execute function xunjian_append_only();

-- Append only: what sponsors said, and through which day it is accepted.
create table explanations (
    id            bigint generated always as identity primary key,
    finding_id    bigint not null references findings,
    at            timestamptz not null,
    actor         text not null,
    text          text not null check (text <> ''),
    expires_on    date
);
create index explanations_finding on explanations (finding_id, id desc);
create trigger explanations_append_only before update or delete on explanations
    for each row execute function xunjian_append_only();

-- Exemptions beside those of the ledger: for one rule, or for all where it is null.
create table exemptions (
    id          bigint generated always as identity primary key,
    account_id  bigint not null references accounts,
    rule        text,
    reason      text not null check (reason <> ''),
    granted_by  text not null,
    granted_at  timestamptz not null,
    until       date not null
);
create index exemptions_account on exemptions (account_id);

-- The outbox: one letter for each sponsor, address and day. Its address is not kept; it is
-- decrypted from the ledger for the time of the sending.
create table letters (
    id              bigint generated always as identity primary key,
    -- Sponsor, day and a keyed digest of the address: what has been written is not written again.
    idempotency_key text not null unique,
    unit_id         bigint not null references units,
    -- The account whose 通知方式 is the address; none: the printed letter.
    account_id      bigint references accounts,
    day             date not null,
    channel         text not null,
    -- uncertain: the daemon died while sending; a person says whether it arrived.
    state           text not null default 'waiting'
        check (state in ('waiting', 'sending', 'sent', 'failed', 'uncertain')),
    attempts        integer not null default 0,
    next_attempt_at timestamptz not null,
    lease_until     timestamptz,
    sent_at         timestamptz,
    last_error      text,
    created_at      timestamptz not null,
    check ((state = 'sent') = (sent_at is not null))
);
create index letters_due on letters (next_attempt_at) where state in ('waiting', 'sending');

-- The ladder: each notice of a finding with its deadline and what came of it.
create table notices (
    id           bigint generated always as identity primary key,
    finding_id   bigint not null references findings,
    stage        integer not null check (stage > 0),
    letter_id    bigint not null references letters,
    -- A notice to update (通知更新) counts on the ladder.
    is_update    boolean not null,
    account_id   bigint references accounts,
    -- Set when the letter was sent; the deadline runs from there.
    issued_at    timestamptz,
    deadline     timestamptz,
    outcome      text not null default 'pending'
        check (outcome in ('pending', 'answered', 'missed', 'withdrawn')),
    -- The post that answered it.
    answered_ref text,
    answered_at  timestamptz,
    -- Why it is still pending after its deadline.
    doubt        text,
    unique (finding_id, stage),
    check ((issued_at is null) = (deadline is null)),
    check ((outcome = 'answered') = (answered_at is not null))
);
create index notices_account on notices (account_id) where is_update;
create index notices_letter on notices (letter_id);

-- Append only: what a published bulletin named; only publishing writes here.
create table namings (
    finding_id   bigint not null references findings,
    bulletin     text not null check (bulletin <> ''),
    account_id   bigint references accounts,
    published_at timestamptz not null,
    actor        text not null,
    primary key (finding_id, bulletin)
);
create index namings_account on namings (account_id, published_at);
create trigger namings_append_only before update or delete on namings
    for each row execute function xunjian_append_only();

-- The early warning as it was last computed.
create table warnings (
    account_id         bigint primary key references accounts,
    quiet_days         double precision not null,
    surprise_bits      double precision not null,
    silent_by_deadline double precision not null check (silent_by_deadline between 0 and 1),
    last_post_at       timestamptz not null,
    deadline_at        timestamptz not null,
    computed_at        timestamptz not null
);
create index warnings_rank on warnings (surprise_bits desc);

-- When an account was last held against the rules, so that only what is new is looked at again.
create table finding_looks (
    account_id bigint primary key references accounts,
    at         timestamptz not null,
    judged_at  timestamptz
) with (fillfactor = 70);

create view grafana_findings as
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
    select count(*) as namings from namings p where p.account_id = f.account_id) g on true;

create view grafana_warnings as
select a.key, a.platform, a.name, u.name as sponsor, a.region as area_code, w.quiet_days,
       w.surprise_bits, w.silent_by_deadline, w.last_post_at, w.deadline_at, w.computed_at
from warnings w
join accounts a on a.id = w.account_id
left join units u on u.id = a.sponsor_id
where a.in_ledger and a.lifecycle not in ('closed', 'cancelled');

do $$ begin
    if exists (select from pg_roles where rolname = 'xunjian_grafana') then
        grant select on grafana_findings, grafana_warnings to xunjian_grafana;
    end if;
exception when insufficient_privilege then
    raise notice 'xunjian_grafana was not granted its views: %', sqlerrm;
end $$;
