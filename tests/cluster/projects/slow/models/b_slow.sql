{{ config(materialized="table") }}
-- depends_on: {{ ref('a_fast') }}
select sum(hash(x.i * 7919 + y.j)::hugeint % 1000) as n
from range({{ var('rows', 1000000) }}) as x(i), range(1000000) as y(j)
