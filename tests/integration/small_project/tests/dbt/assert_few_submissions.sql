{{ config(tags=['invariant']) }}
-- Fails on purpose where a test sets the limit below the number of submissions.
select
    submission_id,
    sender as secret_value
from {{ ref('dim_submission') }}
where sequence > {{ env_var('TIPSTAT_TEST_LIMIT', '1000') }}
