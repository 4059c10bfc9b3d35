select berth_no from {{ ref('a_fast') }}
