select
    berths.berth_id,
    berths.berth_name,
    count(calls.call_id) as calls,
    coalesce(sum(calls.hours_in_port), 0) as hours_taken,
    max(calls.departed_at) as last_departure_at
from {{ ref('stg_berths') }} as berths
left join {{ ref('stg_calls') }} as calls using (berth_id)
group by berths.berth_id, berths.berth_name
