select
    read_at,
    level_m
from {{ source('tide_gauge', 'tide_readings') }}
