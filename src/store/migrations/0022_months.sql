-- Two that want the same month at once: the second waits for the first and must then see its table.
-- `to_regclass` may answer from what this session knew before it waited; a query does not.
create or replace function xunjian_ensure_month(parent text, month date) returns boolean
language plpgsql as $$
declare
    first_day date := date_trunc('month', month)::date;
    partition text := format('%s_%s', parent, to_char(first_day, 'YYYY_MM'));
begin
    if to_regclass(partition) is not null then
        return false;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('xunjian partitions', 0));
    perform from pg_class c where c.relname = partition and pg_table_is_visible(c.oid);
    if found then
        return false;
    end if;
    execute format('create table %I (like %I including defaults including constraints)',
        partition, parent);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)',
        parent, partition,
        first_day::timestamp at time zone 'UTC',
        (first_day + interval '1 month')::timestamp at time zone 'UTC');
    return true;
end $$;
