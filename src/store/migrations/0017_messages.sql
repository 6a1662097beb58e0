-- Messages to chat groups: what was handed in, once, and what became of it. The vendors count
-- attempts by the minute, and refuse everything for ten once there were too many: so the count must
-- survive a restart and be shared by all daemons.

create table messages (
    id              bigint generated always as identity primary key,
    channel         text not null check (channel in ('dingtalk', 'feishu')),
    -- The same news of the same group of alerts.
    idempotency_key text not null,
    title           text not null,
    body            text not null,
    handed_in_at    timestamptz not null,
    state           text not null default 'waiting'
        check (state in ('waiting', 'sending', 'sent', 'failed')),
    attempts        integer not null default 0,
    attempted_at    timestamptz,
    next_attempt_at timestamptz not null,
    -- A message whose sender died is sent again: a reminder twice is better than none.
    lease_until     timestamptz,
    sent_at         timestamptz,
    last_error      text,
    check ((state = 'sent') = (sent_at is not null)),
    check ((state = 'sending') = (lease_until is not null))
);
create index messages_waiting on messages (channel, next_attempt_at)
    where state in ('waiting', 'sending');
create index messages_known on messages (channel, idempotency_key, handed_in_at);
create index messages_attempted on messages (channel, attempted_at);
