select
    berth_id,
    berth_name,
    charted_depth_m
from {{ ref('depth_soundings') }}
where charted_depth_m < 8
