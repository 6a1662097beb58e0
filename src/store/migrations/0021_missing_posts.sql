-- A post that is missing from its list may still answer at its own address.
alter table post_marks drop constraint post_marks_kind_check;
alter table post_marks add constraint post_marks_kind_check
    check (kind in ('absent', 'listed', 'gone', 'open'));

-- Which posts are missing is asked for all accounts at once.
create index post_marks_absent on post_marks (at) where kind = 'absent';
