-- A post that is listed with another time than at first was once read from an old page, or dated
-- anew: the time it claimed first does not tell where it stands.
alter table post_marks drop constraint post_marks_kind_check;
alter table post_marks add constraint post_marks_kind_check
    check (kind in ('absent', 'listed', 'gone', 'open', 'redated'));

-- Few posts are, and they are looked for however long ago it was.
create index post_marks_redated on post_marks (account_id, ref) where kind = 'redated';
