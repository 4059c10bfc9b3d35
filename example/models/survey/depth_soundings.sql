with survey_boat as (
    select sleep_ms({{ (var('slow_seconds') | float * 1000) | int }}) as slept
)

select
    berths.berth_id,
    berths.berth_name,
    berths.depth_m - (select min(lowest_m) from {{ ref('tide_hours') }}) as charted_depth_m
from {{ ref('stg_berths') }} as berths
cross join survey_boat
where survey_boat.slept is null
