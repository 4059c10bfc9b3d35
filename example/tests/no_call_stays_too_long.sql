-- No ship may lie for more than ten days; three of them lay for more than three.
select
    call_id,
    ship_id,
    hours_in_port
from {{ ref('stg_calls') }}
where hours_in_port > {{ 72 if var('fail_on_purpose') else 240 }}
