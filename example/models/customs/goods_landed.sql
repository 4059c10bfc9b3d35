select
    goods,
    count(*) as calls
from {{ ref('customs_declarations') }}
group by goods
