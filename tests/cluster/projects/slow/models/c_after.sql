select * from {{ ref('b_slow') }}
