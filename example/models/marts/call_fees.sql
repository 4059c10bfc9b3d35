select
    calls.call_id,
    calls.ship_id,
    ships.ship_kind,
    calls.arrived_at,
    calls.hours_in_port,
    rates.arrival_fee + calls.hours_in_port * rates.hourly_fee as total_fee
from {{ ref('stg_calls') }} as calls
inner join {{ ref('stg_ships') }} as ships using (ship_id)
inner join {{ ref('stg_fee_rates') }} as rates using (ship_kind)
