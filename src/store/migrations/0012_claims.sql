-- Targets that are due at the same instant are claimed in one order, the same for every claim, so
-- that what a killed daemon held is not left behind the rest of its host.
drop index crawl_targets_due;
create index crawl_targets_due on crawl_targets (host, due_at, account_id, page);
