select * from {{ ref('base_build') }}
