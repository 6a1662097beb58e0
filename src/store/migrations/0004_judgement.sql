-- What is concluded from the facts: the current activity of each account, and scores.

create table account_states (
    account_id          bigint primary key references accounts,
    activity            text not null default 'undetermined' check (activity in
        ('active', 'watch', 'dormant', 'zombie', 'empty', 'gone', 'undetermined')),
    reason              text default 'never_visited',
    -- When this activity was first given.
    activity_since      timestamptz,
    last_post_at        timestamptz,
    last_observation_at timestamptz,
    silence_deadline_at timestamptz,
    coverage            double precision not null default 0 check (coverage between 0 and 1),
    judged_at           timestamptz,
    -- When time alone changes the verdict, without any visit.
    next_crossing_at    timestamptz,
    -- Counts what was learned; judged_news is the count that the verdict has seen.
    news                bigint not null default 1,
    judged_news         bigint not null default 0,
    check ((activity = 'undetermined') = (reason is not null))
) with (fillfactor = 70);

create index account_states_news on account_states (account_id) where news <> judged_news;
create index account_states_crossing on account_states (next_crossing_at);

-- One for each period and scheme as it stood: scoring again renews it in place.
create table score_runs (
    id            bigint generated always as identity primary key,
    period        text not null,
    scheme        text not null,
    scheme_digest text not null,
    cutoff        timestamptz not null,
    known_at      timestamptz not null,
    started_at    timestamptz not null,
    -- Null until all scores were written once; such a run is shown nowhere.
    finished_at   timestamptz,
    unique (period, scheme, scheme_digest)
);

create index score_runs_finished on score_runs (finished_at desc, id desc)
    where finished_at is not null;

create table scores (
    account_id    bigint not null references accounts,
    run_id        bigint not null references score_runs,
    dimension     text not null,
    points        numeric,
    -- Why there are no points.
    reason        text,
    interval_low  numeric,
    interval_high numeric,
    coverage      double precision check (coverage between 0 and 1),
    inputs        jsonb not null,
    lines         jsonb not null,
    primary key (account_id, run_id, dimension),
    check ((points is null) = (reason is not null))
);

create index scores_run on scores (run_id);
