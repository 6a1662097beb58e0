-- Frozen assessments: written once, whole, never changed; a correction is a new version.

create sequence assessment_numbers;

create table assessments (
    id         bigint primary key,
    -- Such as 2026Q3.
    period     text not null,
    -- The scheme asked for; null: the one that the assignments name for each account.
    scheme     text,
    version    integer not null check (version > 0),
    supersedes bigint unique references assessments,
    cutoff     timestamptz not null,
    known_at   timestamptz not null,
    frozen_at  timestamptz not null,
    actor      text not null check (actor <> ''),
    reason     text not null,
    accounts   bigint not null check (accounts >= 0),
    -- sha256:… over the head and all accounts' lines, each with its line end.
    digest     text not null unique,
    -- The first line of the bundle, whose bytes the digest covers: text, since jsonb would reorder.
    head       text not null,
    unique nulls not distinct (period, scheme, version),
    check ((version = 1) = (supersedes is null)),
    check (supersedes is null or reason <> '')
);

-- One line of the bundle for each account. They are written before their assessment, which is
-- checked at the end of the transaction: once it stands, none can be added.
create table assessment_accounts (
    assessment_id bigint not null references assessments deferrable initially deferred,
    place         bigint not null check (place > 0),
    key           text not null,
    -- What lists ask for; all of it stands in the line too.
    platform      text not null,
    region        text not null,
    verdict       text check (verdict in ('pass', 'fail', 'undetermined', 'not_judged')),
    line          text not null,
    primary key (assessment_id, place),
    unique (assessment_id, key)
);

create function xunjian_assessment_is_whole() returns trigger language plpgsql as $$
begin
    if exists (select from assessments where id = new.assessment_id) then
        raise exception 'assessment % is frozen: no account is added to it', new.assessment_id
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create trigger assessment_accounts_whole before insert on assessment_accounts
    for each row execute function xunjian_assessment_is_whole();
create trigger assessment_accounts_frozen before update or delete on assessment_accounts
    for each row execute function xunjian_append_only();
create trigger assessment_accounts_kept before truncate on assessment_accounts
    for each statement execute function xunjian_append_only();
create trigger assessments_frozen before update or delete on assessments
    for each row execute function xunjian_append_only();
create trigger assessments_kept before truncate on assessments
    for each statement execute function xunjian_append_only();
