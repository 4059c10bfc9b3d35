select
    ship_id,
    ship_name,
    ship_kind,
    length_m,
    flag
from {{ ref('ships') }}
