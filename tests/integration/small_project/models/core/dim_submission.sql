select * from {{ ref('base_submission') }}
