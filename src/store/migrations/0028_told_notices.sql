-- When it was written down what came of a notice: a look back from an earlier time does not see it.
alter table notices add column told_at timestamptz;
update notices set told_at = coalesce(answered_at, deadline) where outcome in ('answered', 'missed');
alter table notices add constraint notices_told_at_check
    check ((outcome in ('answered', 'missed')) = (told_at is not null));
