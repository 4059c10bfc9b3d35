{{ config(materialized='incremental', unique_key='hour_starting_at') }}

select
    date_trunc('hour', read_at) as hour_starting_at,
    max(level_m) as highest_m,
    min(level_m) as lowest_m
from {{ ref('stg_tide_readings') }}
{% if is_incremental() %}
where read_at >= (select max(hour_starting_at) from {{ this }})
{% endif %}
group by all
