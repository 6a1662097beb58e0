-- What schemes need beside crawled facts: persons' entries, verdicts, roll-ups.

-- Append only: what a person entered for a manual item of a scheme. The newest one that is known
-- counts; an earlier one is never changed.
create table scheme_entries (
    account_id  bigint not null references accounts,
    id          bigint generated always as identity,
    period      text not null,
    -- The name of the number in the scheme's expressions.
    item        text not null,
    value       numeric not null check (value >= 0),
    actor       text not null check (actor <> ''),
    reason      text not null check (reason <> ''),
    recorded_at timestamptz not null,
    primary key (account_id, id)
);

create index scheme_entries_period on scheme_entries (account_id, period, item, recorded_at desc);

-- Pass or fail of each account in a run, with every veto and flag.
create table score_verdicts (
    account_id  bigint not null references accounts,
    run_id      bigint not null references score_runs,
    result      text not null check (result in ('pass', 'fail', 'undetermined', 'not_judged')),
    reasons     text[] not null,
    vetoes      jsonb not null,
    flags       jsonb not null,
    -- The row of the assignments that chose the scheme.
    assigned_by text,
    primary key (account_id, run_id)
);

create index score_verdicts_run on score_verdicts (run_id, result);

-- Scores of whoever answers for several accounts.
create table score_rollups (
    run_id        bigint not null references score_runs,
    rollup        text not null,
    -- sponsor, supervisor, region, city or province, and who or which.
    subject_kind  text not null,
    subject       text not null,
    points        numeric,
    reason        text,
    interval_low  numeric,
    interval_high numeric,
    lines         jsonb not null,
    primary key (run_id, rollup, subject),
    check ((points is null) = (reason is not null))
);

-- A period is scored from posts in the order they came in: a small index tells which stretches of
-- the table to leave out.
create index posts_first_seen_brin on posts using brin (first_seen);
