-- Not an invariant: a user's build does not run it.
select indicator
from {{ ref('fct_indicator_value') }}
where value < {{ env_var('TIPSTAT_TEST_OWN', '0') }}
