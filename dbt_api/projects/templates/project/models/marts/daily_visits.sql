select
    visited_on,
    count(*) as visits,
    sum(seconds) as seconds
from {{ ref('stg_visits') }}
group by visited_on
