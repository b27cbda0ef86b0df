select
    'submissions' as indicator,
    'XXA' as reference_area,
    cast(count(*) as double) as value,
    (select min(build_id) from {{ ref('dim_build') }}) as vintage
from {{ ref('dim_submission') }}
