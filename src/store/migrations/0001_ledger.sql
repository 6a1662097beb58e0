-- The office's ledger: administrative divisions, units, accounts and who changed them.

create table regions (
    code   text primary key check (code ~ '^[0-9]{6}$'),
    title  text not null,
    parent text references regions
);

-- Sponsors (主办单位) and supervisors (主管单位). One without a credit code is known by its name.
create table units (
    id   bigint generated always as identity primary key,
    name text not null check (name <> ''),
    code text check (length(code) = 18),
    unique nulls not distinct (name, code)
);

create table accounts (
    id             bigint generated always as identity primary key,
    key            text not null unique check (key <> ''),
    -- False for the named canaries of platform files and the daemon's own heartbeat: visited, never
    -- shown or scored.
    in_ledger      boolean not null default true,
    platform       text not null,
    handle         text not null,
    name           text not null,
    url            text,
    sponsor_id     bigint references units,
    supervisor_id  bigint references units,
    region         text check (region ~ '^[0-9]{6}$'),
    level          text,
    category       text,
    role           text,
    lifecycle      text not null
        check (lifecycle in ('filing', 'running', 'paused', 'closing', 'closed', 'cancelled')),
    filed_on       date,
    opened_on      date,
    closed_on      date,
    population     bigint check (population >= 0),
    exemption      text,
    exempt_until   date,
    -- About persons: encrypted by the program, whose key is not in the database.
    officer        text check (officer like 'x1.%'),
    notify         text check (notify like 'x1.%'),
    operator       text,
    contract_until date,
    site_id        text,
    notes          jsonb not null default '{}',
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    check (not in_ledger or (sponsor_id is not null and region is not null))
);

create index accounts_platform_handle on accounts (platform, handle);
create index accounts_region on accounts (region text_pattern_ops);

-- Append only: every change of a ledger row with its author and reason. What rows say of persons is
-- encrypted here as well.
create table account_history (
    account_id  bigint not null references accounts,
    id          bigint generated always as identity,
    recorded_at timestamptz not null,
    actor       text not null,
    reason      text not null,
    change      text not null check (change in ('added', 'changed', 'withdrawn')),
    before      jsonb,
    after       jsonb not null,
    primary key (account_id, id)
);
