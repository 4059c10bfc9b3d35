-- Two calls at one berth never overlap.
select
    earlier.call_id,
    later.call_id as overlapping_call_id
from {{ ref('stg_calls') }} as earlier
inner join {{ ref('stg_calls') }} as later
    on
        earlier.berth_id = later.berth_id
        and earlier.arrived_at < later.arrived_at
        and earlier.departed_at > later.arrived_at
