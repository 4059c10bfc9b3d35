select
    call_id,
    ship_id,
    arrived_at,
    goods
    {%- if var('break_on_purpose') %},
    customs_stamp -- no such column: this is the failure on purpose
    {%- endif %}
from {{ ref('stg_calls') }}
where goods is not null
