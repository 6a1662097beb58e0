-- Who may ask over HTTP and for what, what they wrote, and what they were answered.

create table api_tokens (
    id           bigint generated always as identity primary key,
    -- SHA-256 of the secret, which is 256 random bits and kept nowhere.
    digest       bytea not null unique check (length(digest) = 32),
    person       text not null check (person <> ''),
    scope        text not null check (scope in
        ('read', 'sponsor', 'import', 'report', 'write', 'admin', 'notify')),
    -- The first digits of the region subtree; empty: all areas.
    area         text not null check (area ~ '^([0-9]{2}){0,3}$'),
    sponsor_id   bigint references units,
    -- The id of a mapping in config/imports.
    source       text,
    created_by   text not null check (created_by <> ''),
    created_at   timestamptz not null,
    expires_at   timestamptz not null check (expires_at > created_at),
    revoked_by   text,
    revoked_at   timestamptz,
    -- To the minute.
    last_used_at timestamptz,
    check ((scope = 'sponsor') = (sponsor_id is not null)),
    check ((scope = 'import') = (source is not null)),
    check ((revoked_at is null) = (revoked_by is null))
);

-- Append only: every write asked for over HTTP, one row when it was asked and one when it was
-- answered; what was refused at the door has one row with its status.
create table api_audit (
    id              bigint generated always as identity primary key,
    at              timestamptz not null,
    -- The row of the question that this row answers.
    asked           bigint references api_audit,
    token_id        bigint references api_tokens,
    -- As the token named it then.
    person          text,
    peer            text not null,
    method          text not null,
    target          text not null,
    body_digest     text,
    idempotency_key text,
    status          smallint,
    -- What was refused, in the words of the answer.
    detail          text
);
create index api_audit_token on api_audit (token_id, id);
create trigger api_audit_append_only before update or delete on api_audit
    for each row execute function xunjian_append_only();
create trigger api_audit_kept before truncate on api_audit
    for each statement execute function xunjian_append_only();

-- Answers that a repeated request with the same Idempotency-Key gets again. Without a status the
-- first request is still being worked on.
create table api_answers (
    token_id       bigint not null references api_tokens,
    key            text not null check (key <> ''),
    request_digest bytea not null check (length(request_digest) = 32),
    begun_at       timestamptz not null,
    status         smallint,
    content_type   text,
    body           bytea,
    primary key (token_id, key),
    check ((status is null) = (body is null))
);
create index api_answers_begun on api_answers (begun_at);
