-- A claim writes none of the columns that indexes hold, so that its rows stay within their pages.
drop index crawl_targets_held;
alter table crawl_targets set (fillfactor = 80);
