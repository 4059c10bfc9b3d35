select
    goods,
    calls
from {{ ref('goods_landed') }}
order by calls desc
limit 1
