select
    berth_id,
    berth_name,
    length_m,
    depth_m,
    updated_at
from {{ ref('berths') }}
