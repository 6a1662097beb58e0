-- A bulletin names who failed, and who is to be named by the scheme without that (a flag with the
-- outcome "name" that is proven to hold): nobody else.
create or replace function xunjian_bulletin_lists_the_failed() returns trigger language plpgsql as $$
declare stranger text;
begin
    select b.key into stranger
    from bulletin_accounts b
    left join assessment_accounts a on a.assessment_id = new.assessment_id and a.key = b.key
    where b.bulletin_id = new.id and a.verdict is distinct from 'fail'
      and (a.verdict is null or a.verdict = 'not_judged' or not exists (
          select from jsonb_array_elements(a.line::jsonb #> '{card,flags}') f
          where f ->> 'outcome' = 'name' and f ->> 'state' = 'holds'))
    limit 1;
    if stranger is not null then
        raise exception '% is not to be named by assessment %: no bulletin lists it', stranger,
            new.assessment_id using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
