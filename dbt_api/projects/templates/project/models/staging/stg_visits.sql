select
    visit_id,
    cast(visited_on as date) as visited_on,
    page,
    seconds
from {{ ref('visits') }}
