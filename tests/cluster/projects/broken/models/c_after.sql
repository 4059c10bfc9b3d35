select * from {{ ref('b_broken') }}
