select
    ship_kind,
    arrival_fee_cents / 100.0 as arrival_fee,
    hourly_fee_cents / 100.0 as hourly_fee
from {{ ref('fee_rates') }}
