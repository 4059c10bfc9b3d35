select
    call_id,
    ship_id,
    berth_id,
    arrived_at,
    departed_at,
    nullif(goods, 'none') as goods,
    {{ hours_between('arrived_at', 'departed_at') }} as hours_in_port
from {{ ref('calls') }}
