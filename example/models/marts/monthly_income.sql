select
    date_trunc('month', arrived_at) as month_starting_on,
    ship_kind,
    count(*) as calls,
    sum(total_fee) as income
from {{ ref('call_fees') }}
group by all
